import type { ContentStore } from '../content/content-store.ts'
import type { LargeContent } from '../content/large-contents.ts'
import type { Entry } from '../entry/entry.ts'
import { isJournalName } from '../entry/path.ts'
import { type ContentHash, type FileState, hashOf, type Owner, type State, sameState } from '../entry/state.ts'
import { asJournalError, JournalError } from '../errors.ts'
import type { Folders } from '../workspace/folders.ts'
import type { Glance, Observation, Observer } from '../workspace/observer.ts'
import { type ResolveOptions, resolvePath, type Waypoint } from '../workspace/resolver.ts'
import { ancestorsOf, joinPath, nameOf, parentOf, splitPath } from '../workspace/safe-path.ts'

export interface DraftSite {
  readonly observer: Observer
  readonly contents: ContentStore
  readonly folders: Folders
  /** Names that differ only in case are the same file here. */
  readonly foldsCase: boolean
  /** Of new files; recorded when the journal runs as the superuser. */
  readonly owner: Owner | null
  /** The newest state of a path by the journal's record, where that can be asked. */
  readonly recorded?: (path: string) => Promise<State | undefined>
  /** Small changes of files of more bytes than this are made in place. */
  readonly inPlaceFrom: number
}

/**
 * What the state at a path is asked for: `look`; `replace`, only to be replaced, see `Observer.observe`; `read`, the content is going to be asked for;
 * `change`, that, or the file is changed in place, see `Observer.recognize`.
 */
export type Purpose = 'look' | 'replace' | 'read' | 'change'

/**
 * The workspace as a transaction sees it: what is on disk, under what the transaction changes. It remembers what it looked at, so that a commit can tell
 * whether that is still so.
 */
export class View {
  /** Every path whose state was looked at, as it was found. */
  readonly base = new Map<string, Observation>()
  /** Folders that must go on being folders. */
  readonly folders = new Set<string>()
  readonly entries: Entry[] = []
  readonly site: DraftSite
  readonly #now = new Map<string, State>()
  readonly #spellings = new Map<string, string>()
  /** Folders whose names were asked for, with what they held. */
  readonly #listings = new Map<string, string>()
  #pending = new Map<string, State>()
  #pendingEntries: Entry[] = []
  /** The content of the file that was observed last, if it was to be read. */
  #content: { readonly path: string; readonly bytes: Uint8Array } | null = null
  /** The last path that was looked at while finding the way. */
  #glance: Glance | null = null

  constructor(site: DraftSite) {
    this.site = site
  }

  /** What stands in the end at the paths that the entries change. */
  get changes(): ReadonlyMap<string, State> {
    return this.#now
  }

  /** Paths that the entries change. */
  get touched(): Iterable<string> {
    return this.#now.keys()
  }

  /** Begins an operation: what an earlier one left unsettled is forgotten. */
  begin(): void {
    this.#glance = null
    this.#content = null
    this.#pending = new Map()
    this.#pendingEntries = []
  }

  /** How many entries there are with those of this operation. */
  get count(): number {
    return this.entries.length + this.#pendingEntries.length
  }

