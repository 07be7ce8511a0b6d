import { createHash } from 'node:crypto'
import { type BaseState, encodeHeads, encodeHorizon, encodeStates, type Horizon } from '../entry/horizon.ts'
import { byPath } from '../history/path-scope.ts'
import { BaseFile } from '../log/base-file.ts'
import type { LogReader } from '../log/log-reader.ts'
import { type Beginning, readStates } from '../store/base.ts'
import type { DroppedPart } from './dropped-part.ts'
import type { Pace } from './pace.ts'

/** States in a frame. */
const STATES = 256
const NO_DIGEST = '0'.repeat(64)

/** What was at every path after the dropped part: the states before it, with its changes. In the order of paths; those that are gone are left out. */
export function* statesBehind(reader: LogReader, beginning: Beginning, part: DroppedPart): Generator<BaseState> {
  const changed = part.paths
  let next = 0
  function* upTo(path: string | null): Generator<BaseState> {
    for (; next < changed.length; next += 1) {
      const own = changed[next] as string
      if (path !== null && byPath(own, path) > 0) return
      const change = part.changes.get(own)
      if (change !== undefined && change.state !== null) yield { path: own, ...change }
    }
  }
  for (const before of readStates(reader, beginning)) {
    yield* upTo(before.path)
    if (!part.changes.has(before.path)) yield before
  }
  yield* upTo(null)
}

/** Writes the base that stands for the dropped part under a spare name, all of it on stable storage. @returns the horizon's payload */
export async function writeBase(
  reader: LogReader,
  beginning: Beginning,
  part: DroppedPart,
  place: { readonly spare: string; readonly term: number },
  horizon: Omit<Horizon, 'digest' | 'segment' | 'seq' | 'chain' | 'time' | 'sequence' | 'entries'>,
  pace: Pace,
): Promise<Uint8Array> {
  const { segments, seed } = reader
  const { seq, chain, time } = part.head
  const { segment, sequence, entries } = part
  const known = { ...horizon, segment, seq, chain, time, sequence, entries }
  const room = encodeHorizon({ ...known, digest: NO_DIGEST }).byteLength
  const file = new BaseFile(segments, place.spare, { base: segment, seed, term: place.term }, room)
  try {
    const digest = createHash('sha256')
    const add = (kind: 'states' | 'heads', payload: Uint8Array): void => {
      digest.update(payload)
      file.add(kind, payload)
    }
    let states: BaseState[] = []
    let count = 0
    for (const state of statesBehind(reader, beginning, part)) {
      states.push(state)
      count += 1
      if (states.length < STATES) continue
      add('states', encodeStates(states))
      states = []
      await pace.rest()
    }
    if (states.length > 0) add('states', encodeStates(states))
    if (count !== horizon.states) throw new RangeError('a base must have the states that were counted')
    add('heads', encodeHeads(part.heads))
    const payload = encodeHorizon({ ...known, digest: digest.digest('hex') })
    await file.finish(payload)
    return payload
  } finally {
    file.close()
  }
}
