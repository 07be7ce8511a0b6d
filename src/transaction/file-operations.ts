import { applyEdits } from '../edit/edits.ts'
import { merge, mergeError, unmergeable } from '../edit/merge.ts'
import { patchOneFile } from '../edit/patch/patch-file.ts'
import { type Change, reviserOf } from '../edit/revisers.ts'
import { checkTextSize, decodeText, encodeText, type SourceText } from '../edit/text.ts'
import type { Entry, Json } from '../entry/entry.ts'
import { type ContentHash, type FileState, hashOf, type State } from '../entry/state.ts'
import { JournalError } from '../errors.ts'
import type { DraftContents } from './draft-contents.ts'
import type { NewStates } from './new-states.ts'
import type { Operation, StagedContent } from './operation.ts'
import { checkExpected, notAFile, notFound } from './refusals.ts'
import type { Revision } from './revision.ts'
import type { Stager } from './stager.ts'
import type { View } from './view.ts'

type Of<O extends Operation['op']> = Extract<Operation, { op: O }>
type Rewriting = Of<'edit' | 'patch' | 'revise'>

/** What the history is told of a new text, besides the states. */
export type Said =
  | Pick<Extract<Entry, { op: 'edit' }>, 'op' | 'edits'>
  | Pick<Extract<Entry, { op: 'patch' }>, 'op' | 'patch'>
  | Pick<Extract<Entry, { op: 'revise' }>, 'op' | 'by' | 'change'>

/** A text worked out anew. */
interface Rewritten {
  readonly text: string
  readonly said: Said
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

  async write(operation: Of<'write'>): Promise<Revision | undefined> {
    const path = this.#view.resolve(operation.path, { follow: true })
    // Whoever expects a content wants it looked at.
    const before = await this.#view.state(path, operation.expect === undefined)
    if (isMoved(operation, before)) return this.#mergeWritten(operation, path, before)
    checkExpected(operation.path, before, operation.expect)
    if (before?.kind === 'dir') throw notAFile(operation.path)
    const after = await this.#states.newFile(path, before, operation.content, operation.mode)
    this.#view.set(path, after, { op: 'write', path, ...this.#view.alias(path, operation.path), before, after })
    return undefined
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
    const moved = isMoved(operation, before)
    if (!moved) checkExpected(operation.path, before, operation.expect)
    const { state, source } = await this.text(operation.path, path, before, operation.encoding)
    if (!moved) {
      const { text, said, revision } = await rewritten(operation, source, path)
      await this.put(path, operation.path, { state, source, text, said })
      return { path, ...revision }
    }
    const base = await this.#base(path, operation.expect, operation.encoding)
    const { text, said, revision } = await rewritten(operation, base, path)
    const merged = await this.#merged(path, base, text, source)
    await this.put(path, operation.path, { state, source, text: merged, said: mergedBy(operation.expect, said) })
    return { path, ...revision, merged: true }
  }

