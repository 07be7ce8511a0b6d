import fc from 'fast-check'
import { expect } from 'vitest'
import { openJournal } from '../../src/index.ts'
import { Random } from './random.ts'
import { randomBytes, randomOperation } from './random-transactions.ts'
import { SimDisk } from './sim-disk.ts'
import { differences, type Tree } from './tree.ts'

const ROOT = '/w'
type Model = 'process' | 'ordered' | 'any'

export interface Scenario {
  readonly seed: number
  readonly model: Model
  /** Number of the changing disk operation at which everything stops. */
  readonly crash: number
  /** The same within each recovery. A process that is killed in one may be followed by a power cut in the next. */
  readonly again: readonly { readonly crash: number; readonly model: Model }[]
  readonly transactions: number
  readonly exchange: boolean
  readonly link: boolean
  readonly metadataSync: boolean
  readonly blockingSync: boolean
}

const model = fc.constantFrom<Model>('process', 'ordered', 'any')

/** A list of random transactions, one crash among them, and crashes of the recoveries after it. */
export const scenario: fc.Arbitrary<Scenario> = fc.record({
  seed: fc.integer({ min: 1, max: 0x7fffffff }),
  model,
  crash: fc.integer({ min: 1, max: 260 }),
  again: fc.array(fc.record({ crash: fc.integer({ min: 1, max: 60 }), model }), { maxLength: 2 }),
  transactions: fc.integer({ min: 1, max: 6 }),
  exchange: fc.boolean(),
  link: fc.boolean(),
  metadataSync: fc.boolean(),
  blockingSync: fc.boolean(),
})

function newDisk({ seed, exchange, link, metadataSync, blockingSync }: Scenario): SimDisk {
  const disk = SimDisk.create({ seed, exchange, link, metadataSync, blockingSync })
  const random = new Random(seed)
  disk.mkdirp(`${ROOT}/d/e`)
  for (const path of ['a', 'd/a', 'd/e/a'])
    if (random.chance(0.7)) disk.writeFile(`${ROOT}/${path}`, randomBytes(random, { large: 0.02 }))
  disk.writeFile(`${ROOT}/mine`, 'not for the journal')
  return disk
}

const tree = (disk: SimDisk): Tree => disk.tree(ROOT, ['.journal'])

/** Runs the scenario's transactions one after the other; notes the tree after each. Ends early when the disk stops. */
async function run(disk: SimDisk, { seed, transactions }: Scenario): Promise<Tree[]> {
  const random = new Random(seed + 1)
  const trees = [tree(disk)]
  const journal = await openJournal(ROOT, { disk, segmentSize: 64 * 1024 + 3 * 1024 * 1024 })
  for (let count = 0; count < transactions; count += 1) {
    const work = random.fork()
    await journal.transact(async (tx) => {
      for (let left = 1 + work.below(8); left > 0; left -= 1) await randomOperation(tx, work, { large: 0.01 })
    })
    trees.push(tree(disk))
    if (random.chance(0.2)) await journal.checkpoint()
  }
  await journal.close()
  return trees
}

async function countAcknowledged(disk: SimDisk, one: Scenario, trees: { acknowledged: number }): Promise<void> {
  const random = new Random(one.seed + 1)
  const journal = await openJournal(ROOT, { disk, segmentSize: 64 * 1024 + 3 * 1024 * 1024 })
  for (let count = 0; count < one.transactions; count += 1) {
    const work = random.fork()
    await journal.transact(async (tx) => {
      for (let left = 1 + work.below(8); left > 0; left -= 1) await randomOperation(tx, work, { large: 0.01 })
    })
    trees.acknowledged += 1
    if (random.chance(0.2)) await journal.checkpoint()
  }
  await journal.close()
}

/**
 * Invariant 3: after the crashes and a recovery the tree is that of a prefix of the transactions, with every acknowledged one.
 * `tamper`: does something to every disk that may crash.
 */
export async function check(one: Scenario, tamper: (disk: SimDisk) => void = () => undefined): Promise<void> {
  const trees = await run(newDisk(one), one)
  let disk = newDisk(one)
  tamper(disk)
  const progress = { acknowledged: 0 }
  disk.faults.crashAtChange(one.crash)
  await countAcknowledged(disk, one, progress).catch((error: unknown) => {
    if (!disk.faults.crashed) throw error
  })
  disk = disk.crash(one.model, { seed: one.seed })
  for (const [index, again] of one.again.entries()) {
    tamper(disk)
    disk.faults.crashAtChange(again.crash)
    try {
      await (await openJournal(ROOT, { disk })).close()
    } catch (error) {
      if (!disk.faults.crashed) throw error
    }
    disk = disk.crash(again.model, { seed: one.seed + index })
  }
  if (process.env.SIM_CASE !== undefined) console.log('before recovery', brief(tree(disk)))
  const journal = await openJournal(ROOT, { disk })
  if (process.env.SIM_CASE !== undefined) {
    console.log(trees.map(brief))
    for await (const commit of journal.history()) console.dir(commit, { depth: 5 })
    console.log(journal.recovery, 'after', brief(tree(disk)))
  }
  expect(journal.recovery.conflicts).toEqual([])
  const found = tree(disk)
  let committed = 0
  for await (const { kind } of journal.history()) if (kind === 'write') committed += 1
  expect([progress.acknowledged, progress.acknowledged + 1]).toContain(committed)
  expect(differences(trees[committed] ?? new Map(), found)).toEqual([])
  expect(disk.readDirectory(`${ROOT}/.journal/staging`)).toEqual([])
  const verified = await journal.verify({ workspace: true })
  expect(verified.problems).toEqual([])
  expect(verified.changed).toEqual([])
  await journal.close()
}

function brief(trees: Tree): string[] {
  return [...trees].map(([path, node]) => `${path}: ${JSON.stringify(node).slice(0, 90)}`)
}
