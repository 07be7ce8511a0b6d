import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { type Journal, JournalError } from '../../src/index.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { differences, type Tree } from '../sim/tree.ts'
import { collect, newDisk, openOn, ROOT, staged, workspace } from './fixture.ts'
import { call, commitCalls, PATHS, perform, transactions } from './operations.ts'

vi.setConfig({ testTimeout: 120_000 })

const RUNS = Number(process.env.PROPERTY_RUNS ?? 40)
const parameters = { numRuns: RUNS, interruptAfterTimeLimit: RUNS * 100 } as const

function newWorkspace(some: boolean, superuser = false): SimDisk {
  const disk = newDisk({ superuser })
  if (!some) return disk
  disk.mkdirp(`${ROOT}/d/e`)
  disk.writeFile(`${ROOT}/a`, 'a word of mine\n', 0o640)
  disk.writeFile(`${ROOT}/d/a`, 'word\r\nword\r\n', 0o755)
  disk.writeFile(`${ROOT}/d/e/f`, 'R'.repeat(1024 * 1024 + 5))
  disk.writeFile(`${ROOT}/untouched`, 'not for the journal')
  return disk
}

async function end(journal: Journal, disk: SimDisk): Promise<void> {
  const report = await journal.verify({ workspace: true })
  expect(report.problems).toEqual([])
  await journal.close()
  expect(await staged(disk)).toEqual([])
  expect(disk.openHandles).toEqual([])
}

function same(expected: Tree, found: Tree): void {
  expect(differences(expected, found)).toEqual([])
}

describe('undo is the inverse', () => {
  it('of all transactions, the last first', () =>
    fc.assert(
      fc.asyncProperty(transactions, fc.boolean(), fc.boolean(), async (batches, some, superuser) => {
        const disk = newWorkspace(some, superuser)
        const journal = await openOn(disk)
        const steps: { tx: string; before: Tree; after: Tree }[] = []
        for (const calls of batches) {
          const before = workspace(disk)
          const tx = await commitCalls(journal, calls)
          if (tx !== null) steps.push({ tx, before, after: workspace(disk) })
        }
        const undone: typeof steps = []
        for (const step of steps.reverse()) {
          const left = await undo(journal, step.tx)
          same(step.before, workspace(disk))
          if (left) undone.push(step)
        }
        for (const step of undone.reverse()) {
          await journal.redo(step.tx)
          same(step.after, workspace(disk))
        }
        await end(journal, disk)
      }),
      parameters,
    ))

  it('of any transaction where nothing was built on it, and refused as a whole where something was', () =>
    fc.assert(
      fc.asyncProperty(transactions, fc.array(fc.nat(), { maxLength: 8 }), async (batches, picks) => {
        const disk = newWorkspace(true)
        const journal = await openOn(disk)
        const ids: string[] = []
        for (const calls of batches) {
          const tx = await commitCalls(journal, calls)
          if (tx !== null) ids.push(tx)
        }
        for (const pick of picks) {
          const tx = ids[pick % Math.max(1, ids.length)]
          if (tx === undefined) continue
          const before = workspace(disk)
          const { seq } = journal.head
          try {
            await journal.undo(tx)
          } catch (error) {
            expect(error).toBeInstanceOf(JournalError)
            expect(['CONFLICT', 'INVALID', 'EXISTS', 'NOT_FOUND']).toContain((error as JournalError).code)
            same(before, workspace(disk))
            expect(journal.head.seq).toBe(seq)
            continue
          }
          const after = workspace(disk)
          await journal.redo(tx)
          // Folders that hold what is not of this transaction stay, so only files and links are compared.
          same(leaves(before), leaves(workspace(disk)))
          await journal.undo(tx)
          same(leaves(after), leaves(workspace(disk)))
        }
        await end(journal, disk)
      }),
      parameters,
    ))
})

/** False when the transaction had changed nothing. */
async function undo(journal: Journal, tx: string): Promise<boolean> {
  try {
    await journal.undo(tx)
    return true
  } catch (error) {
    if (error instanceof JournalError && error.code === 'INVALID' && error.message.includes('left every path'))
      return false
    throw error
  }
}

