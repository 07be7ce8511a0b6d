import { mkdirSync } from 'node:fs'
import { dice } from '../crash/dice.mjs'
import { Ledger } from './ledger.mjs'
import { Process } from './process.mjs'
import { spaceOf } from './space.mjs'
import { differences, treeOf } from './tree.mjs'

/** The rest of the history is made by one process. */
const LONG_LIFE = 0.2
const KILLED_RECOVERIES = 0.2
const FAULTS_SHOWN = 20
/** Old transactions that are looked at again after a kill. */
const REMEMBERED = 25
const COMPACT_EVERY = 8

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** One workspace and its long life: what happens to it, what is measured of it, and what is wrong. */
export class Campaign {
  root
  ledger = new Ledger()
  faults = []
  /** All that was measured, each with the number of transactions at that time. */
  samples = []
  openings = []
  catchUps = []
  spaces = []
  paces = []
  verified = []
  compacted = []
  kills = 0
  #home
  #total
  #random
  #journal
  #dist
  #progress
  #rounds = 0
  #stopped = false
  #worker = null

  /** `library`: the built library's names; `dist`: where it stands. */
  constructor({ home, total, seed, library, dist, progress }) {
    this.#home = home
    this.root = `${home}/workspace`
    mkdirSync(this.root)
    this.#total = total
    this.#random = dice(seed)
    this.#journal = library
    this.#dist = dist
    this.#progress = progress
  }

