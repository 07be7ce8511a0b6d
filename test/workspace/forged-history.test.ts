import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeContents } from '../../src/content/content-frame.ts'
import { JournalError, openJournal } from '../../src/index.ts'
import { forgeCommits, forgeJournal, SEGMENT_FRAME, TERM_FRAME } from '../fuzz/forge.ts'

let base: string
let root: string
beforeEach(() => {
  base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'forged-')))
  root = `${base}/ws`
  fs.mkdirSync(`${root}/folder`, { recursive: true })
  fs.writeFileSync(`${base}/canary`, 'kept')
})
afterEach(() => fs.rmSync(base, { recursive: true, force: true }))

const bytes = Buffer.from('forged')
const hash = createHash('sha256').update(bytes).digest('hex')
const after = { kind: 'file', hash, size: bytes.byteLength, mode: 0o644 } as const

/** A commit in flight that writes `target`, as somebody could put into an archive that has a `.journal` in it. */
function forge(target: string): void {
  forgeJournal(root, [
    SEGMENT_FRAME,
    TERM_FRAME,
    { kind: 'content', payload: encodeContents('t000000000000000', [{ hash, encoding: 0, data: bytes }]) },
    ...forgeCommits([{ entries: [{ op: 'write', path: target, before: null, after }] }]),
  ])
}

/** Recovery and replay followed whatever the log said. */
describe('a history that names a path outside of the workspace, or in a journal, is damage', () => {
  it.each([
    '../canary',
    'folder/../../canary',
    '/canary',
    '.journal/FORMAT',
    '.journal/log/000000000001.wal',
    'folder/.journal/x',
    '.JOURNAL/x',
    'a//b',
    'a/',
    '.',
    '',
    'a\0b',
  ])('%j', async (target) => {
    forge(target)
    const format = fs.readFileSync(`${root}/.journal/FORMAT`, 'utf8')
    await expect(openJournal(root)).rejects.toMatchObject({ code: 'CORRUPT' })
    const reader = await openJournal(root, { readOnly: true })
    await expect(reader.replay({ to: `${base}/copy/deep` })).rejects.toBeInstanceOf(JournalError)
    await reader.close()
    expect(fs.readFileSync(`${base}/canary`, 'utf8')).toBe('kept')
    expect(fs.readFileSync(`${root}/.journal/FORMAT`, 'utf8')).toBe(format)
    expect(fs.readdirSync(root).sort()).toEqual(['.journal', 'folder'])
    expect(fs.existsSync(`${base}/copy/canary`)).toBe(false)
  })

  it.each(['../canary', '.journal/FORMAT', 'folder/../x'])('also where something is renamed to: %j', async (to) => {
    const entry = { op: 'rename', path: 'folder/file', to, before: after, after, replaced: null } as const
    forgeJournal(root, [SEGMENT_FRAME, TERM_FRAME, ...forgeCommits([{ entries: [entry] }])])
    await expect(openJournal(root)).rejects.toMatchObject({ code: 'CORRUPT' })
    expect(fs.readFileSync(`${base}/canary`, 'utf8')).toBe('kept')
  })

  it('one inside is written', async () => {
    forge('folder/file')
    const journal = await openJournal(root)
    await journal.close()
    expect(fs.readFileSync(`${root}/folder/file`, 'utf8')).toBe('forged')
  })
})
