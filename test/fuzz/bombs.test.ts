import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { deflateRawSync } from 'node:zlib'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { CHANGED, type ContentRecord, DEFLATED, encodeChange, encodeContents } from '../../src/content/content-frame.ts'
import { MAX_PIECES } from '../../src/content/delta.ts'
import { hashBytes } from '../../src/content/hash.ts'
import { pushVarint } from '../../src/content/varint.ts'
import { frameSize, HEADER_SIZE } from '../../src/log/frame.ts'
import { encodeFrame } from '../../src/log/frame-encoder.ts'
import { LOG_START, positionOf } from '../../src/log/position.ts'
import { DIST } from '../crash/built.ts'
import { type ForgedFrame, forgeJournal, forgeSegment, SEED, SEGMENT_FRAME, TERM_FRAME } from './forge.ts'

/** Megabytes that a process with a heap of 64 may have in memory, Node and all. */
const MOST_MB = 256
const MOST_MS = 30_000

let root: string
beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'bombs-')))
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

const CHILD = `
const { openJournal } = await import(process.argv[1] + '/index.js')
const codes = []
for (const readOnly of [true, false]) {
  try {
    const journal = await openJournal(process.argv[2], { readOnly })
    if (readOnly) await journal.verify()
    await journal.close()
    codes.push('ok')
  } catch (error) { codes.push(error.name === 'JournalError' ? error.code : error.stack) }
}
console.log(JSON.stringify({ codes, mb: process.resourceUsage().maxRSS / 1024 }))
`

async function opened(): Promise<{ codes: string[]; mb: number }> {
  const given = ['--max-old-space-size=64', '--input-type=module', '-e', CHILD, DIST, root]
  const { stdout } = await promisify(execFile)(process.execPath, given, { timeout: MOST_MS })
  return JSON.parse(stdout)
}

const commit = (...payload: number[][]): ForgedFrame[] => [
  SEGMENT_FRAME,
  TERM_FRAME,
  { kind: 'commit', payload: Buffer.from(payload.flat()) },
]
const contents = (records: readonly ContentRecord[]): ForgedFrame[] => [
  SEGMENT_FRAME,
  TERM_FRAME,
  { kind: 'content', payload: encodeContents('t000000000000000', records) },
]

/** Zeros that take a thousandth of their space. `said`: how many it says they are. */
function zeros(bytes: number, said: number, name: number): ContentRecord {
  const head: number[] = []
  pushVarint(head, said)
  const data = Buffer.concat([Uint8Array.from(head), deflateRawSync(Buffer.alloc(bytes))])
  return { hash: hashBytes(Buffer.from(`${name}`)), encoding: DEFLATED, data }
}

/** Each a change of the one before, of as many pieces as there may be. */
function chain(length: number): ContentRecord[] {
  const records = [zeros(1 << 20, 1 << 20, 0)]
  const pieces = Array.from({ length: MAX_PIECES }, (_, n) => ({ skip: 1, keep: 100, insert: Buffer.from(`${n}`) }))
  const made = pieces.reduce((sum, { keep, insert }) => sum + keep + insert.byteLength, 0)
  for (let n = 1; n <= length; n += 1) {
    const { hash } = records[n - 1] as ContentRecord
    const change = { base: hash, place: { at: 'beside', index: n - 1 }, step: n } as const
    const delta = { length: made, extent: MAX_PIECES * 101, pieces }
    records.push({ hash: hashBytes(Buffer.from(`${n}`)), encoding: CHANGED, data: encodeChange(change, delta) })
  }
  return records
}

const log = () => `${root}/.journal/log/000000000001.wal`

it.each<[string, () => void]>([
  ['an array of 2^32 - 1 values', () => forgeJournal(root, commit([0xdd, 0xff, 0xff, 0xff, 0xff]))],
  ['bytes of 4 GiB', () => forgeJournal(root, commit([0xc6, 0xff, 0xff, 0xff, 0xff]))],
  ['text of 4 GiB', () => forgeJournal(root, commit([0xdb, 0xff, 0xff, 0xff, 0xff, 0x61]))],
  ['a map of 2^32 - 1 keys', () => forgeJournal(root, commit([0xdf, 0xff, 0xff, 0xff, 0xff]))],
  [
    'arrays of 32 million in each other',
    () => forgeJournal(root, commit(...Array(12).fill([0xdd, 1, 0xff, 0xff, 0xff]))),
  ],
  ['a million arrays in each other', () => forgeJournal(root, commit(Array(1_000_000).fill(0x91)))],
  ['half a million empty maps', () => forgeJournal(root, commit([0xdd, 0, 8, 0, 0], Array(0x80000).fill(0x80)))],
  [
    'compressed contents of 60 MiB',
    () => forgeJournal(root, contents(Array.from({ length: 16 }, (_, n) => zeros(60 << 20, 60 << 20, n)))),
  ],
  [
    'compressed contents that are more than they say, or say that they are more',
    () => forgeJournal(root, contents([zeros(60 << 20, 5, 0), zeros(1000, 60 << 20, 1), zeros(5, 2 ** 50, 2)])),
  ],
  ['changes of changes, of thousands of pieces each', () => forgeJournal(root, contents(chain(200)))],
  [
    'a payload that says it has 64 MiB',
    () => {
      forgeJournal(root, [SEGMENT_FRAME, TERM_FRAME])
      const header = Buffer.alloc(frameSize(64 << 20))
      const at = forgeSegment([SEGMENT_FRAME, TERM_FRAME]).length
      const position = positionOf(1, at)
      encodeFrame(
        header,
        0,
        SEED,
        { kind: 'commit', term: 1, sequence: 3, position, durable: LOG_START },
        Buffer.alloc((64 << 20) - 128),
      )
      fs.appendFileSync(log(), header.subarray(0, HEADER_SIZE))
    },
  ],
  [
    'a segment of 8 GiB, nearly all of it holes',
    () => {
      forgeJournal(root, [SEGMENT_FRAME, TERM_FRAME])
      fs.truncateSync(log(), 8 * 2 ** 30)
    },
  ],
  [
    'a torn end of 512 MiB, nearly all of it holes',
    () => {
      forgeJournal(root, [SEGMENT_FRAME, TERM_FRAME])
      fs.appendFileSync(log(), 'torn')
      fs.truncateSync(log(), 512 * 2 ** 20)
    },
  ],
  [
    'a FORMAT of 4 GiB',
    () => {
      forgeJournal(root, [SEGMENT_FRAME])
      fs.truncateSync(`${root}/.journal/FORMAT`, 4 * 2 ** 30)
    },
  ],
])('%s: refused or passed over, in little memory', { timeout: MOST_MS * 2 }, async (_, prepare) => {
  prepare()
  const { codes, mb } = await opened()
  for (const code of codes) expect(['ok', 'CORRUPT', 'INVALID']).toContain(code)
  expect(mb).toBeLessThan(MOST_MB)
})