function leaves(tree: Tree): Tree {
  return new Map([...tree].filter(([, { kind }]) => kind !== 'dir'))
}

describe('the log says all', () => {
  it('a replay equals the tree, at every point', () =>
    fc.assert(
      fc.asyncProperty(transactions, async (batches) => {
        const disk = newWorkspace(false)
        const journal = await openOn(disk)
        const trees: Tree[] = [workspace(disk)]
        for (const calls of batches) if ((await commitCalls(journal, calls)) !== null) trees.push(workspace(disk))
        for (const [seq, tree] of trees.entries()) {
          if (seq === 0) continue
          await journal.replay({ to: `/out${seq}`, at: seq })
          same(tree, disk.tree(`/out${seq}`))
        }
        await end(journal, disk)
      }),
      parameters,
    ))

  it('a restore to any point brings the tree back', () =>
    fc.assert(
      fc.asyncProperty(transactions, fc.nat(), async (batches, pick) => {
        const disk = newWorkspace(true)
        const journal = await openOn(disk)
        const trees: Tree[] = [workspace(disk)]
        for (const calls of batches) if ((await commitCalls(journal, calls)) !== null) trees.push(workspace(disk))
        const seq = pick % trees.length
        const planned = await journal.restore({ to: seq, dryRun: true })
        same(trees.at(-1) as Tree, workspace(disk))
        const done = await journal.restore({ to: seq })
        same(trees[seq] as Tree, workspace(disk))
        expect(done.changes.map(({ path }) => path)).toEqual(planned.changes.map(({ path }) => path))
        await end(journal, disk)
      }),
      parameters,
    ))

  it('the index equals a rebuild', () =>
    fc.assert(
      fc.asyncProperty(transactions, async (batches) => {
        const disk = newWorkspace(true)
        const journal = await openOn(disk)
        for (const [i, calls] of batches.entries()) {
          await commitCalls(journal, calls, `actor ${i % 2}`)
          // Asked in between, so that the index grows step by step.
          if (i % 2 === 0) await collect(journal.history({}))
        }
        const grown = await answers(journal)
        const reader = await openOn(disk, { readOnly: true })
        expect(await answers(reader)).toEqual(grown)
        await reader.close()
        await journal.close()
        const again = await openOn(disk)
        expect(await answers(again)).toEqual(grown)
        await end(again, disk)
      }),
      parameters,
    ))
})

/** Everything that the index is asked for. */
async function answers(journal: Journal): Promise<unknown> {
  const all = await collect(journal.history({}))
  const states: unknown[] = []
  for (const path of PATHS) {
    for (const { seq } of all) states.push([path, seq, await journal.stateAt(path, seq)])
    states.push(await collect(journal.history({ path })))
  }
  const shown = await Promise.all(all.map(({ tx }) => journal.show(tx)))
  const byActor = [
    await collect(journal.history({ actor: 'actor 0' })),
    await collect(journal.history({ actor: 'actor 1' })),
  ]
  const { seq, chain, time, tracked, changed } = await journal.status()
  return { all, states, shown, byActor, status: { seq, chain, time, tracked, changed } }
}

