import { lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Journal, RecoveryReport } from '../../src/index.ts'
import { built } from '../crash/built.ts'
import { differences, Ledger, treeOf } from '../crash/ledger.ts'
import { type Told, Victim } from '../crash/victim.ts'
import type { Random } from '../sim/random.ts'
import { home, raze } from './cleaning.ts'
import { type FileSystem, Image } from './image.ts'
import { compileShim, ShimPage } from './shim.ts'

/** A child that still runs after this is killed from here, wherever it is. */
const PATIENCE_MS = 5000

/** What happened in a number of rounds. */
export interface Toll {
  kills: number
  /** Of children that recovered. */
  recoveryKills: number
  cuts: number
  acknowledged: number
  /** Transactions that a recovery had to finish. */
  replayed: number
  /** Ends of the log that were torn. */
  torn: number
  /** Files that were torn, and found so. */
  kept: number
}

/** A number from 1 to `most`; small ones are as likely as large ones. */
function anyOf(random: Random, most: number): number {
  return Math.max(1, Math.floor(most ** random.unit()))
}

/**
 * One workspace on a file system of its own, in which real processes are killed at a counted call and the power is cut,
 * again and again. What the processes began and acknowledged is written elsewhere.
 */
export class Outage {
  readonly home = home()
  readonly toll: Toll = { kills: 0, recoveryKills: 0, cuts: 0, acknowledged: 0, replayed: 0, torn: 0, kept: 0 }
  readonly #random: Random
  readonly #page: ShimPage
  readonly #ledger = new Ledger()
  readonly #told: Told[] = []
  readonly #steps: string[] = []
  #image: Image
  #children = 0

  constructor(random: Random, fileSystem: FileSystem) {
    this.#random = random
    this.#image = Image.make(this.home, fileSystem)
    this.#page = new ShimPage(compileShim(this.home), `${this.home}/shim`, this.root)
    this.#restart()
    mkdirSync(this.root)
    // The folder itself is there since long ago.
    this.#image.writeBack(this.#image.point)
  }

  get root(): string {
    return `${this.#image.point}/workspace`
  }

  /** What was done in the last round, for the report of a fault. */
  get steps(): string {
    return this.#steps.join('\n')
  }

  raze(): void {
    raze(this.home)
  }

