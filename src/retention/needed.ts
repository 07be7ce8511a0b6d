/** Which contents must stay: the one place that says it. */
import { readCommit } from '../entry/chain.ts'
import type { Entry } from '../entry/entry.ts'
import type { BaseState } from '../entry/horizon.ts'
import { type ContentHash, hashOf } from '../entry/state.ts'
import { statesOf } from '../history/content-census.ts'
import type { LogReader } from '../log/log-reader.ts'
import type { Position } from '../log/position.ts'
import type { Pace } from './pace.ts'

/** Every content that an entry names. Where one was stored as a difference to another, that other is whole wherever it stands, or is carried over whole. */
export function* hashesOf(entry: Entry): Generator<ContentHash> {
  for (const { state } of statesOf(entry)) {
    const hash = hashOf(state)
    if (hash !== null) yield hash
  }
}

/** Of some contents, those that what is kept names. */
export class Needed {
  readonly #candidates: ReadonlySet<ContentHash>
  readonly hashes = new Set<ContentHash>()

  constructor(candidates: ReadonlySet<ContentHash>) {
    this.#candidates = candidates
  }

  note(hash: ContentHash | null): void {
    if (hash !== null && this.#candidates.has(hash)) this.hashes.add(hash)
  }

  state({ state }: BaseState): void {
    this.note(hashOf(state))
  }

  /** By the transactions from `from` on, up to `until`. */
  async commits(reader: LogReader, from: Position, until: Position | undefined, pace: Pace): Promise<void> {
    const skip = new Set(['content'] as const)
    for (const frame of reader.read(from, { skip, ...(until === undefined ? {} : { until }) })) {
      if (frame.kind === 'commit')
        for (const entry of readCommit(frame.payload).entries) for (const hash of hashesOf(entry)) this.note(hash)
      await pace.rest()
    }
  }
}
