import { execFile } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { encodeFrame, frameSize, HEADER_SIZE } from '../../src/log/frame.ts'
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
