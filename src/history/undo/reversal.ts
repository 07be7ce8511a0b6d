/** Takes a change out of what is at a path now, whatever else happened there since. */
import type { MergeConflict } from '../../edit/merge.ts'
import { merge } from '../../edit/merge.ts'
import { decodeText, encodeText, MAX_TEXT_BYTES, type SourceText } from '../../edit/text.ts'
import { type FileState, type State, sameState } from '../../entry/state.ts'
import { JournalError } from '../../errors.ts'
import type { Run } from './run.ts'

/** What happens where a change was overlaid by others: see `UndoOptions.onConflict`. */
export type ConflictChoice = 'refuse' | 'keep' | 'ours' | 'theirs'

/** Both sides of a place in a text. */
export interface ConflictSide {
  /** First and last line of it in what is there now, from 1. */
  readonly lines: readonly [from: number, to: number]
  /** What the change had left there, or found there when it is made again. */
  readonly base: string
  /** What is there now. */
  readonly ours: string
  /** What would stand there. */
  readonly theirs: string
}

/** Bytes of a content, and what it is as a state. */
export interface Value {
  readonly state: State
  /** Of a content that was merged, and that nobody else has. */
  readonly bytes?: Uint8Array
  /** The journal has recorded it; else it is what was found. */
  readonly recorded?: true
}

export interface Outcome {
  readonly value: Value
  /** Was a text merged? */
  readonly merged: boolean
  /** Did the choice decide about a place where both sides differ? */
  readonly decided: boolean
}

/** What could not be taken out. */
export interface Collision {
  readonly expected: State
  readonly wanted: State
  /** Of a text, where only places of it are meant. */
  readonly sides: readonly ConflictSide[]
}

export interface ReversalSite {
  /** The content of a recorded state; null: it is not to be had, or too large. */
  readonly recorded: (state: FileState) => Promise<Uint8Array | null>
  /** The content that stands at the path now, if it still is that one. */
  readonly found: (state: FileState) => Promise<Uint8Array | null>
  readonly hash: (bytes: Uint8Array) => string
  readonly merge: boolean
}

/** Characters of a side that a conflict shows. */
const SHOWN = 4000
/** Places of a text that a conflict shows. */
const PLACES = 20

/** Carries out the runs one after another on what is there. What collides is told, or decided by `choice`; `keep` is for the caller. */
export async function reverse(
  found: State,
  runs: readonly Run[],
  choice: ConflictChoice,
  site: ReversalSite,
): Promise<Outcome | Collision> {
  let value: Value = { state: found }
  let merged = false
  let decided = false
  for (const run of runs) {
    const step = await stepped(value, run, choice, site)
    if ('expected' in step) return step
    value = step.value
    merged ||= step.merged
    decided ||= step.decided
  }
  return { value, merged, decided }
}

async function stepped(
  value: Value,
  run: Run,
  choice: ConflictChoice,
  site: ReversalSite,
): Promise<Outcome | Collision> {
  const { state } = value
  const { from, to } = run
  const plain = (reached: Value, decided = false): Outcome => ({ value: reached, merged: false, decided })
  if (sameState(state, from)) return plain({ state: to, recorded: true })
  if (sameState(state, to)) return plain(value)
  const collided = (sides: readonly ConflictSide[] = []): Outcome | Collision => {
    if (choice === 'ours') return plain(value, true)
    if (choice === 'theirs') return plain({ state: to, recorded: true }, true)
    return { expected: from, wanted: to, sides }
  }
  if (state === null || from === null || to === null || !site.merge) return collided()
  if (state.kind === 'dir' && from.kind === 'dir' && to.kind === 'dir') {
    const mode = moved(state.mode, from.mode, to.mode)
    return mode === null ? collided() : plain({ state: { ...state, mode } })
  }
  if (state.kind !== 'file' || from.kind !== 'file' || to.kind !== 'file') return collided()
  const free = moved(state.mode, from.mode, to.mode)
  const mode = free ?? (choice === 'ours' ? state.mode : choice === 'theirs' ? to.mode : null)
  if (mode === null) return collided()
  const hash = moved(state.hash, from.hash, to.hash)
  if (hash === state.hash) return plain({ ...value, state: { ...state, mode } }, free === null)
  if (hash === to.hash) return plain({ state: { ...to, mode }, recorded: true }, free === null)
  const text = await mergedText({ ...value, state }, from, to, choice, site)
  if (text === null) return collided()
  if (text.sides.length > 0 && choice !== 'ours' && choice !== 'theirs')
    return { expected: from, wanted: to, sides: text.sides }
  const { bytes } = text
  return {
    value: { state: { ...state, hash: site.hash(bytes), size: bytes.byteLength, mode }, bytes },
    merged: true,
    decided: free === null || text.sides.length > 0,
  }
}

/** What comes of one property when the change is taken out of what is there; null: both changed it otherwise. */
function moved<T>(now: T, from: T, to: T): T | null {
  if (now === from) return to
  return from === to || now === to ? now : null
}

/** Null: they are not texts, or not to be had, or differ in too much. */
async function mergedText(
  now: Value & { readonly state: FileState },
  from: FileState,
  to: FileState,
  choice: ConflictChoice,
  site: ReversalSite,
): Promise<{ readonly bytes: Uint8Array; readonly sides: readonly ConflictSide[] } | null> {
  if (Math.max(now.state.size, from.size, to.size) > MAX_TEXT_BYTES) return null
  const there = now.bytes ?? (await (now.recorded === true ? site.recorded : site.found)(now.state))
  const contents = [there, await site.recorded(from), await site.recorded(to)]
  const texts = contents.includes(null) ? null : asTexts(contents as readonly Uint8Array[])
  if (texts === null) return null
  const [ours, base, theirs] = texts
  // Where both differ, what is given last stands in the result.
  const result =
    choice === 'theirs'
      ? await merge(base.text, ours.text, theirs.text)
      : await merge(base.text, theirs.text, ours.text)
  if (result === null) return null
  const sides = result.conflicts.slice(0, PLACES).map((conflict) => sideOf(conflict, choice === 'theirs'))
  return { bytes: encodeText(result.text, ours, ''), sides }
}

function sideOf({ lines, base, ours, theirs }: MergeConflict, turned: boolean): ConflictSide {
  const [there, wanted] = turned ? [ours, theirs] : [theirs, ours]
  const shown = (text: string) => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text)
  return { lines, base: shown(base), ours: shown(there), theirs: shown(wanted) }
}

type Texts = readonly [now: SourceText, from: SourceText, to: SourceText]

/** In one encoding, byte for byte recoverable; null: one is binary, or they differ in how they are encoded. */
function asTexts(contents: readonly Uint8Array[]): Texts | null {
  for (const named of [undefined, 'latin1'] as const) {
    try {
      const texts = contents.map((bytes) => decodeText(bytes, '', named))
      const [first] = texts
      if (texts.every(({ encoding, bom }) => encoding === first?.encoding && bom === first.bom))
        return texts as unknown as Texts
    } catch (error) {
      if (!(error instanceof JournalError)) throw error
    }
  }
  return null
}