describe('a transaction', () => {
  it('reads its own writes', () =>
    fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 12 }), async (calls) => {
        const disk = newWorkspace(true)
        const journal = await openOn(disk)
        const before = workspace(disk)
        const tx = journal.begin()
        for (const made of calls) await perform(tx, made)
        const seen = new Map<string, string>()
        for (const path of PATHS) {
          const content = await tx.read(path).then(
            (bytes) => Buffer.from(bytes).toString('latin1'),
            (error: JournalError) => error.code,
          )
          seen.set(path, content)
        }
        same(before, workspace(disk))
        await tx.commit()
        for (const [path, content] of seen) {
          let found: string
          try {
            const stat = disk.lstat(disk.realPath(`${ROOT}/${path}`))
            found = stat?.kind === 'file' ? Buffer.from(disk.readFile(`${ROOT}/${path}`)).toString('latin1') : 'INVALID'
          } catch (error) {
            const { code } = error as { code: string }
            found = code === 'ENOENT' ? 'NOT_FOUND' : 'INVALID'
          }
          // A link to itself, to nothing, or below a file is refused in more than one way.
          if (['INVALID', 'NOT_FOUND'].includes(found))
            expect(['INVALID', 'NOT_FOUND', 'PATH_OUTSIDE']).toContain(content)
          else expect(content).toBe(found)
        }
        await end(journal, disk)
      }),
      parameters,
    ))

  it('that is aborted leaves nothing', () =>
    fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 8 }), async (calls) => {
        const disk = newWorkspace(true)
        const journal = await openOn(disk)
        const before = workspace(disk)
        const tx = journal.begin()
        for (const made of calls) await perform(tx, made)
        await tx.abort()
        same(before, workspace(disk))
        expect(await staged(disk)).toEqual([])
        expect(journal.head.seq).toBe(0)
        await end(journal, disk)
      }),
      parameters,
    ))

  it('coalesces: n edits of a file are n entries and one file', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30 }), fc.boolean(), async (count, fresh) => {
        const disk = newDisk()
        if (!fresh) disk.writeFile(`${ROOT}/a`, 'start;')
        const journal = await openOn(disk)
        await journal.write('warm', 'up')
        const tx = journal.begin()
        if (fresh) await tx.write('a', 'start;')
        for (let i = 0; i < count; i += 1) {
          if (i % 2 === 0) await tx.append('a', `${i};`)
          else await tx.edit('a', [{ oldText: `${i - 1};`, newText: `${i - 1},${i};` }])
        }
        disk.faults.trace = []
        const receipt = await tx.commit()
        const trace = disk.faults.trace
        disk.faults.trace = null
        const placed = trace.filter(({ kind }) => ['exchange', 'link', 'rename'].includes(kind))
        expect(placed).toHaveLength(1)
        expect(trace.filter(({ kind }) => kind === 'create')).toHaveLength(1)
        expect((await journal.show(receipt.tx)).entries).toHaveLength(count + (fresh ? 1 : 0))
        expect(receipt.files).toHaveLength(1)
        await end(journal, disk)
      }),
      { ...parameters, numRuns: 20 },
    ))
})

describe('legacy mode', () => {
  it('gives the same trees and the same entries', () =>
    fc.assert(
      fc.asyncProperty(transactions, fc.boolean(), fc.boolean(), async (batches, some, superuser) => {
        const outcomes: unknown[] = []
        const trees: Tree[] = []
        for (const legacy of [false, true]) {
          const disk = newWorkspace(some, superuser)
          const journal = await openOn(disk, { legacy })
          for (const calls of batches) await commitCalls(journal, calls)
          trees.push(workspace(disk))
          const all = await collect(journal.history({}))
          outcomes.push(all.map(({ seq, kind, entries, done }) => ({ seq, kind, entries, done })))
          await end(journal, disk)
        }
        expect(outcomes[1]).toEqual(outcomes[0])
        same(trees[0] as Tree, trees[1] as Tree)
      }),
      parameters,
    ))

  it('is turned on by the environment', async () => {
    const disk = newDisk()
    disk.writeFile(`${ROOT}/a`, 'x')
    process.env.WRITE_JOURNAL_LEGACY = '1'
    try {
      const journal = await openOn(disk)
      disk.faults.trace = []
      await journal.write('a', 'y')
      expect(disk.faults.trace.some(({ kind }) => kind === 'exchange')).toBe(false)
      await journal.close()
    } finally {
      delete process.env.WRITE_JOURNAL_LEGACY
    }
  })
})

describe('concurrent transactions', () => {
  it('equal some serial order', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(call, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 5 }),
        async (batches) => {
          const disk = newWorkspace(true)
          const journal = await openOn(disk)
          await Promise.allSettled(
            batches.map(async (calls) => {
              const tx = journal.begin()
              for (const made of calls) await perform(tx, made)
              await tx.commit()
            }),
          )
          // The history is that order: carried out alone, one after the other, it gives the same tree.
          const tree = workspace(disk)
          const { seq } = journal.head
          if (seq > 0) {
            await journal.restore({ to: 0 })
            same(workspace(newWorkspace(true)), workspace(disk))
            await journal.restore({ to: seq })
            same(tree, workspace(disk))
          }
          await end(journal, disk)
        },
      ),
      parameters,
    ))
})
