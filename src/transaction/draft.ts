import type { Entry } from '../entry/entry.ts'
import type { ContentHash, State } from '../entry/state.ts'
import { JournalError } from '../errors.ts'
import type { Folders } from '../workspace/folders.ts'
import type { Observation } from '../workspace/observer.ts'
import { DraftContents } from './draft-contents.ts'
import { FileOperations } from './file-operations.ts'
import { NewStates } from './new-states.ts'
import type { ContentSource, Operation } from './operation.ts'
import { PatchOperations } from './patch-operations.ts'
import { notAFile, notFound } from './refusals.ts'
import type { Revision } from './revision.ts'
import type { Stager } from './stager.ts'
import { TreeOperations } from './tree-operations.ts'
import { type DraftSite, View } from './view.ts'

/** A transaction makes no more entries than this. */
export const MAX_ENTRIES = 200_000
const NOTHING_REVISED: readonly Revision[] = Object.freeze([])

/**
 * What a list of operations makes of the workspace, worked out without touching it: a view that sees its own changes, and the entries that will
 * stand in the history.
 */
export class Draft {
  /** Paths whose content the caller read. */
  readonly reads = new Set<string>()
  /** What was revised, operation by operation. */
  readonly revisions: Revision[] = []
  readonly #view: View
  readonly #contents: DraftContents
  readonly #files: FileOperations
  readonly #tree: TreeOperations
  readonly #patches: PatchOperations

  constructor(site: DraftSite, stager: Stager) {
    this.#view = new View(site)
    this.#contents = new DraftContents(this.#view)
    const states = new NewStates(this.#view, this.#contents)
    this.#files = new FileOperations(this.#view, this.#contents, states, stager)
    this.#tree = new TreeOperations(this.#view, states)
    this.#patches = new PatchOperations(this.#view, this.#contents, this.#files, this.#tree, stager)
  }

  /** Every path whose state was looked at, as it was found. */
  get base(): ReadonlyMap<string, Observation> {
    return this.#view.base
  }

  /** Folders that must go on being folders. */
  get folders(): ReadonlySet<string> {
    return this.#view.folders
  }

  get entries(): readonly Entry[] {
    return this.#view.entries
  }

  /** Paths that the entries change. */
  get touched(): Iterable<string> {
    return this.#view.touched
  }

  /** What stands in the end at the paths that the entries change. */
  get changes(): ReadonlyMap<string, State> {
    return this.#view.changes
  }

  /** Facts about the folders that it looked at. */
  get facts(): Folders {
    return this.#view.site.folders
  }

  /** Where the bytes of a content are; `stored` when this transaction did not bring them. */
  source(hash: ContentHash): ContentSource {
    return this.#contents.source(hash)
  }

  /** Is everything that was looked at still as it was? */
  isFresh(): Promise<boolean> {
    return this.#view.isFresh()
  }

  /**
   * Works one operation in; what it revised of a file, where it did. A promise only where something must be waited for. When it fails, nothing of it is
   * left.
   */
  apply(operation: Operation): readonly Revision[] | Promise<readonly Revision[]> {
    this.#view.begin()
    const evaluating = this.#evaluate(operation)
    if (!(evaluating instanceof Promise)) return this.#settle(evaluating ?? NOTHING_REVISED)
    return evaluating.then((outcome) => {
      if (outcome === undefined) return this.#settle(NOTHING_REVISED)
      return this.#settle(Array.isArray(outcome) ? outcome : [outcome])
    })
  }

  #settle(revisions: readonly Revision[]): readonly Revision[] {
    if (this.#view.count > MAX_ENTRIES) {
      throw new JournalError('INVALID', `a transaction makes at most ${MAX_ENTRIES} entries`, {
        hint: 'Split it into smaller ones.',
      })
    }
    this.#view.settle()
    for (const revision of revisions) this.revisions.push(revision)
    return revisions
  }

  /** Where a path leads, as this transaction sees it. */
  locate(given: string): string {
    this.#view.begin()
    return this.#view.resolve(given, { follow: true, folder: true })
  }

  /** The content of a file as this transaction sees it. */
  async read(given: string): Promise<Uint8Array> {
    this.#view.begin()
    const path = this.#view.resolve(given, { follow: true })
    const state = await this.#view.state(path, 'read')
    this.reads.add(path)
    if (state === null) throw notFound(given)
    if (state.kind !== 'file') throw notAFile(given)
    return this.#contents.bytes(path, state)
  }

  #evaluate(operation: Operation): Promise<Revision | Revision[] | undefined> | Promise<void> | undefined {
    switch (operation.op) {
      case 'write':
        return this.#files.write(operation)
      case 'append':
        return this.#files.append(operation)
      case 'edit':
      case 'patch':
      case 'revise':
        return this.#files.rewrite(operation)
      case 'apply':
        return this.#patches.apply(operation)
      case 'remove':
        return this.#tree.remove(operation)
      case 'rename':
        return this.#tree.rename(operation)
      case 'mkdir':
        return this.#tree.mkdir(operation)
      case 'rmdir':
        return this.#tree.rmdir(operation)
      case 'chmod':
        return this.#tree.chmod(operation)
      case 'symlink':
        return this.#tree.symlink(operation)
      case 'put':
        return this.#tree.put(operation)
      case 'adopt':
        return this.#tree.adopt(operation)
      case 'note':
        this.#view.say(operation)
        return undefined
    }
  }
}
