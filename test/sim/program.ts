import fc from 'fast-check'
import { type Journal, JournalError, type Transaction } from '../../src/index.ts'
import { type Call, call, commitCalls, PATHS, perform } from '../journal/operations.ts'
import { OPERATION_KINDS, type OperationKind } from './faults.ts'
import { SimDisk } from './sim-disk.ts'

export const ROOT = '/w'

/** Beyond what the log of small segments takes: a blob. */
export const LARGE = 5000

export type Step =
  | { readonly kind: 'commit' | 'abort'; readonly calls: readonly Call[] }
  /** Transactions at the same time, each in a folder of its own. */
  | { readonly kind: 'together'; readonly lanes: readonly (readonly Call[])[] }
  /** Of the transaction so many before the newest. */
  | { readonly kind: 'undo' | 'redo' | 'restore'; readonly back: number }
  | { readonly kind: 'purge'; readonly path: string }
  /** Of a file that nobody else touches: most of them leave one that may not be read. */
  | { readonly kind: 'lock'; readonly call: Call }
  /** Small changes of a large file, in one transaction. */
  | { readonly kind: 'large'; readonly calls: readonly LargeCall[] }
  | { readonly kind: 'checkpoint' | 'compact' | 'reopen' }
  /** Drops all but the newest so many transactions, as far as segments allow, while another commits. */
  | { readonly kind: 'retain'; readonly keep: number; readonly calls: readonly Call[] }
  /** Somebody writes to a file, or removes it (null), and it is on the disk for good. */
  | { readonly kind: 'person'; readonly path: string; readonly content: string | null }
  /** The clock jumps by so many milliseconds. */
  | { readonly kind: 'clock'; readonly ms: number }

/** To a large text of lines that are longer than a sector. */
export type LargeCall =
  /** All of it anew. */
  | { readonly op: 'write' }
  /** Lines by number that become lines of another letter, or longer. */
  | { readonly op: 'edit'; readonly lines: readonly number[]; readonly letter: string }
  | { readonly op: 'append'; readonly size: number }

/** What is done to a workspace and its journal, on what disk: a value that shrinks. */
export interface Program {
  readonly seed: number
  readonly steps: readonly Step[]
  readonly segmentSize: number
  readonly durability: 'full' | 'os'
  readonly exchange: boolean
  readonly link: boolean
  readonly metadataSync: boolean
  readonly blockingSync: boolean
  readonly shortWrites: boolean
}

const LOCKED = 'locked'
const lock: fc.Arbitrary<Call> = fc.oneof(
  fc.record({
    op: fc.constant('write' as const),
    path: fc.constant(LOCKED),
    content: fc.constantFrom('word\n', 'word '.repeat(500), 'large'),
    mode: fc.constantFrom(0o200, 0o200, 0o000, 0o600),
  }),
  fc.record({ op: fc.constant('chmod' as const), path: fc.constant(LOCKED), mode: fc.constantFrom(0o200, 0o600) }),
)

export const BIG = 'big'
const LINES = 10
const LINE = 520

const line = (number: number, letter: string) => `${number}:${letter.repeat(LINE)}`

const largeCall: fc.Arbitrary<LargeCall> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ op: 'write' as const }) },
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('edit' as const),
      lines: fc.uniqueArray(fc.nat(LINES - 1), { minLength: 1, maxLength: 3 }),
      letter: fc.constantFrom('a', 'b', 'c', 'd', 'é'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('append' as const), size: fc.constantFrom(1, 100, 1500) }) },
)

const largeStep = fc.record({
  kind: fc.constant('large' as const),
  calls: fc.oneof(
    { weight: 4, arbitrary: fc.array(largeCall, { minLength: 1, maxLength: 1 }) },
    { weight: 1, arbitrary: fc.array(largeCall, { minLength: 2, maxLength: 3 }) },
  ),
})

/** Those that programs write to most, by themselves and within a folder. */
const PURGED = ['a', 'b', 'd', 'd/a'] as const