  /** A writer killed, the power cut, recoveries killed, then one that lives, and all checks. Returns what is wrong. */
  async round(): Promise<string[]> {
    const random = this.#random
    this.#steps.length = 0
    const reports: RecoveryReport[] = []
    const told: Told[] = []
    const keep = (lines: readonly Told[]): void => {
      told.push(...lines)
      for (const { kind, recovery } of lines) if (kind === 'open') reports.push(recovery as RecoveryReport)
    }
    keep(await this.#killed(this.#writer(), random.chance(0.5) ? anyOf(random, 4000) : 1 + random.below(4000)))
    this.toll.kills += 1
    this.toll.acknowledged += told.filter(({ kind }) => kind === 'ack').length
    this.#writeBackSome()
    if (random.chance(0.9)) this.#cutPower()
    while (random.chance(0.5)) {
      keep(await this.#killed({ only: 'open' }, anyOf(random, 400)))
      this.toll.recoveryKills += 1
      this.#writeBackSome()
      if (random.chance(0.6)) this.#cutPower()
    }
    const recovered = await this.#killed({ only: 'open' }, 0)
    keep(recovered)
    const faults = told.filter(({ kind }) => kind === 'fault').map((line) => `a child failed: ${JSON.stringify(line)}`)
    if (!recovered.some(({ kind }) => kind === 'closed')) faults.push('the last recovery did not come to its end')
    // What was recovered and closed must stay so.
    if (random.chance(0.3)) this.#cutPower()
    for (const { conflicts, replayed, tornBytes } of reports) {
      this.toll.replayed += replayed.length
      if (tornBytes > 0) this.toll.torn += 1
      if (conflicts.length > 0) faults.push(`conflicts where nobody edited: ${JSON.stringify(conflicts.slice(0, 5))}`)
    }
    this.#told.push(...told)
    faults.push(...(await this.#check()))
    return faults
  }

  #writer(): Record<string, unknown> {
    const random = this.#random
    return {
      seed: random.uint32(),
      lanes: 1 + random.below(4),
      small: random.chance(0.8),
      open: {
        ...(random.chance(0.3) ? { segmentSize: 1024 * 1024 * (1 + random.below(8)) } : {}),
        ...(random.chance(0.2) ? { legacy: true } : {}),
      },
    }
  }

  async #check(): Promise<string[]> {
    const faults: string[] = []
    const { openJournal } = await built()
    let journal: Journal
    try {
      journal = await openJournal(this.root, { recover: 'manual' })
    } catch (error) {
      return [`the recovered journal does not open: ${(error as Error).stack}`]
    }
    try {
      const { replayed, reverted, discarded, conflicts, tornBytes } = journal.recovery
      if (replayed.length + reverted.length + conflicts.length + tornBytes > 0)
        faults.push(`a second opening found something to do: ${JSON.stringify(journal.recovery)}`)
      const known = this.#ledger.commits.length
      faults.push(...(await this.#ledger.read(journal)), ...this.#ledger.missing(this.#told))
      faults.push(...differences(this.#ledger.tree, treeOf(this.root)))
      faults.push(...this.#unknown(known))
      // What was dropped from staging may be back after a power cut, and be dropped again; only it was never committed.
      for (const tx of discarded) if (this.#ledger.byTx.has(tx)) faults.push(`committed ${tx} is called discarded`)
      const { ok, problems } = await journal.verify({ workspace: true })
      if (!ok) faults.push(`verify: ${JSON.stringify(problems.slice(0, 5))}`)
      const staged = readdirSync(`${this.root}/.journal/staging`)
      if (staged.length > 0) faults.push(`staging holds ${staged.join(', ')}`)
    } finally {
      await journal.close()
    }
    return faults
  }

  /** Transactions in the history that nobody began. */
  #unknown(known: number): string[] {
    const begun = new Set(this.#told.map(({ tx }) => tx))
    const faults: string[] = []
    for (const { tx, kind, seq } of this.#ledger.commits.slice(known)) {
      if (kind === 'recovery') this.toll.kept += 1
      else if (kind === 'write' && !begun.has(tx)) faults.push(`nobody began ${tx} (${seq})`)
    }
    return faults
  }

  /** Runs a child that is killed at its call number `at` (0: at none); meanwhile the kernel may write back. */
  async #killed(order: Record<string, unknown>, at: number): Promise<Told[]> {
    const random = this.#random
    const act = random.chance(0.5) ? 'kill before' : 'kill after'
    this.#page.arm(at, { act })
    this.#children += 1
    const output = `${this.home}/child-${this.#children}.jsonl`
    const victim = new Victim('writer.mjs', { root: this.root, ...order }, output, [], this.#page.env)
    const end = Date.now() + (at === 0 ? 60_000 : PATIENCE_MS)
    const busy = random.chance(0.5)
    // How often it is asked depends on time, and must not change what comes after.
    const pace = random.fork()
    let late = false
    try {
      while (victim.running && Date.now() < end) {
        await Promise.race([victim.ended, sleep(1 + pace.below(busy ? 20 : 200))])
        if (busy) this.#writeBackOne(pace)
      }
      late = victim.running
    } finally {
      victim.kill()
      await victim.ended
    }
    const how = late ? 'killed from outside' : this.#page.struck > 0 ? `${act} ${this.#page.what}` : 'came to its end'
    this.#steps.push(`${JSON.stringify(order)} at call ${at} of ${this.#page.count}: ${how}`)
    this.#page.disarm()
    return victim.told()
  }

  #writeBackSome(): void {
    if (this.#random.chance(0.4)) return
    for (let count = this.#random.below(12); count > 0; count -= 1) this.#writeBackOne(this.#random)
  }

  /** A file or folder somewhere, while others come and go. */
  #writeBackOne(random: Random): void {
    let path = this.root
    try {
      while (lstatSync(path).isDirectory() && !random.chance(0.2)) {
        const names = readdirSync(path)
        if (names.length === 0) break
        path = `${path}/${names[random.below(names.length)]}`
      }
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
    this.#image.writeBack(path)
  }

  #cutPower(): void {
    this.#image = this.#image.cutPower()
    this.#steps.push('the power is cut')
    this.toll.cuts += 1
    this.#restart()
  }

  #restart(): void {
    const digits = Array.from({ length: 8 }, () => this.#random.below(16).toString(16)).join('')
    this.#page.restart(`${digits}-0000-4000-8000-000000000000`)
  }
}
