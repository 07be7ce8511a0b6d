import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { built } from './built.ts'
import { Victim } from './victim.ts'

const TRANSACTIONS = 2000

test.skipIf(process.platform !== 'linux')(
  'thousands of transactions in one process hold no descriptor, temporary file or memory',
  async () => {
    await built()
    const home = mkdtempSync(join(tmpdir(), 'wj-leak-'))
    mkdirSync(`${home}/workspace`)
    const victim = new Victim(
      'many.mjs',
      { root: `${home}/workspace`, transactions: TRANSACTIONS },
      `${home}/told.jsonl`,
      ['--expose-gc'],
    )
    const { code } = await victim.ended
    const told = victim.told()
    expect(code, JSON.stringify(told.at(-1))).toBe(0)
    const measured = told.filter(({ kind }) => kind === 'measured') as unknown as Measurement[]
    const [first, warm] = [measured[0] as Measurement, measured[2] as Measurement]
    for (const now of measured.slice(2)) {
      // A database table, a log segment or a checkpoint in the background may hold a few for a while.
      expect(now.descriptors).toBeLessThanOrEqual(warm.descriptors + 4)
      expect(now.staged).toBeLessThanOrEqual(first.staged)
      expect(now.heap - warm.heap).toBeLessThan(12 * 1024 * 1024)
      expect(now.resident - warm.resident).toBeLessThan(48 * 1024 * 1024)
    }
    expect(told.at(-1)?.descriptors).toBeLessThanOrEqual(first.descriptors)
    rmSync(home, { recursive: true })
  },
  120_000,
)

interface Measurement {
  readonly done: number
  readonly descriptors: number
  readonly staged: number
  /** Bytes. */
  readonly heap: number
  readonly resident: number
}
