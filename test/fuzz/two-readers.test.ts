import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { JournalError, openJournal } from '../../src/index.ts'
import { Dice, mutated, repaired } from './mutator.ts'

/** `READERS_RUNS=1000` for more. */
const RUNS = Number(process.env.READERS_RUNS ?? 6)
const SEED = Number(process.env.FUZZ_SEED ?? (process.env.CI === undefined ? Date.now() % 2 ** 31 : 20261121))
const GOLDEN = path.resolve(import.meta.dirname, '../golden')
const python = ['python3', 'python'].find((name) => spawnSync(name, ['--version']).status === 0)

/** The chain value at the end; null when something is wrong. */
function theirs(journal: string): string | null {
  const run = spawnSync(python as string, [`${GOLDEN}/reader.py`, journal, '--json'], { encoding: 'utf8' })
  return run.status === 0 ? (JSON.parse(run.stdout) as { chain: string }).chain : null
}

async function ours(root: string): Promise<string | null> {
  try {
    const journal = await openJournal(root, { readOnly: true })
    try {
      const { ok } = await journal.verify()
      return ok ? (await journal.anchor()).chain : null
    } finally {
      await journal.close()
    }
  } catch (error) {
    expect(error, String((error as Error).stack)).toBeInstanceOf(JournalError)
    return null
  }
}

it.skipIf(python === undefined)(
  `a damaged journal is read alike by the reader that was written from the format alone (seed ${SEED})`,
  async () => {
    const dice = new Dice(SEED)
    const unlike: string[] = []
    for (let run = 0; run < RUNS; run += 1) {
      const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'two-readers-')))
      fs.cpSync(`${GOLDEN}/v1/journal`, `${root}/.journal`, { recursive: true })
      const names = fs.readdirSync(`${root}/.journal/log`)
      const name = dice.of(names)
      const bytes = fs.readFileSync(`${root}/.journal/log/${name}`)
      const changed = mutated(dice, bytes, bytes)
      fs.writeFileSync(`${root}/.journal/log/${name}`, dice.below(4) === 0 ? changed : repaired(changed))
      const [there, here] = [theirs(`${root}/.journal`), await ours(root)]
      if (there !== here) unlike.push(`run ${run}, ${name}: reader.py ${there}, the library ${here}`)
      fs.rmSync(root, { recursive: true })
    }
    expect(unlike).toEqual([])
  },
  RUNS * 10_000,
)
