import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Journal, openJournal } from '../../src/index.ts'

let base: string
let root: string
let journal: Journal
beforeEach(async () => {
  base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'hard-links-')))
  root = `${base}/ws`
  fs.mkdirSync(root)
  fs.writeFileSync(`${base}/outside`, 'kept\n', { mode: 0o640 })
  fs.chmodSync(`${base}/outside`, 0o640)
  fs.linkSync(`${base}/outside`, `${root}/inside`)
  journal = await openJournal(root)
})
afterEach(async () => {
  await journal.close()
  fs.rmSync(base, { recursive: true, force: true })
})

const facts = () => {
  const { mode, ino, nlink, mtimeMs } = fs.statSync(`${base}/outside`)
  return { mode, ino, nlink, mtimeMs, text: fs.readFileSync(`${base}/outside`, 'utf8') }
}

/** A chmod changed the permissions of the file itself, so those of its name outside the workspace too. */
describe.skipIf(process.platform === 'win32')('a file with another name outside of the workspace', () => {
  it.each<[string, (path: string) => Promise<unknown>]>([
    ['write', (path) => journal.write(path, 'x')],
    ['append', (path) => journal.append(path, 'x')],
    ['edit', (path) => journal.edit(path, [{ oldText: 'kept', newText: 'x' }])],
    ['patch', (path) => journal.patch(path, '@@ -1 +1 @@\n-kept\n+x\n')],
    ['chmod', (path) => journal.chmod(path, 0o777)],
    ['chmod twice', (path) => journal.transact((tx) => tx.chmod(path, 0o777).then(() => tx.chmod(path, 0o604)))],
    ['remove', (path) => journal.remove(path)],
    ['rename', (path) => journal.rename(path, 'elsewhere')],
    ['be replaced by a rename', (path) => journal.write('new', 'x').then(() => journal.rename('new', path))],
  ])('stays as it is there: %s, and back', async (_, act) => {
    const before = facts()
    await act('inside')
    expect(facts()).toMatchObject({ mode: before.mode, ino: before.ino, mtimeMs: before.mtimeMs, text: before.text })
    await journal.undo('head')
    expect(facts()).toMatchObject({ mode: before.mode, ino: before.ino, mtimeMs: before.mtimeMs, text: before.text })
    expect(fs.readFileSync(`${root}/inside`, 'utf8')).toBe('kept\n')
    expect(fs.statSync(`${root}/inside`).mode & 0o777).toBe(0o640)
  })

  it('whose link is cut by a chmod has the permissions asked for', async () => {
    await journal.chmod('inside', 0o751)
    expect(fs.statSync(`${root}/inside`).mode & 0o7777).toBe(0o751)
    expect(fs.readFileSync(`${root}/inside`, 'utf8')).toBe('kept\n')
    expect((await journal.verify({ workspace: true })).ok).toBe(true)
  })
})
