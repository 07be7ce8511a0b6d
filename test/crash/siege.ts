import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Journal, OpenOptions, RecoveryReport } from '../../src/index.ts'
import type { Random } from '../sim/random.ts'
import { built } from './built.ts'
import { differences, Ledger, treeOf } from './ledger.ts'
import { type Told, Victim } from './victim.ts'

/** How a child is killed. `operation`: by itself, just before one of its file system operations. */
export type Death = 'opening' | 'anywhere' | 'materializing' | 'operation'
const DEATHS: readonly Death[] = [
  'opening',
  'anywhere',
  'anywhere',
  'materializing',
  'materializing',
  'operation',
  'operation',
  'operation',
]

/** How often children died, by how. */
export type Deaths = Record<string, number>

interface SiegeOptions {
  /** How every process opens the journal. */
  readonly open: Pick<OpenOptions, 'recover' | 'segmentSize' | 'durability' | 'legacy'>
  /** Small contents only. */
  readonly small: boolean
}

/** One workspace in which writers are killed again and again, and what is known of it. */
export class Siege {
  readonly root: string
  readonly #home: string
  readonly #random: Random
  readonly #options: SiegeOptions
  readonly ledger = new Ledger()
  readonly told: Told[] = []
  readonly deaths: Deaths = {}
  #children = 0

  constructor(random: Random, options: SiegeOptions) {
    this.#home = mkdtempSync(join(tmpdir(), 'wj-crash-'))
    this.root = `${this.#home}/workspace`
    mkdirSync(this.root)
    this.#random = random
    this.#options = options
  }

  /** A writer killed, recoveries killed, then a recovery that lives, and all checks. Returns what is wrong. */
  async round(): Promise<string[]> {
    const faults: string[] = []
    const told: Told[] = []
    told.push(...(await this.#killWriter()))
    while (this.#random.chance(0.35)) told.push(...(await this.#killRecovery()))
    this.told.push(...told)
    for (const line of told) if (line.kind === 'fault') faults.push(`a child failed: ${JSON.stringify(line)}`)
    faults.push(
      ...this.#conflicts(told.filter(({ kind }) => kind === 'open').map(({ recovery }) => recovery as RecoveryReport)),
    )
    const { openJournal } = await built()
    const first = await openJournal(this.root, this.#options.open)
    try {
      faults.push(...this.#conflicts([first.recovery]), ...(await this.#check(first)))
    } finally {
      await first.close()
    }
    const second = await openJournal(this.root, { ...this.#options.open, recover: 'manual' })
    const { replayed, reverted, discarded, conflicts, tornBytes } = second.recovery
    await second.close()
    if (replayed.length + reverted.length + discarded.length + conflicts.length + tornBytes > 0) {
      faults.push(`a second opening found something to do: ${JSON.stringify(second.recovery)}`)
    }
    faults.push(...differences(this.ledger.tree, treeOf(this.root)).map((line) => `after the second opening: ${line}`))
    return faults
  }

  /** Kept for a look when something was wrong. */
  raze(): void {
    rmSync(this.#home, { recursive: true, force: true })
  }

  async #check(journal: Journal): Promise<string[]> {
    const known = this.ledger.commits.length
    const faults = await this.ledger.read(journal)
    faults.push(...this.ledger.missing(this.told), ...differences(this.ledger.tree, treeOf(this.root)))
    for (const commit of this.ledger.commits.slice(known)) {
      // Nobody else writes here, so nothing can have been found or kept.
      if (commit.kind === 'recovery')
        faults.push(`${commit.tx} (${commit.seq}) kept what nobody wrote: ${commit.message}`)
    }
    const report = await journal.verify()
    if (!report.ok) faults.push(`verify: ${JSON.stringify(report.problems.slice(0, 5))}`)
    const staged = readdirSync(`${this.root}/.journal/staging`)
    if (staged.length > 0) faults.push(`staging holds ${staged.join(', ')}`)
    if (this.#random.chance(0.2)) faults.push(...(await this.#replay(journal)))
    return faults
  }

  async #replay(journal: Journal): Promise<string[]> {
    const to = `${this.#home}/replayed`
    await journal.replay({ to })
    const faults = differences(treeOf(to), treeOf(this.root)).map((line) => `replay: ${line}`)
    rmSync(to, { recursive: true })
    return faults
  }

  #conflicts(reports: readonly RecoveryReport[]): string[] {
    return reports
      .filter(({ conflicts }) => conflicts.length > 0)
      .map(
        ({ conflicts }) => `recovery reports conflicts where nobody edited: ${JSON.stringify(conflicts.slice(0, 5))}`,
      )
  }

  async #killWriter(): Promise<Told[]> {
    const random = this.#random
    const death = DEATHS[random.below(DEATHS.length)] as Death
    const seed = random.uint32()
    const dieAt = death === 'operation' ? 20 + random.below(random.chance(0.5) ? 3000 : 30_000) : undefined
    const victim = this.#child('writer.mjs', {
      seed,
      lanes: 1 + random.below(6),
      ...(dieAt === undefined ? {} : { dieAt }),
    })
    switch (death) {
      case 'opening':
        await victim.until(() => false, 1, 40 + random.below(160))
        break
      case 'anywhere':
        await victim.until(() => victim.has('ack'))
        await victim.until(() => false, 1, random.below(500))
        break
      case 'materializing':
        await victim.until(() => victim.has('ack'))
        await victim.until(() => false, 1, random.below(300))
        await this.#untilStaged(victim, random.below(4))
        break
      case 'operation':
        await victim.until(() => false, 5, 1500)
        break
    }
    return this.#bury(victim, death)
  }

  /** Until files wait in staging to be moved into the workspace, and then for `more` looks. */
  async #untilStaged(victim: Victim, more: number): Promise<void> {
    const staging = `${this.root}/.journal/staging`
    const end = Date.now() + 1000
    let looks = more
    while (victim.running && Date.now() < end) {
      if (existsSync(staging) && readdirSync(staging).some((name) => /^t[0-9a-z]{15}\.\d+$/.test(name)) && looks-- <= 0)
        return
      if (looks % 8 === 0) await new Promise(setImmediate)
    }
  }

  async #killRecovery(): Promise<Told[]> {
    const random = this.#random
    const counted = random.chance(0.6)
    const victim = this.#child('writer.mjs', { only: 'open', ...(counted ? { dieAt: 1 + random.below(400) } : {}) })
    await victim.until(() => false, 1, counted ? 10_000 : 60 + random.below(150))
    return this.#bury(victim, 'recovering')
  }

  async #bury(victim: Victim, death: string): Promise<Told[]> {
    victim.kill()
    const { signal } = await victim.ended
    const how = signal === 'SIGKILL' ? death : 'not killed'
    this.deaths[how] = (this.deaths[how] ?? 0) + 1
    return victim.told()
  }