  /** The text of a file, and what it is. @throws JournalError `NOT_FOUND`, `INVALID` */
  async text(
    given: string,
    path: string,
    state: State,
    encoding?: SourceText['encoding'],
  ): Promise<{ readonly state: FileState; readonly source: SourceText }> {
    if (state === null) throw notFound(given)
    if (state.kind !== 'file') throw notAFile(given)
    checkTextSize(state.size, path)
    return { state, source: decodeText(await this.#contents.bytes(path, state), path, encoding) }
  }

  /** Sets a file to a new text in the form of the one that it had. */
  async put(
    path: string,
    given: string,
    { state, source, text, said }: { state: FileState; source: SourceText; text: string; said: Said },
  ): Promise<void> {
    const changed = this.#stager.keep(encodeText(text, source, path))
    const after = await this.#states.newFile(path, state, changed)
    this.#view.set(path, after, { ...said, path, ...this.#view.alias(path, given), before: state, after } as Entry)
  }

  /** A whole content, worked out on one that is not there any more. */
  async #mergeWritten(operation: Of<'write'>, path: string, before: State): Promise<Revision> {
    const { content, expect, encoding, mode } = operation
    const { state, source } = await this.text(operation.path, path, before, encoding)
    const base = await this.#base(path, expect, encoding)
    checkTextSize(content.size, path)
    const ours = decodeText(await this.#contents.all(content.hash, content.source), path, encoding)
    const text = await this.#merged(path, base, ours.text, source)
    const said: Said = {
      op: 'revise',
      by: 'merge',
      change: { of: 'write', base: expect as string, wrote: content.hash },
    }
    const moded = mode === undefined ? state : { ...state, mode }
    await this.put(path, operation.path, { state: moded, source, text, said })
    return { path, by: 'write', changes: 1, merged: true }
  }

  async #merged(path: string, base: SourceText, ours: string, theirs: SourceText): Promise<string> {
    const merged = await merge(base.text, ours, theirs.text)
    if (merged === null) throw unmergeable(path)
    if (merged.conflicts.length > 0) throw mergeError(path, merged.conflicts)
    return merged.text
  }

  /** The content that a change was made for. @throws JournalError `CONFLICT` when the journal does not have it */
  async #base(
    path: string,
    expect: ContentHash | null | undefined,
    encoding?: SourceText['encoding'],
  ): Promise<SourceText> {
    const hash = (expect as string).toLowerCase()
    try {
      return decodeText(await this.#view.site.contents.read(hash), path, encoding)
    } catch (cause) {
      if (cause instanceof JournalError && cause.code === 'INVALID') throw cause
      throw new JournalError(
        'CONFLICT',
        `${path} has changed, and the content that was expected is not in the journal`,
        {
          hint: 'Read it again and decide anew: only contents that the journal knows can be merged.',
          path,
          details: { expected: hash },
          cause,
        },
      )
    }
  }
}

/** Is a change to be merged, because its base is not what is there? */
function isMoved(operation: Of<'write'> | Rewriting, state: State): boolean {
  const { merge, expect } = operation
  return (
    merge === true && typeof expect === 'string' && state?.kind === 'file' && hashOf(state) !== expect.toLowerCase()
  )
}

/** What the history is told of a change that was merged. */
function mergedBy(base: ContentHash | null | undefined, said: Said): Said {
  const { op, ...words } = said
  const own: Change =
    op === 'revise' ? { by: (words as { by: string }).by, ...(words as { change: Change }).change } : (words as Change)
  return { op: 'revise', by: 'merge', change: { of: op, base: base as string, ...own } }
}

async function rewritten(operation: Rewriting, source: SourceText, path: string): Promise<Rewritten> {
  const { op, encoding } = operation
  const named = encoding === undefined ? {} : { encoding }
  switch (op) {
    case 'edit': {
      const { lenient } = operation
      const { text, edits } = applyEdits(source.text, operation.edits, path, { lenient })
      const plain =
        encoding === undefined && edits.every(({ matching }) => matching === 'exact' || matching === 'line-ends')
      const asked = {
        edits: operation.edits as unknown as Json,
        ...(lenient === undefined ? {} : { lenient }),
        ...named,
      }
      const said: Said = plain ? { op, edits: operation.edits } : { op: 'revise', by: op, change: asked }
      return { text, said, revision: { by: op, edits, changes: edits.length } }
    }
    case 'patch': {
      const { patch } = operation
      const { text, hunks } = await patchOneFile(source.text, patch, path)
      const said: Said = encoding === undefined ? { op, patch } : { op: 'revise', by: op, change: { patch, ...named } }
      return { text, said, revision: { by: op, hunks, changes: hunks.length } }
    }
    case 'revise': {
      const { by, change } = operation
      const reviser = await reviserOf(by)
      const { text, report, changes = 1 } = await reviser.revise(source.text, change, path)
      return { text, said: { op, by, change: { ...change, ...named } }, revision: { by, report, changes } }
    }
  }
}
