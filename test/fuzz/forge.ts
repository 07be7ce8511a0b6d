import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { genesis } from '../../src/entry/chain.ts'
import { encodeCommit, fromHex, pack } from '../../src/entry/codec.ts'
import type { Commit } from '../../src/entry/commit.ts'
import { encodeSegment, encodeTerm } from '../../src/entry/control.ts'
import { type FrameKind, frameSize, headerSeed } from '../../src/log/frame.ts'
import { encodeFrame } from '../../src/log/frame-encoder.ts'
import { LOG_START, type Position, positionOf } from '../../src/log/position.ts'

export const JOURNAL_ID = '4273026b357dde8035054a025267f6af'
export const SEED = headerSeed(fromHex(JOURNAL_ID))

export interface ForgedFrame {
  readonly kind: FrameKind
  readonly payload: Uint8Array
  readonly durable?: Position
}

/** A segment with these frames, every checksum right, whatever they say. `sequence`: of its first frame. */
export function forgeSegment(frames: readonly ForgedFrame[], segment = 1, sequence = 1): Buffer {
  const bytes = Buffer.alloc(frames.reduce((sum, { payload }) => sum + frameSize(payload.byteLength), 0))
  let at = 0
  for (const [index, { kind, payload, durable = LOG_START }] of frames.entries()) {
    const position = positionOf(segment, at)
    const head = { kind, term: 1, sequence: sequence + index, position, durable: Math.min(durable, position) }
    at = encodeFrame(bytes, at, SEED, head, payload)
  }
  return bytes
}

export const GENESIS = genesis(JOURNAL_ID)
export const SEGMENT_FRAME: ForgedFrame = {
  kind: 'segment',
  payload: encodeSegment({ journal: JOURNAL_ID, segment: 1, ...GENESIS }),
}
export const TERM_FRAME: ForgedFrame = {
  kind: 'term',
  payload: encodeTerm({ term: 1, time: 1, pid: 1, host: 'forged', boot: 'another' }),
}

/** Commit frames that follow each other in the chain, whatever they say. */
export function forgeCommits(commits: readonly Partial<Commit>[]): ForgedFrame[] {
  let previous = GENESIS.chain
  return commits.map((given, index) => {
    const base = { tx: `t${String(index).padStart(15, '0')}`, seq: index + 1, time: index + 1, kind: 'write', done: 0 }
    const { body, words } = encodeCommit({ ...base, entries: [], ...given } as Commit)
    const chain = createHash('sha256').update(previous, 'hex').update(body).digest()
    previous = chain.toString('hex')
    return { kind: 'commit', payload: pack([chain, body, words]) }
  })
}

/** Puts a `.journal` into `root` whose only segment has these frames. */
export function forgeJournal(root: string, frames: readonly ForgedFrame[]): void {
  for (const folder of ['log', 'blobs', 'staging', 'broken']) {
    fs.mkdirSync(`${root}/.journal/${folder}`, { recursive: true, mode: 0o700 })
  }
  const format = { format: 'write-journal', version: 1, journal: JOURNAL_ID }
  fs.writeFileSync(`${root}/.journal/FORMAT`, JSON.stringify(format))
  fs.writeFileSync(`${root}/.journal/log/000000000001.wal`, forgeSegment(frames))
}