  /** Until the history is long enough, or something is wrong. */
  async run() {
    const checks = [0.1, 0.3, 0.6]
    const many = this.#total * (1 - LONG_LIFE)
    while (this.ledger.seq < many && this.#goesOn) {
      await this.#round(Math.min(this.ledger.seq + this.#life(), Math.ceil(many)))
      if (this.ledger.seq < this.#total * (checks[0] ?? Number.POSITIVE_INFINITY)) continue
      checks.shift()
      await this.#verify()
    }
    if (this.#goesOn) await this.#round(this.#total, 'long')
    if (this.faults.length === 0) await this.#verify()
    if (this.faults.length === 0) await this.#readAgain()
  }

  /** Ends it early, with all checks of what there is. */
  stop() {
    this.#stopped = true
    this.#worker?.kill()
  }

  get #goesOn() {
    return this.faults.length === 0 && !this.#stopped
  }

  /** Transactions until the next kill: a few thousand to tens of thousands, in a history of a million. */
  #life() {
    const least = Math.max(100, Math.min(1000, this.#total / 40))
    const most = Math.max(200, Math.min(30_000, this.#total / 8))
    return Math.floor(least * (most / least) ** this.#random.unit())
  }

  async #round(armAt, life = 'short') {
    this.#rounds += 1
    const start = performance.now()
    const before = this.ledger.seq
    // One that lives long keeps its journal open all the time.
    const told = await this.#kill(life === 'long' ? { armAt, closeEvery: Number.MAX_SAFE_INTEGER } : { armAt })
    const seconds = (performance.now() - start) / 1000
    while (this.#random.chance(KILLED_RECOVERIES)) told.push(...(await this.#kill({ only: 'open' })))
    await this.#audit(told)
    const { seq } = this.ledger
    for (const line of told) if (line.kind === 'sample') this.samples.push({ ...line, life })
    this.paces.push({ seq, transactions: seq - before, seconds })
    this.#progress(this)
  }

  /** A process that is killed: at any moment once it has done enough, or while it opens. */
  async #kill(what) {
    const worker = new Process(
      'worker.mjs',
      {
        dist: this.#dist,
        root: this.root,
        seed: this.#random.below(2 ** 32),
        sampleEvery: Math.min(2500, Math.ceil(this.#total / 80)),
        closeEvery: Math.min(5000, Math.ceil(this.#total / 40)),
        ...what,
      },
      `${this.#home}/told.jsonl`,
    )
    this.#worker = worker
    if (what.armAt !== undefined) await worker.armed()
    await pause(what.armAt === undefined ? 40 + this.#random.below(200) : this.#random.below(40))
    const { signal } = await worker.kill()
    if (signal === 'SIGKILL') this.kills += 1
    const told = worker.told()
    for (const line of told) {
      if (line.kind === 'fault') this.#wrong(`a process failed: ${JSON.stringify(line)}`)
      if (line.kind !== 'open') continue
      if (line.conflicts.length > 0) this.#wrong(`conflicts where nobody edited: ${JSON.stringify(line.conflicts)}`)
      if (what.armAt !== undefined) this.openings.push({ seq: line.seq, how: line.how, ms: line.ms })
    }
    return told
  }

  /** Opens what a kill left, and compares everything with the ledger; then once more after an orderly close. */
  async #audit(told) {
    const journal = await this.#open('killed')
    try {
      const { recovery } = journal
      if (recovery.conflicts.length > 0) this.#wrong(`conflicts where nobody edited: ${JSON.stringify(recovery)}`)
      const start = performance.now()
      await journal.anchor()
      const ms = performance.now() - start
      const known = this.ledger.seq
      this.#wrong(...(await this.ledger.readOn(journal, told)))
      this.catchUps.push({ seq: this.ledger.seq, ms, transactions: this.ledger.seq - known })
      this.#wrong(...differences(this.ledger.tree, treeOf(this.root)))
      await this.#remember(journal)
      this.#spaceLeft(journal)
      if (this.#rounds % COMPACT_EVERY === 0) await this.#compact(journal)
    } finally {
      await journal.close()
    }
    const again = await this.#open('closed')
    const { replayed, reverted, discarded, conflicts, tornBytes } = again.recovery
    await again.close()
    if (replayed.length + reverted.length + discarded.length + conflicts.length + tornBytes > 0)
      this.#wrong(`a second opening found something to do: ${JSON.stringify(again.recovery)}`)
  }

  async #open(how) {
    const start = performance.now()
    const journal = await this.#journal.openJournal(this.root, { actor: 'auditor' })
    this.openings.push({ seq: journal.head.seq, how, ms: performance.now() - start })
    return journal
  }

  async #remember(journal) {
    for (let look = 0; look < REMEMBERED && this.ledger.seq > 0; look += 1) {
      const seq = 1 + this.#random.below(this.ledger.seq)
      const { chain } = await journal.show(seq)
      if (chain !== this.ledger.chain(seq)) this.#wrong(`transaction ${seq} is another one than before`)
    }
  }

  #spaceLeft(journal) {
    const space = spaceOf(this.root)
    if (space.staging.files > 0) this.#wrong(`${space.staging.files} files are left in staging after a recovery`)
    this.spaces.push({ seq: journal.head.seq, ...space })
  }

  /** Frees all that the history does not need; what is left is frames, named blobs and the index. */
  async #compact(journal) {
    const before = spaceOf(this.root)
    const { blobsRemoved, filesRemoved, bytesFreed } = await journal.compact({ brokenDays: 0 })
    const after = spaceOf(this.root)
    if (after.broken.files + after.staging.files > 0) this.#wrong(`compact left ${JSON.stringify(after)}`)
    const gone = before.broken.bytes + before.staging.bytes + before.blobs.bytes - after.blobs.bytes
    if (bytesFreed < gone) this.#wrong(`compact freed ${gone} bytes and says ${bytesFreed}`)
    this.compacted.push({ seq: journal.head.seq, blobsRemoved, filesRemoved, bytesFreed, ...after })
  }

  async #verify() {
    const journal = await this.#journal.openJournal(this.root, { readOnly: true })
    const start = performance.now()
    const report = await journal.verify({ head: this.ledger.chain(this.ledger.seq) })
    await journal.close()
    const { ok, transactions, frames, blobs, orphans, problems } = report
    if (!ok) this.#wrong(`verify: ${JSON.stringify(problems.slice(0, 5))}`)
    if (transactions !== this.ledger.seq) this.#wrong(`verify counts ${transactions} of ${this.ledger.seq}`)
    this.verified.push({ transactions, frames, blobs, orphans, seconds: (performance.now() - start) / 1000 })
  }

  async #readAgain() {
    const journal = await this.#journal.openJournal(this.root, { readOnly: true })
    this.#wrong(...(await this.ledger.readAgain(journal)))
    await journal.close()
  }

  #wrong(...faults) {
    this.faults.push(...faults.slice(0, FAULTS_SHOWN))
  }
}
