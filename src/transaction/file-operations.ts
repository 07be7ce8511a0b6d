import { applyEdits } from '../edit/edits.ts'
import { applyUnified } from '../edit/patch-file.ts'
import { reviserOf } from '../edit/revisers.ts'
import { checkTextSize, decodeText, encodeText, type SourceText } from '../edit/text.ts'
import type { Entry, ReviseEntry } from '../entry/entry.ts'
import type { FileState } from '../entry/state.ts'
import type { DraftContents } from './draft-contents.ts'
import type { NewStates } from './new-states.ts'
import type { Operation, StagedContent } from './operation.ts'
import { checkExpected, notAFile, notFound } from './refusals.ts'
import type { Revision } from './revision.ts'
import type { Stager } from './stager.ts'
import type { View } from './view.ts'

type Of<O extends Operation['op']> = Extract<Operation, { op: O }>
type Rewriting = Of<'edit' | 'patch' | 'revise'>

/** A text worked out anew. */
interface Rewritten {
  readonly text: string
  /** What the history is told, besides the states. */
  readonly said: { readonly op: 'edit' | 'patch' | 'revise' } & Partial<Entry>
  readonly revision: Omit<Revision, 'path'>
}

/** Operations that give a file another content. */
export class FileOperations {
  readonly #view: View
  readonly #contents: DraftContents
  readonly #states: NewStates
  readonly #stager: Stager

  constructor(view: View, contents: DraftContents, states: NewStates, stager: Stager) {
    this.#view = view
    this.#contents = contents
    this.#states = states
    this.#stager = stager
  }

  async write(operation: Of<'write'>): Promise<void> {
    const path = this.#view.resolve(operation.path, { follow: true })
    // Whoever expects a content wants it looked at.
    const before = await this.#view.state(path, operation.expect === undefined)
    checkExpected(operation.path, before, operation.expect)
    if (before?.kind === 'dir') throw notAFile(operation.path)
    const after = await this.#states.newFile(path, before, operation.content, operation.mode)
    this.#view.set(path, after, { op: 'write', path, ...this.#view.alias(path, operation.path), before, after })
  }

  async append(operation: Of<'append'>): Promise<void> {
    const path = this.#view.resolve(operation.path, { follow: true })
    const before = await this.#view.state(path)
    checkExpected(operation.path, before, operation.expect)
    if (before !== null && before.kind !== 'file') throw notAFile(operation.path)
    const { content } = operation
    this.#contents.note(content)
    const whole =
      before === null || before.size === 0 ? content : await this.#stager.take(this.#joined(path, before, content))
    const after = await this.#states.newFile(path, before, whole)
    const entry = {
      op: 'append',
      path,
      ...this.#view.alias(path, operation.path),
      before,
      after,
      length: content.size,
    } as const
    this.#view.set(path, after, entry)
  }

  async *#joined(path: string, state: FileState, added: StagedContent): AsyncGenerator<Uint8Array> {
    yield* this.#contents.chunks(path, state)
    yield* this.#contents.chunksOf(added.hash, added.source)
  }

  /** A text, worked out anew of what it is now. */
  async rewrite(operation: Rewriting): Promise<Revision> {
    const path = this.#view.resolve(operation.path, { follow: true })
    const before = await this.#view.state(path)
    checkExpected(operation.path, before, operation.expect)
    if (before === null) throw notFound(operation.path)
    if (before.kind !== 'file') throw notAFile(operation.path)
    checkTextSize(before.size, path)
    const source = decodeText(await this.#contents.bytes(path, before), path, operation.encoding)
    const { text, said, revision } = await rewritten(operation, source, path)
    const changed = this.#stager.keep(encodeText(text, source, path))
    const after = await this.#states.newFile(path, before, changed)
    this.#view.set(path, after, { ...said, path, ...this.#view.alias(path, operation.path), before, after } as Entry)
    return { path, ...revision }
  }
}

async function rewritten(operation: Rewriting, source: SourceText, path: string): Promise<Rewritten> {
  const { op, encoding } = operation
  switch (op) {
    case 'edit': {
      const { text, edits } = applyEdits(source.text, operation.edits, path)
      const revision = { by: op, edits, changes: edits.length }
      return { text, said: { op, edits: operation.edits }, revision }
    }
    case 'patch': {
      const text = await applyUnified(source.text, operation.patch, path, source.bom)
      return { text, said: { op, patch: operation.patch }, revision: { by: op, changes: 1 } }
    }
    case 'revise': {
      const { by, change } = operation
      const reviser = await reviserOf(by)
      const { text, report, changes = 1 } = await reviser.revise(source.text, change, path)
      const told: ReviseEntry['change'] = encoding === undefined ? change : { ...change, encoding }
      return { text, said: { op, by, change: told }, revision: { by, report, changes } }
    }
  }
}
