import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { built, SEED } from './built.ts'
// @ts-expect-error a script of the child processes
import { textAfter } from './scribbled.mjs'
import { Victim } from './victim.ts'

const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 1)
const FILE = { lines: 40, width: 32 * 1024 }

test(
  'whenever a process is killed while it writes in place, the file is what the history says, with every acknowledged change',
  async () => {
    console.log(`CRASH_SEED=${SEED}`)
    const { openJournal } = await built()
    const folder = mkdtempSync(`${tmpdir()}/write-journal-in-place-`)
    const root = `${folder}/workspace`
    let mixtures = 0
    try {
      mkdirSync(root)
      for (let round = 0; round < ROUNDS; round += 1) {
        const victim = new Victim(
          'scribbler.mjs',
          { root, seed: (SEED + round * 7919) >>> 0, ...FILE },
          `${folder}/told`,
        )
        expect(await victim.ended, `round ${round}`).toMatchObject({ signal: 'SIGKILL' })
        const acknowledged = victim.told().at(-1)?.seq ?? 0
        const journal = await openJournal(root, { recover: round % 2 === 1 ? 'revert' : 'replay' })
        expect(journal.recovery.conflicts, `round ${round}`).toEqual([])
        let count = 0
        const gone = new Set<string>()
        const preserved = mixtures
        mixtures = 0
        for await (const { kind, of, tx, entries } of journal.history()) {
          if (kind === 'revert') gone.add(of ?? '')
          if (kind === 'write' && !gone.has(tx)) count += 1
          if (entries.some(({ op }) => op === 'preserve')) mixtures += 1
        }
        expect(mixtures).toBeGreaterThanOrEqual(preserved)
        expect(count).toBeGreaterThan(acknowledged)
        expect(readFileSync(`${root}/big`, 'utf8') === textAfter(FILE, count), `round ${round}`).toBe(true)
        expect(await journal.verify({ workspace: true })).toMatchObject({ ok: true, changed: [] })
        await journal.close()
      }
      // In a few rounds the kill may never come between two writes.
      if (ROUNDS >= 6) expect(mixtures).toBeGreaterThan(0)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
  60_000 + ROUNDS * 30_000,
)
