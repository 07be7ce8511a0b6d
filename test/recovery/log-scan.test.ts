import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { encodeCheckpoint } from '../../src/entry/control.ts'
import { openJournal } from '../../src/index.ts'
import { frameSize } from '../../src/log/frame.ts'
import { positionOf } from '../../src/log/position.ts'
import { forgeCommits, forgeJournal, GENESIS, SEGMENT_FRAME, TERM_FRAME } from '../fuzz/forge.ts'
import { failure, newDisk, openOn, ROOT } from '../journal/fixture.ts'

const SEGMENT = `${ROOT}/.journal/log/000000000001.wal`

it('begins with the very frame that a checkpoint names', async () => {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'log-scan-')))
  try {
    const before = [SEGMENT_FRAME, TERM_FRAME]
    const redo = positionOf(
      1,
      before.reduce((sum, { payload }) => sum + frameSize(payload.byteLength), 0),
    )
    const made = { op: 'mkdir', path: 'made', before: null, after: { kind: 'dir', mode: 0o755 } } as const
    const payload = encodeCheckpoint({ redo, ...GENESIS, boot: 'another', clean: false })
    forgeJournal(root, [...before, ...forgeCommits([{ entries: [made] }]), { kind: 'checkpoint', payload }])
    const journal = await openJournal(root)
    expect(journal.recovery.replayed).toHaveLength(1)
    expect(fs.statSync(`${root}/made`).isDirectory()).toBe(true)
    await journal.close()
  } finally {
    fs.rmSync(root, { recursive: true, force: true })
  }
})

it('refuses a log that ends before the checkpoint that CHECKPOINT names', async () => {
  const disk = newDisk()
  const journal = await openOn(disk)
  await journal.write('a', 'text')
  await journal.checkpoint()
  const log = disk.readFile(SEGMENT)
  await journal.write('a', 'more')
  await journal.close()
  disk.writeFile(SEGMENT, log)
  expect((await failure(() => openOn(disk))).code).toBe('CORRUPT')
  expect(disk.readFile(SEGMENT)).toEqual(log)
})

it('refuses a log that has lost a segment', async () => {
  const disk = newDisk()
  const options = { segmentSize: 16 * 1024 }
  const journal = await openOn(disk, options)
  for (let at = 0; at < 12; at += 1) await journal.write('a', `${at} `.repeat(1500))
  await journal.close()
  disk.unlink(SEGMENT)
  expect((await failure(() => openOn(disk, options))).message).toContain('segment 1 of the log is missing')
  expect(disk.exists(SEGMENT)).toBe(false)
})