  #child(script: string, order: Record<string, unknown>): Victim {
    this.#children += 1
    return new Victim(
      script,
      { root: this.root, ...this.#options, ...order },
      `${this.#home}/child-${this.#children}.jsonl`,
    )
  }
}

/** Runs sieges side by side until `rounds` writers have been killed; throws with the seed and all that was wrong. */
export async function besiege(
  seed: Random,
  rounds: number,
  options: { readonly recover?: 'replay' | 'revert'; readonly check?: (siege: Siege, before: number) => string[] } = {},
): Promise<Deaths> {
  const { recover, check } = options
  const deaths: Deaths = {}
  let left = rounds
  const lane = async (random: Random): Promise<void> => {
    while (left > 0) {
      const siege = new Siege(random, {
        open: {
          ...(recover === undefined ? {} : { recover }),
          ...(random.chance(0.5) ? { segmentSize: 8 * 1024 * 1024 } : {}),
          ...(random.chance(0.3) ? { durability: 'os' } : {}),
          ...(random.chance(0.2) ? { legacy: true } : {}),
        },
        small: random.chance(0.5),
      })
      for (let round = 0; round < 8 && left > 0; round += 1) {
        left -= 1
        const before = siege.ledger.commits.length
        const faults = await siege.round()
        faults.push(...(check?.(siege, before) ?? []))
        if (faults.length === 0) continue
        left = 0
        throw new Error(
          `seed ${seed.seed}, round ${round}, workspace kept at ${siege.root}:\n${faults.slice(0, 20).join('\n')}`,
        )
      }
      for (const [how, count] of Object.entries(siege.deaths)) deaths[how] = (deaths[how] ?? 0) + count
      siege.raze()
    }
  }
  await Promise.all([lane(seed.fork()), lane(seed.fork())])
  return deaths
}