const calls = fc.array(call, { minLength: 1, maxLength: 6 })
const back = fc.integer({ min: 0, max: 3 })

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('commit' as const), calls }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), calls }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('together' as const),
      lanes: fc.array(fc.array(call, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('undo' as const, 'redo', 'restore'), back }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('purge' as const), path: fc.constantFrom(...PURGED) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lock' as const), call: lock }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('checkpoint' as const, 'compact', 'reopen') }) },
  { weight: 3, arbitrary: largeStep },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('retain' as const),
      // More than none can be kept only where a segment begins.
      keep: fc.constantFrom(0, 0, 0, 1, 2),
      calls: fc.array(call, { maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('person' as const),
      path: fc.constantFrom(...PATHS, BIG),
      content: fc.option(fc.constantFrom('mine\n', 'my own word\n', 'm'.repeat(600), 'm'.repeat(LARGE))),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('clock' as const),
      ms: fc.constantFrom(-86_400_000, -3, 1, 5000, 31_536_000_000),
    }),
  },
)

/** A large file, and mostly changes of it. */
const largeSteps = fc
  .array(fc.oneof({ weight: 5, arbitrary: largeStep }, { weight: 1, arbitrary: step }), { minLength: 3, maxLength: 8 })
  .map((steps): readonly Step[] => [{ kind: 'large', calls: [{ op: 'write' }] }, ...steps])

const settings = {
  seed: fc.integer({ min: 1, max: 0x7fffffff }),
  segmentSize: fc.constantFrom(8 * 1024, 16 * 1024, 64 * 1024, 4 * 1024 * 1024),
  durability: fc.constantFrom('full' as const, 'full', 'full', 'os'),
  exchange: fc.boolean(),
  link: fc.boolean(),
  metadataSync: fc.boolean(),
  blockingSync: fc.boolean(),
  shortWrites: fc.boolean(),
}

/** In segments that are small enough for its file to be a large one. */
export const largeProgram: fc.Arbitrary<Program> = fc.record({
  ...settings,
  steps: largeSteps,
  segmentSize: fc.constantFrom(8 * 1024, 16 * 1024),
})

export const program: fc.Arbitrary<Program> = fc.oneof(
  { weight: 7, arbitrary: fc.record({ ...settings, steps: fc.array(step, { minLength: 1, maxLength: 6 }) }) },
  { weight: 1, arbitrary: largeProgram },
)

/** An operation that fails: the `at`-th of those kinds, with an error of the system, or all from that one on. */
export interface Fault {
  readonly at: number
  readonly code: string
  /** Null: of any. */
  readonly kinds: readonly OperationKind[] | null
  readonly persistent: boolean
}

export const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    at: fc.integer({ min: 1, max: 300 }),
    code: fc.constantFrom('EIO', 'ENOSPC', 'EACCES', 'EPERM', 'EROFS', 'EMFILE'),
    kinds: fc.constant(null),
    persistent: fc.boolean(),
  }),
  fc.record({
    at: fc.integer({ min: 1, max: 20 }),
    code: fc.constantFrom('EIO', 'ENOSPC', 'EACCES', 'EPERM', 'EROFS', 'EMFILE'),
    kinds: fc.constantFrom(...OPERATION_KINDS).map((kind) => [kind]),
    persistent: fc.boolean(),
  }),
)

/** A disk with some files of a person on it, as the program wants it. */
export function diskOf({ seed, exchange, link, metadataSync, blockingSync, shortWrites }: Program): SimDisk {
  const disk = SimDisk.create({
    seed,
    exchange,
    link,
    metadataSync,
    blockingSync,
    shortWrites: shortWrites ? 0.2 : 0,
    shortReads: shortWrites ? 0.2 : 0,
  })
  disk.mkdirp(`${ROOT}/d/e`)
  if (seed % 3 > 0) disk.writeFile(`${ROOT}/a`, 'a word of mine\n', 0o640)
  if (seed % 5 > 0) disk.writeFile(`${ROOT}/d/a`, 'word\r\n'.repeat(300), 0o755)
  if (seed % 7 === 0) disk.writeFile(`${ROOT}/d/e/f`, 'R'.repeat(LARGE + 1))
  disk.writeFile(`${ROOT}/mine`, 'not for the journal')
  return disk
}

