import { type Entry, subjectOf, wordsLength } from '../entry/entry.ts'
import { JournalError } from '../errors.ts'
import type { JournalSize } from './journal-size.ts'

/** What a commit takes in the log besides its contents and the texts of its entries; and each entry. */
const COMMIT_BYTES = 1024
const ENTRY_BYTES = 512
/** For checkpoints, and what else the log must be able to say. */
const MARGIN = 16 * 1024

/** Keeps the journal within a size: every commit asks before it keeps anything. */
export class Allowance {
  readonly limit: number
  readonly #size: JournalSize
  readonly #rollAt: number
  /** Left free, so that retention can copy what is still needed before it drops the rest. */
  readonly #headroom: number
  #promised = 0

  constructor(size: JournalSize, limit: number, rollAt: number, retains: boolean) {
    this.limit = limit
    this.#size = size
    this.#rollAt = rollAt
    this.#headroom = MARGIN + rollAt + (retains ? Math.floor(limit / 8) : 0)
  }

  /** Bytes that a drop may use for the time being. */
  get spare(): number {
    return this.limit - this.#size.bytes(this.#rollAt) - this.#promised - MARGIN
  }

  fits(bytes: number): boolean {
    return this.#size.bytes(this.#rollAt) + this.#promised + bytes + this.#headroom <= this.limit
  }

  /** Takes `bytes` for a transaction; returns what gives them back, to be called once the files say how many they were. @throws JournalError `NO_SPACE` */
  admit(bytes: number, entries: readonly Entry[]): () => void {
    const needed = bytes + sizeOf(entries)
    if (!this.fits(needed)) throw this.#full(needed)
    this.#promised += needed
    let given = needed
    return () => {
      this.#promised -= given
      given = 0
    }
  }

  #full(needed: number): JournalError {
    const size = this.#size.bytes()
    return new JournalError(
      'NO_SPACE',
      `the journal has ${size} of at most ${this.limit} bytes, and ${needed} more would leave no room to work`,
      {
        hint: "Nothing was changed. Drop old transactions ('journal compact --keep-transactions N'), configure retention, or raise limits.journalBytes.",
        details: { journalBytes: this.limit, size, needed },
      },
    )
  }
}

function sizeOf(entries: readonly Entry[]): number {
  let bytes = COMMIT_BYTES
  for (const entry of entries) {
    bytes += ENTRY_BYTES + 4 * subjectOf(entry).length
    bytes += 3 * wordsLength(entry)
    if (entry.op === 'symlink' && entry.after?.kind === 'symlink') bytes += 3 * entry.after.target.length
  }
  return bytes
}
