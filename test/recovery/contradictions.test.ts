import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { encodeCheckpoint, encodeSegment, encodeTerm } from '../../src/entry/control.ts'
import { openJournal } from '../../src/index.ts'
import { LOG_START, positionOf } from '../../src/log/position.ts'
import {
  type ForgedFrame,
  forgeCommits,
  forgeJournal,
  GENESIS,
  JOURNAL_ID,
  SEGMENT_FRAME,
  TERM_FRAME,
} from '../fuzz/forge.ts'

let root: string
beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'contradictions-')))
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

const term = { term: 1, time: 1, pid: 1, host: 'forged', boot: 'another' }
const checkpoint = { redo: LOG_START, ...GENESIS, boot: 'another', clean: true }
const segment = { journal: JOURNAL_ID, segment: 1, ...GENESIS }
const segmentFrame = (given: object): ForgedFrame => ({
  kind: 'segment',
  payload: encodeSegment({ ...segment, ...given }),
})
const checkpointFrame = (given: object): ForgedFrame => ({
  kind: 'checkpoint',
  payload: encodeCheckpoint({ ...checkpoint, ...given }),
})
const other = 'ab'.repeat(32)

/** Each was believed; a checkpoint could put the end of the log where it liked, and the next commit was written there. */
it.each<[string, readonly ForgedFrame[]]>([
  ['a segment of another journal', [segmentFrame({ journal: '00'.repeat(16) }), TERM_FRAME]],
  ['a segment of another number', [segmentFrame({ segment: 2 }), TERM_FRAME]],
  ['a segment that follows another transaction', [segmentFrame({ seq: 7 }), TERM_FRAME]],
  ['a segment that follows another history', [segmentFrame({ chain: other }), TERM_FRAME]],
  ['a term that is not its own', [SEGMENT_FRAME, { kind: 'term', payload: encodeTerm({ ...term, term: 9 }) }]],
  ['a checkpoint that begins behind itself', [SEGMENT_FRAME, TERM_FRAME, checkpointFrame({ redo: positionOf(9, 0) })]],
  ['a checkpoint that begins before the log', [SEGMENT_FRAME, TERM_FRAME, checkpointFrame({ redo: 0 })]],
  ['a checkpoint that begins between frames', [SEGMENT_FRAME, TERM_FRAME, checkpointFrame({ redo: LOG_START + 9 })]],
  ['a commit older than the one before', [SEGMENT_FRAME, TERM_FRAME, ...forgeCommits([{ time: 5 }, { time: 4 }])]],
])('%s is damage', async (_, frames) => {
  forgeJournal(root, frames)
  const before = fs.readFileSync(`${root}/.journal/log/000000000001.wal`)
  await expect(openJournal(root)).rejects.toMatchObject({ code: 'CORRUPT' })
  expect(fs.readFileSync(`${root}/.journal/log/000000000001.wal`)).toEqual(before)
})

it.each<[string, readonly ForgedFrame[]]>([
  ['a term that is not its own', [SEGMENT_FRAME, { kind: 'term', payload: encodeTerm({ ...term, term: 9 }) }]],
  ['a checkpoint that begins behind itself', [SEGMENT_FRAME, TERM_FRAME, checkpointFrame({ redo: positionOf(9, 0) })]],
  ['a checkpoint of another history', [SEGMENT_FRAME, TERM_FRAME, checkpointFrame({ chain: other })]],
  ['a checkpoint of a transaction to come', [SEGMENT_FRAME, TERM_FRAME, checkpointFrame({ seq: 7 })]],
])('verify finds %s', async (_, frames) => {
  forgeJournal(root, frames)
  const reader = await openJournal(root, { readOnly: true })
  const report = await reader.verify()
  expect(report.ok).toBe(false)
  expect(report.problems.map(({ kind }) => kind)).toContain('record')
  await reader.close()
})

it('a log that says nothing wrong is opened', async () => {
  forgeJournal(root, [SEGMENT_FRAME, TERM_FRAME, ...forgeCommits([{}, {}]), checkpointFrame({ clean: false })])
  const journal = await openJournal(root)
  expect(await journal.verify()).toMatchObject({ ok: true, transactions: 2 })
  await journal.close()
})