function inLane(made: Call, lane: number): Call {
  const within = (path: string) => `lane${lane}/${path}`
  if (made.op === 'rename') return { ...made, path: within(made.path), to: within(made.to) }
  return { ...made, path: within(made.path) }
}

/** Does one step. What the journal refuses is part of the game; `reopen` is the caller's. False: a drop beside commits failed, and they are done. */
export async function take(journal: Journal, disk: SimDisk, step: Step): Promise<boolean | undefined> {
  switch (step.kind) {
    case 'commit':
      await commitCalls(journal, step.calls, 'tester', LARGE)
      return
    case 'abort': {
      const tx = journal.begin()
      for (const made of step.calls) await perform(tx, made, LARGE)
      await tx.abort()
      return
    }
    case 'together': {
      const done = await Promise.allSettled(
        step.lanes.map((lane, at) =>
          commitCalls(
            journal,
            lane.map((made) => inLane(made, at)),
            `lane ${at}`,
            LARGE,
          ),
        ),
      )
      for (const one of done) if (one.status === 'rejected') throw one.reason
      return
    }
    case 'undo':
    case 'redo': {
      const seq = journal.head.seq - step.back
      if (seq > 0) await (step.kind === 'undo' ? journal.undo(seq) : journal.redo(seq))
      return
    }
    case 'restore':
      await journal.restore({ to: Math.max(0, journal.head.seq - step.back) })
      return
    case 'purge':
      await journal.purge(step.path)
      return
    case 'lock':
      await journal.transact((tx) => perform(tx, step.call, LARGE))
      return
    case 'large':
      await journal.transact((tx) => changeLarge(tx, disk, step.calls))
      return
    case 'checkpoint':
      await journal.checkpoint()
      return
    case 'compact':
      await journal.compact()
      return
    case 'retain': {
      const [dropped, committed] = await Promise.allSettled([
        journal.compact({ keepTransactions: step.keep }),
        ...(step.calls.length === 0 ? [] : [commitCalls(journal, step.calls, 'beside', LARGE)]),
      ])
      // That it could not drop anything takes nothing back of what was committed beside it.
      if (committed?.status === 'rejected') throw committed.reason
      if (dropped.status === 'rejected' && (committed === undefined || !(dropped.reason instanceof JournalError)))
        throw dropped.reason
      return dropped.status === 'fulfilled'
    }
    case 'person':
      edit(disk, step.path, step.content)
      return
    case 'clock':
      disk.setTime(disk.now() + step.ms)
      return
    case 'reopen':
      return
  }
}

async function changeLarge(tx: Transaction, disk: SimDisk, calls: readonly LargeCall[]): Promise<void> {
  let text = Buffer.from(disk.leafAt(`${ROOT}/${BIG}`)?.content ?? []).toString()
  for (const made of calls) {
    if (made.op === 'write') {
      text = Array.from({ length: LINES }, (_, number) => `${line(number, 'x')}\n`).join('')
      await tx.write(BIG, text)
    } else if (made.op === 'append') {
      const added = 'y'.repeat(made.size - 1).concat('\n')
      text += added
      await tx.append(BIG, added)
    } else {
      const edits = made.lines.flatMap((number) => {
        const found = new RegExp(`^${number}:.*`, 'm').exec(text)
        return found === null ? [] : [{ oldText: found[0], newText: line(number, made.letter) }]
      })
      if (edits.length === 0) continue
      for (const { oldText, newText } of edits) text = text.replace(oldText, newText)
      await tx.edit(BIG, edits)
    }
  }
}

/** A person's edit; nothing when the path is no file, or its folder is not there. */
function edit(disk: SimDisk, path: string, content: string | null): void {
  const full = `${ROOT}/${path}`
  const folder = full.slice(0, full.lastIndexOf('/'))
  const tree = disk.tree(ROOT, ['.journal'])
  const there = tree.get(path)
  if (folder !== ROOT && tree.get(folder.slice(ROOT.length + 1))?.kind !== 'dir') return
  if (there !== undefined && there.kind !== 'file') return
  if (content !== null) disk.writeFile(full, content)
  else if (there !== undefined) disk.removeFile(full)
}
