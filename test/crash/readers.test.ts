import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Random } from '../sim/random.ts'
import { built, SEED } from './built.ts'
import { Victim } from './victim.ts'

const ROUNDS = Math.ceil(Number(process.env.CRASH_ROUNDS ?? 20) / 10)

test(
  'processes that read beside a writer, killed writers included, never fail, never read wrong, never go back',
  async () => {
    console.log(`CRASH_SEED=${SEED}`)
    const random = new Random(SEED)
    const { openJournal } = await built()
    const home = mkdtempSync(join(tmpdir(), 'wj-readers-'))
    const root = `${home}/workspace`
    mkdirSync(root)
    await (await openJournal(root)).close()
    const readers = [1, 2].map(
      (number) => new Victim('reader.mjs', { root, seed: random.uint32() }, `${home}/reader-${number}.jsonl`),
    )
    const faults: unknown[] = []
    let acknowledged = 0
    for (let round = 0; round < ROUNDS; round += 1) {
      const order = {
        root,
        seed: random.uint32(),
        lanes: 3,
        small: random.chance(0.6),
        open: { segmentSize: 4 * 1024 * 1024 },
      }
      const writer = new Victim('writer.mjs', order, `${home}/writer-${round}.jsonl`)
      await writer.until(() => writer.has('ack'))
      await writer.until(() => false, 50, 1500 + random.below(2000))
      writer.kill()
      await writer.ended
      const told = writer.told()
      acknowledged += told.filter(({ kind }) => kind === 'ack').length
      faults.push(...told.filter(({ kind }) => kind === 'fault'))
    }
    let looks = 0
    for (const reader of readers) {
      reader.kill()
      const { signal } = await reader.ended
      const told = reader.told()
      looks += told.filter(({ kind }) => kind === 'looked').length
      faults.push(...told.filter(({ kind }) => kind === 'fault'))
      expect(signal).toBe('SIGKILL')
    }
    console.log(`${acknowledged} transactions, ${looks} looks`)
    expect(faults, `seed ${SEED}, workspace kept at ${root}`).toEqual([])
    expect(looks).toBeGreaterThan(2 * ROUNDS)
    rmSync(home, { recursive: true })
  },
  60_000 + ROUNDS * 10_000,
)