  /** The operation is worked out: what it changes is part of the view. */
  settle(): void {
    for (const [path, state] of this.#pending) this.#now.set(path, state)
    for (const entry of this.#pendingEntries) this.entries.push(Object.freeze(entry))
    this.begin()
  }

  /** Is everything that was looked at still as it was? */
  async isFresh(): Promise<boolean> {
    for (const path of this.folders) {
      if (this.site.observer.disk.lstat(this.site.observer.absolute(path))?.kind !== 'dir') return false
    }
    for (const [folder, names] of this.#listings) if (this.#names(folder).join('/') !== names) return false
    for (const [path, observation] of this.base) {
      if (this.site.observer.looksSame(path, observation)) continue
      const { state } = observation
      const again = await this.site.observer.observe(path)
      if (!sameState(again.state, state)) return false
      this.base.set(path, again)
    }
    return true
  }

  resolve(given: string, options: ResolveOptions): string {
    try {
      return resolvePath(this.site.observer.root, given, (path) => this.look(path), options)
    } catch (error) {
      throw asJournalError(error, 'finding the path', given)
    }
  }

  /** A path as its text has it, through whatever it leads. @throws JournalError `PATH_OUTSIDE`, `INVALID` */
  plain(given: string): string {
    return splitPath(this.site.observer.root, given, { folder: true }).join('/')
  }

  /** A promise only where something must be read. */
  state(path: string, purpose: Purpose = 'look'): State | Promise<State> {
    const own = this.#overlay(path)
    if (own !== undefined) return own
    const known = this.base.get(path)
    if (known !== undefined) return known.state
    if (this.#hidden(path)) return null
    // Nothing awaits between finding a path and looking at what is there.
    const glance = this.#glance?.path === path ? this.#glance : undefined
    this.#glance = null
    const recognized = purpose === 'change' ? this.#recognized(path, glance) : null
    if (recognized !== null) return this.#found(path, recognized)
    const unreadable = (error: unknown): never => {
      throw asJournalError(error, 'reading', path)
    }
    try {
      const keep = (content: Uint8Array): void => {
        this.#content = { path, bytes: Uint8Array.prototype.slice.call(content) }
      }
      const reading = purpose === 'read' || purpose === 'change'
      const found = this.site.observer.observe(path, purpose === 'replace', glance, reading ? keep : undefined)
      if (found instanceof Promise) return found.then((read) => this.#found(path, read), unreadable)
      return this.#found(path, found)
    } catch (error) {
      return unreadable(error)
    }
  }

  #found(path: string, found: Observation): State {
    if (this.site.foldsCase) this.#checkSpelling(path, found.state !== null)
    this.base.set(path, found)
    return found.state
  }

  #recognized(path: string, given: Glance | undefined): Observation | null {
    const { observer, contents, inPlaceFrom } = this.site
    const glance = given ?? observer.glance(path)
    if ((glance.stat?.size ?? 0) <= inPlaceFrom) return null
    return observer.recognize(glance, (hash) => contents.large.get(hash) !== null)
  }

  /** The bytes of the file that was observed last, if they are `hash` and were to be read. To be asked for once. */
  takeContent(path: string, hash: ContentHash): Uint8Array | null {
    const content = this.#content
    this.#content = null
    return content?.path === path && hashOf(this.base.get(path)?.state ?? null) === hash ? content.bytes : null
  }

  /** What is known of the content of a large file, when it stands on the disk as this transaction sees it. */
  largeAt(path: string, { size, hash }: FileState): LargeContent | null {
    if (size <= this.site.inPlaceFrom || this.#overlay(path) !== undefined) return null
    return this.site.contents.large.get(hash)
  }

  look(path: string): Waypoint {
    const own = this.#overlay(path)
    if (own !== undefined) return own?.kind === 'symlink' ? { kind: 'symlink', target: own.target } : own
    if (this.#hidden(path)) return null
    if (this.folders.has(path)) return { kind: 'dir' }
    const { disk } = this.site.observer
    const absolute = this.site.observer.absolute(path)
    const glance = this.site.observer.glance(path)
    this.#glance = glance
    const { stat } = glance
    if (stat === null) return null
    if (this.site.foldsCase) this.#checkSpelling(path, true)
    if (stat.kind === 'symlink') return { kind: 'symlink', target: disk.readLink(absolute) }
    if (stat.kind === 'dir') {
      this.folders.add(path)
      this.site.folders.note(path, stat)
    }
    return { kind: stat.kind }
  }

  set(path: string, state: State, entry: Entry): void {
    this.#pending.set(path, state)
    this.#pendingEntries.push(entry)
  }

  /** Takes a path away without an entry of its own: its rename says so. */
  leave(path: string): void {
    this.#pending.set(path, null)
  }

  /** Paths below a folder, one level, as this transaction sees them. */
  children(folder: string): string[] {
    const found = new Set<string>()
    const absolute = this.site.observer.absolute(folder)
    if (this.site.observer.disk.lstat(absolute)?.kind === 'dir') {
      const names = this.#names(folder)
      this.#listings.set(folder, names.join('/'))
      for (const name of names) found.add(joinPath(folder, name))
    }
    for (const layer of [this.#now, this.#pending]) {
      for (const [path, state] of layer) {
        if (parentOf(path) !== folder) continue
        if (state === null) found.delete(path)
        else found.add(path)
      }
    }
    return [...found].sort()
  }

  /** The same for a folder that goes away with all in it; a workspace inside the workspace keeps its journal. */
  journaledChildren(folder: string): string[] {
    const children = this.children(folder)
    const journal = children.find((child) => isJournalName(nameOf(child)))
    if (journal === undefined) return children
    throw new JournalError('PATH_OUTSIDE', `${journal} is the journal of another workspace`, {
      hint: 'A folder with a journal of its own is neither moved nor removed by this one.',
      path: journal,
    })
  }

  #names(folder: string): string[] {
    const { disk } = this.site.observer
    const absolute = this.site.observer.absolute(folder)
    return disk.lstat(absolute)?.kind === 'dir' ? disk.readDirectory(absolute).map(({ name }) => name) : []
  }

  #overlay(path: string): State | undefined {
    const state = this.#pending.get(path)
    return state === undefined ? this.#now.get(path) : state
  }

  /**
   * A path below something that this transaction took away, turned into a file, or made a folder of, is not what the disk says: there, a symbolic link
   * may still lead elsewhere.
   */
  #hidden(path: string): boolean {
    if (this.#now.size + this.#pending.size === 0) return false
    return ancestorsOf(path).some((folder) => {
      const state = this.#overlay(folder)
      if (state === undefined) return false
      return state?.kind !== 'dir' || this.base.get(folder)?.state?.kind !== 'dir'
    })
  }

  /** On a file system that folds case, two spellings of one name would be taken for two files. */
  #checkSpelling(path: string, exists: boolean): void {
    const key = path.normalize('NFC').toLowerCase()
    const seen = this.#spellings.get(key)
    const folder = this.site.observer.absolute(parentOf(path))
    const names = exists ? this.site.observer.disk.readDirectory(folder).map(({ name }) => name) : []
    const other =
      seen !== undefined && seen !== path
        ? seen
        : exists && !names.includes(nameOf(path))
          ? names.find((name) => name.normalize('NFC').toLowerCase() === nameOf(path).normalize('NFC').toLowerCase())
          : undefined
    if (other !== undefined) {
      throw new JournalError(
        'INVALID',
        `${path} differs from ${other} only in case, and this file system takes them for one`,
        {
          hint: `Use the spelling ${other}, or rename that file first.`,
          path,
        },
      )
    }
    this.#spellings.set(key, path)
  }

  /** Where the caller named a path through a symbolic link: as it was given. */
  alias(path: string, given: string): { as?: string } {
    return given === path ||
      !given.isWellFormed() ||
      given.replace(/^\.\//, '') === path ||
      given === this.site.observer.absolute(path)
      ? {}
      : { as: given }
  }
}
