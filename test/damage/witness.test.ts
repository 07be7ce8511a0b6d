import { expect, test } from 'vitest'
import { type IndexDatabase, openMemory } from '../../src/history/index-database.ts'
import type { Durability } from '../../src/log/log-writer.ts'
import { collect, openOn, ROOT } from '../journal/fixture.ts'
import { Random } from '../sim/random.ts'
import { SimDisk } from '../sim/sim-disk.ts'
import { SEED } from './trial.ts'

const RUNS = Number(process.env.WITNESS_RUNS ?? 15)

/** The index as it was at some moment, on a disk that lost nothing of it. */
async function copyOf(database: IndexDatabase): Promise<() => Promise<IndexDatabase>> {
  const copy = await openMemory()
  for (const [key, value] of await database.iterator().all()) await copy.put(key, value)
  return async () => {
    await copy.open()
    return copy
  }
}

/**
 * The worst that a power cut can do to a witness: all of the index survives, with what nobody had synced, and the log loses what it may. Then
 * nothing that had been promised is missing, so nothing may be called corrupt.
 */
test.each<Durability>(['os', 'full'])(
  'an index that outlives the end of the log raises no false alarm (%s)',
  async (durability) => {
    const random = new Random(SEED)
    for (let run = 0; run < RUNS; run += 1) {
      const disk = SimDisk.create({ seed: random.uint32() })
      disk.mkdirp(ROOT)
      const database = await openMemory()
      const openDatabase = async () => {
        await database.open()
        return database
      }
      const journal = await openOn(disk, { openDatabase, durability, segmentSize: 8192 })
      const count = 1 + random.below(12)
      for (let n = 0; n < count; n += 1) {
        await journal.write(`${random.below(4)}.txt`, `${n} `.repeat(random.below(400)))
        if (random.chance(0.3)) await collect(journal.history())
        if (random.chance(0.1)) await journal.checkpoint()
      }
      const reader = await openOn(disk, { readOnly: true, openDatabase })
      expect((await collect(reader.history())).length).toBe(count)
      const left = disk.crash('any', { seed: random.uint32() })
      const survived = await copyOf(database)
      const what = `DAMAGE_SEED=${SEED}, run ${run}`
      const looking = await openOn(left.crash('process'), { readOnly: true, openDatabase: survived })
      await collect(looking.history())
      expect((await looking.verify()).problems, what).toEqual([])
      await looking.close()
      const again = await openOn(left, { openDatabase: survived, segmentSize: 8192 })
      await again.write('again.txt', 'again')
      expect((await again.verify()).problems, what).toEqual([])
      await again.close()
      await reader.close()
      await journal.close()
    }
  },
  120_000,
)
