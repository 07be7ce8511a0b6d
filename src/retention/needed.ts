/** Which contents must stay: the one place that says it. */
import { baseOf, CHANGED, decodeContents } from '../content/content-frame.ts'
import { readCommit } from '../entry/chain.ts'
import type { Entry } from '../entry/entry.ts'
import type { BaseState } from '../entry/horizon.ts'
import { type ContentHash, hashOf } from '../entry/state.ts'
import { statesOf } from '../history/content-census.ts'
import type { LogReader } from '../log/log-reader.ts'
import type { Position } from '../log/position.ts'
import type { Pace } from './pace.ts'

/** Every content that an entry names. */
export function* hashesOf(entry: Entry): Generator<ContentHash> {
  for (const { state } of statesOf(entry)) {
    const hash = hashOf(state)
    if (hash !== null) yield hash
  }
}

/** Of some contents, those that what is kept names, or is a change of. */
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

  /** By the frames from `from` on, up to `until`. A base that is carried over is found by its hash: the place that a change says is gone. */
  async frames(reader: LogReader, from: Position, until: Position | undefined, pace: Pace): Promise<void> {
    for (const { kind, payload } of reader.read(from, until === undefined ? {} : { until })) {
      if (kind === 'commit')
        for (const entry of readCommit(payload).entries) for (const hash of hashesOf(entry)) this.note(hash)
      if (kind === 'content')
        for (const { encoding, data } of decodeContents(payload).contents)
          if (encoding === CHANGED) this.note(baseOf(data))
      await pace.rest()
    }
  }
}
