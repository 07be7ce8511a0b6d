import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Dice, mutated } from './mutator.ts'
import { outcomeOf, TARGETS, type Target } from './targets.ts'

/** For hours: `FUZZ_SECONDS=3600 npm run proof:fuzz`. What finds something new is kept in `corpus/`. */
const SECONDS = Number(process.env.FUZZ_SECONDS ?? 0)
const SEED = Number(process.env.FUZZ_SEED ?? (process.env.CI === undefined ? Date.now() % 2 ** 31 : 20261121))
const ONLY = process.env.FUZZ_TARGET ?? ''
const CORPUS = `${import.meta.dirname}/corpus`
/** Milliseconds a target gets in a run that is not for hours. */
const SHORT_MS = 400
/** No input may take longer: the largest has some kilobytes. */
const SLOW_MS = 2000

function folderOf({ name }: Target): string {
  return `${CORPUS}/${name.replace(/[^a-z]+/gi, '-').toLowerCase()}`
}

function kept(target: Target): Buffer[] {
  const folder = folderOf(target)
  return fs.existsSync(folder) ? fs.readdirSync(folder).map((name) => fs.readFileSync(`${folder}/${name}`)) : []
}

function keep(target: Target, bytes: Uint8Array): string {
  const name = `${folderOf(target)}/${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`
  fs.mkdirSync(folderOf(target), { recursive: true })
  fs.writeFileSync(name, bytes)
  return name
}

async function fuzz(target: Target, ms: number): Promise<{ inputs: number; outcomes: number }> {
  const dice = new Dice(SEED)
  const pool = [...target.seeds, ...kept(target)]
  const outcomes = new Set<string | null>()
  const attempt = async (bytes: Buffer): Promise<string | null> => {
    const began = performance.now()
    const memory = process.memoryUsage.rss()
    try {
      const outcome = await outcomeOf(target, bytes)
      expect(performance.now() - began, 'it took too long').toBeLessThan(SLOW_MS)
      expect(process.memoryUsage.rss() - memory, 'it took too much memory').toBeLessThan(256 * 1024 * 1024)
      return outcome
    } catch (error) {
      const name = keep(target, bytes)
      throw new Error(`FUZZ_SEED=${SEED}, target ${target.name}, input kept in ${name}`, { cause: error })
    }
  }
  for (const bytes of pool) outcomes.add(await attempt(Buffer.from(bytes)))
  let inputs = pool.length
  for (const until = performance.now() + ms; performance.now() < until; inputs += 1) {
    const bytes = mutated(dice, dice.of(pool), dice.of(pool))
    if (bytes.length > 64 * 1024) continue
    const outcome = await attempt(bytes)
    if (outcomes.has(outcome)) continue
    outcomes.add(outcome)
    pool.push(bytes)
    if (SECONDS > 0) keep(target, bytes)
  }
  return { inputs, outcomes: outcomes.size }
}

describe(`whatever bytes are read, the answer is typed, quick and small (seed ${SEED})`, () => {
  const targets = TARGETS.filter(({ name }) => name.includes(ONLY))
  const ms = SECONDS > 0 ? (SECONDS * 1000) / targets.length : SHORT_MS
  it.each(targets)('$name', { timeout: ms * 3 + 60_000 }, async (target) => {
    const { inputs, outcomes } = await fuzz(target, ms)
    if (SECONDS > 0) {
      console.log(
        `${target.name}: ${inputs} inputs, ${Math.round((inputs * 1000) / ms)} a second, ${outcomes} outcomes`,
      )
    }
    expect(inputs).toBeGreaterThan(target.seeds.length)
  })
})
