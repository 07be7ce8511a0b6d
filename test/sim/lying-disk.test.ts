import fc from 'fast-check'
import { expect, it } from 'vitest'
import { JournalError, openJournal } from '../../src/index.ts'
import { momentOf, unexpected } from './aftermath.ts'
import { diskOf, type Program, program, ROOT } from './program.ts'
import { rehearse, type Span } from './rehearsal.ts'
import type { SimDisk } from './sim-disk.ts'

const RUNS = Number(process.env.LYING_RUNS ?? 120)

/** What the disk does to one write, or to one byte at rest; `at` and `by` choose which. */
interface Lie {
  readonly kind: 'lost' | 'misdirected' | 'rotten'
  readonly at: number
  readonly by: number
}

const lie: fc.Arbitrary<Lie> = fc.record({
  kind: fc.constantFrom('lost', 'misdirected', 'rotten'),
  at: fc.nat(1 << 20),
  by: fc.nat(1 << 20),
})

/** Two fit into a page: where a write goes that missed its place. */
const ELSEWHERE = 512

const isKept = (path: string) => /\/\.journal\/(log|blobs|staging)\//.test(path)

/** Files of the history. */
function historyOf(disk: SimDisk): { path: string; size: number }[] {
  return [...disk.tree(`${ROOT}/.journal`)].flatMap(([name, node]) =>
    node.kind === 'file' && /^(log|blobs)\//.test(name)
      ? [{ path: `${ROOT}/.journal/${name}`, size: node.content.length }]
      : [],
  )
}

/** Runs the program on a disk that lies once, closes, opens again, and says what the journal says, and what is wrong in spite of it. */
async function live(one: Program, { kind, at, by }: Lie): Promise<{ said: string; wrong: string[] }> {
  const count = { writes: 0 }
  const trial = diskOf(one)
  trial.astray = (path, position) => {
    if (isKept(path)) count.writes += 1
    return position
  }
  await rehearse(one, trial, () => undefined)
  const disk = diskOf(one)
  let left = kind === 'rotten' ? Number.POSITIVE_INFINITY : at % Math.max(1, count.writes)
  disk.astray = (path, position) => {
    if (!isKept(path)) return position
    left -= 1
    if (left !== -1) return position
    return kind === 'lost' ? null : position + ELSEWHERE * (1 + (by % 8))
  }
  let span: Span | null = null
  try {
    await rehearse(one, disk, (begun) => {
      span = begun
    })
  } catch (error) {
    if (error instanceof JournalError) return { said: error.code, wrong: [] }
    throw error
  }
  const files = historyOf(disk).filter(({ size }) => size > 0)
  const file = files[by % Math.max(1, files.length)]
  if (kind === 'rotten' && file !== undefined) disk.rot(file.path, at % file.size, 1 << (by % 8))
  try {
    const journal = await openJournal(ROOT, { disk, segmentSize: one.segmentSize })
    const { conflicts, tornBytes } = journal.recovery
    const { problems, changed = [] } = await journal.verify({ workspace: true })
    await journal.close()
    if (conflicts.length + tornBytes + problems.length + changed.length > 0) return { said: 'reported', wrong: [] }
    return { said: 'nothing', wrong: span === null ? [] : unexpected(disk, momentOf(span)) }
  } catch (error) {
    if (error instanceof JournalError) return { said: error.code, wrong: [] }
    throw error
  }
}

it('a write that is lost or goes elsewhere, and a byte that rots, are said, or make no difference', async () => {
  const told = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(program, lie, async (one, what) => {
      const { said, wrong } = await live({ ...one, durability: 'full' }, what)
      told.set(said, (told.get(said) ?? 0) + 1)
      expect(wrong).toEqual([])
    }),
    { numRuns: RUNS },
  )
  console.log(Object.fromEntries(told))
}, 600_000)
