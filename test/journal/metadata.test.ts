import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type Journal, openJournal } from '../../src/index.ts'
import { newDisk, openOn, ROOT } from './fixture.ts'

const LINUX = process.platform === 'linux'
const native = createRequire(import.meta.url)('fs-native-extensions') as {
  setAttrSync(fd: number, name: string, value: Uint8Array): void
  getAttrSync(fd: number, name: string): Uint8Array | null
}
const opened: { root: string; journal: Journal }[] = []

async function real(): Promise<{ root: string; journal: Journal }> {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'metadata-')))
  const both = { root, journal: await openJournal(root) }
  opened.push(both)
  return both
}

afterEach(async () => {
  for (const { root, journal } of opened.splice(0)) {
    await journal.close()
    fs.rmSync(root, { recursive: true, force: true })
  }
})

const modeOf = (file: string): number => fs.lstatSync(file).mode & 0o7777

function attribute(file: string, name: string, value?: Uint8Array): string | null {
  const fd = fs.openSync(file, 'r')
  try {
    if (value !== undefined) native.setAttrSync(fd, name, value)
    return native.getAttrSync(fd, name)?.toString() ?? null
  } finally {
    fs.closeSync(fd)
  }
}

describe('what a file is, besides its content', () => {
  it.each([0o600, 0o640, 0o755, 0o444, 0o4755, 0o2750])('keeps its mode %o', async (mode) => {
    const { root, journal } = await real()
    fs.writeFileSync(`${root}/a`, 'old')
    fs.chmodSync(`${root}/a`, mode)
    await journal.write('a', 'new')
    expect(modeOf(`${root}/a`)).toBe(mode)
    await journal.append('a', '!')
    await journal.edit('a', [{ oldText: 'new', newText: 'newer' }])
    await journal.write('a', Buffer.alloc(2 * 1024 * 1024, 'x'))
    expect(modeOf(`${root}/a`)).toBe(mode)
    await journal.remove('a')
    await journal.undo(journal.head.seq)
    expect(modeOf(`${root}/a`)).toBe(mode)
    await journal.rename('a', 'b')
    expect(modeOf(`${root}/b`)).toBe(mode)
  })

  it('gets the mode it was given, whatever the umask', async () => {
    const { root, journal } = await real()
    const umask = process.umask(0o077)
    try {
      await journal.write('given', 'x', { mode: 0o666 })
      expect(modeOf(`${root}/given`)).toBe(0o666)
      await journal.chmod('given', 0o751)
      expect(modeOf(`${root}/given`)).toBe(0o751)
      await journal.mkdir('folder', { mode: 0o777 })
      expect(modeOf(`${root}/folder`)).toBe(0o777)
    } finally {
      process.umask(umask)
    }
  })

  it('a new one gets what the umask gives', async () => {
    const { root, journal } = await real()
    await journal.write('sub/new', 'x')
    fs.writeFileSync(`${root}/plain`, 'x')
    fs.mkdirSync(`${root}/folder`)
    expect(modeOf(`${root}/sub/new`)).toBe(modeOf(`${root}/plain`))
    expect(modeOf(`${root}/sub`)).toBe(modeOf(`${root}/folder`))
  })

  it.runIf(LINUX)('keeps its extended attributes', async (context) => {
    const { root, journal } = await real()
    fs.writeFileSync(`${root}/a`, 'old')
    try {
      attribute(`${root}/a`, 'user.origin', Buffer.from('here'))
    } catch {
      context.skip('no extended attributes here')
    }
    await journal.write('a', 'new')
    expect(attribute(`${root}/a`, 'user.origin')).toBe('here')
    await journal.write('a', Buffer.alloc(2 * 1024 * 1024, 'x'))
    expect(attribute(`${root}/a`, 'user.origin')).toBe('here')
    await journal.undo(journal.head.seq)
    expect(attribute(`${root}/a`, 'user.origin')).toBe('here')
  })

  it.runIf(LINUX).each([10, 300 * 1024])(
    'keeps attributes that somebody gave it since it was written, %i bytes',
    async (size) => {
      const { root, journal } = await real()
      await journal.write('a', Buffer.alloc(size, 'x'))
      await journal.write('a', Buffer.alloc(size, 'y'))
      try {
        attribute(`${root}/a`, 'user.origin', Buffer.from('here'))
      } catch {
        return
      }
      await journal.write('a', Buffer.alloc(size, 'z'), { mode: 0o640 })
      expect(attribute(`${root}/a`, 'user.origin')).toBe('here')
      expect(modeOf(`${root}/a`)).toBe(0o640)
      await journal.write('a', Buffer.alloc(size, 'w'))
      expect(attribute(`${root}/a`, 'user.origin')).toBe('here')
      expect(await journal.status()).toMatchObject({ changed: [] })
    },
  )

  it.runIf(LINUX).each(['at once', 'after an edit'])(
    'keeps attributes that it was given when it is edited, %s',
    async (when) => {
      const { root, journal } = await real()
      await journal.write('a', 'one two')
      if (when === 'after an edit') await journal.edit('a', [{ oldText: 'one', newText: 'uno' }])
      try {
        attribute(`${root}/a`, 'user.origin', Buffer.from('here'))
      } catch {
        return
      }
      for (const newText of ['due', 'tre']) {
        await journal.edit('a', [{ oldText: newText === 'due' ? 'two' : 'due', newText }])
        expect(attribute(`${root}/a`, 'user.origin')).toBe('here')
      }
      await journal.append('a', '!')
      expect(attribute(`${root}/a`, 'user.origin')).toBe('here')
      expect(await journal.status()).toMatchObject({ changed: [] })
    },
  )

  it.runIf(LINUX)('new ones get the group of a setgid folder', async (context) => {
    if (process.geteuid?.() !== 0) context.skip('only root may give files away')
    const { root, journal } = await real()
    fs.mkdirSync(`${root}/shared`)
    fs.chownSync(`${root}/shared`, 0, 4242)
    fs.chmodSync(`${root}/shared`, 0o2775)
    await journal.transact(async (tx) => {
      await tx.write('shared/new', 'x')
      await tx.write('shared/sub/deep', 'x')
    })
    expect(fs.statSync(`${root}/shared/new`).gid).toBe(4242)
    expect(fs.statSync(`${root}/shared/sub`).gid).toBe(4242)
    expect(modeOf(`${root}/shared/sub`) & 0o2000).toBe(0o2000)
    expect(fs.statSync(`${root}/shared/sub/deep`).gid).toBe(4242)
  })

  it.runIf(LINUX)('new ones get the default access list of their folder', async (context) => {
    const { root, journal } = await real()
    fs.mkdirSync(`${root}/shared`)
    // user::rwx user:4242:rw- group::r-x mask::rwx other::---
    const list = acl([
      [0x01, 7, -1],
      [0x02, 6, 4242],
      [0x04, 5, -1],
      [0x10, 7, -1],
      [0x20, 0, -1],
    ])
    try {
      attribute(`${root}/shared`, 'system.posix_acl_default', list)
    } catch {
      context.skip('no access lists here')
    }
    fs.writeFileSync(`${root}/shared/by-kernel`, 'x')
    await journal.write('shared/by-journal', 'x')
    expect(modeOf(`${root}/shared/by-journal`)).toBe(modeOf(`${root}/shared/by-kernel`))
    expect(attribute(`${root}/shared/by-journal`, 'system.posix_acl_access')).toBe(
      attribute(`${root}/shared/by-kernel`, 'system.posix_acl_access'),
    )
    await journal.write('shared/by-kernel', 'y')
    expect(attribute(`${root}/shared/by-kernel`, 'system.posix_acl_access')).toBe(
      attribute(`${root}/shared/by-journal`, 'system.posix_acl_access'),
    )
  })

  it.runIf(LINUX)('keeps its owner', async (context) => {
    if (process.geteuid?.() !== 0) context.skip('only root may give files away')
    const { root, journal } = await real()
    fs.writeFileSync(`${root}/a`, 'old')
    fs.chownSync(`${root}/a`, 4242, 4243)
    await journal.write('a', 'new')
    await journal.append('a', Buffer.alloc(2 * 1024 * 1024, 'x'))
    expect(fs.statSync(`${root}/a`)).toMatchObject({ uid: 4242, gid: 4243 })
    await journal.remove('a')
    await journal.undo(journal.head.seq)
    expect(fs.statSync(`${root}/a`)).toMatchObject({ uid: 4242, gid: 4243 })
  })

  it('keeps its owner on a simulated disk, through a recovery too', async () => {
    const disk = newDisk({ superuser: true })
    disk.writeFile(`${ROOT}/a`, 'old', 0o640)
    const handle = disk.open(`${ROOT}/a`, 'write')
    disk.chown(handle, 7, 8)
    disk.close(handle)
    disk.settle()
    const journal = await openOn(disk)
    disk.faults.before = ({ kind }) => {
      if (kind === 'exchange') disk.faults.crashAt(0)
    }
    await journal.write('a', 'new').catch(() => undefined)
    const left = disk.crash('any', { seed: 3 })
    const again = await openOn(left)
    expect(left.readText(`${ROOT}/a`)).toBe('new')
    expect(left.lstat(`${ROOT}/a`)).toMatchObject({ uid: 7, gid: 8, mode: 0o640 })
    await again.close()
  })

  it('a file with a second name: the other one keeps the old content', async () => {
    const { root, journal } = await real()
    fs.writeFileSync(`${root}/a`, 'old')
    fs.linkSync(`${root}/a`, `${root}/other`)
    await journal.write('a', 'new')
    expect(fs.readFileSync(`${root}/a`, 'utf8')).toBe('new')
    expect(fs.readFileSync(`${root}/other`, 'utf8')).toBe('old')
    expect(fs.statSync(`${root}/a`).nlink).toBe(1)
  })

  it('a large file with a second name: what is kept does not change through it', async () => {
    const { root, journal } = await real()
    fs.writeFileSync(`${root}/a`, Buffer.alloc(2 * 1024 * 1024, 'old'))
    fs.linkSync(`${root}/a`, `${root}/other`)
    const receipt = await journal.write('a', 'new')
    fs.writeFileSync(`${root}/other`, 'changed')
    expect((await journal.verify()).problems).toEqual([])
    await journal.undo(receipt.tx)
    expect(fs.statSync(`${root}/a`).size).toBe(2 * 1024 * 1024)
  })

  it.runIf(process.platform !== 'win32')(
    'a file that is open while it is replaced: the reader goes on with the old one',
    async () => {
      const { root, journal } = await real()
      fs.writeFileSync(`${root}/a`, 'old content')
      const fd = fs.openSync(`${root}/a`, 'r')
      await journal.write('a', 'new')
      expect(fs.readFileSync(fd, 'utf8')).toBe('old content')
      fs.closeSync(fd)
    },
  )

  it('a symbolic link inside is followed, and stays a link', async () => {
    const { root, journal } = await real()
    fs.mkdirSync(`${root}/real`)
    fs.writeFileSync(`${root}/real/file`, 'old')
    fs.symlinkSync('real', `${root}/folder`)
    fs.symlinkSync('folder/file', `${root}/file`)
    await journal.write('file', 'new')
    await journal.write('folder/other', 'x')
    expect(fs.readFileSync(`${root}/real/file`, 'utf8')).toBe('new')
    expect(fs.readlinkSync(`${root}/file`)).toBe('folder/file')
    expect(fs.readdirSync(`${root}/real`)).toEqual(['file', 'other'])
    await journal.remove('file')
    expect(fs.readFileSync(`${root}/real/file`, 'utf8')).toBe('new')
  })
})

/** The kernel's form of an access list: version 2, then tag, permissions and id of each entry. */
function acl(entries: readonly (readonly [tag: number, permissions: number, id: number])[]): Buffer {
  const list = Buffer.alloc(4 + entries.length * 8)
  list.writeUInt32LE(2, 0)
  for (const [i, [tag, permissions, id]] of entries.entries()) {
    list.writeUInt16LE(tag, 4 + i * 8)
    list.writeUInt16LE(permissions, 6 + i * 8)
    list.writeInt32LE(id, 8 + i * 8)
  }
  return list
}

describe('how a text is written down', () => {
  const forms: Readonly<Record<string, string>> = {
    'line feeds': 'one\ntwo\nthree\n',
    'carriage returns and line feeds': 'one\r\ntwo\r\nthree\r\n',
    'a byte order mark': '\ufeffone\ntwo\nthree\n',
    'a mark and carriage returns': '\ufeffone\r\ntwo\r\nthree\r\n',
    'no last newline': 'one\ntwo\nthree',
    'carriage returns and no last newline': 'one\r\ntwo\r\nthree',
    'tabs and blanks at line ends': '\tone \ntwo\t\n  three\n\n\n',
    'letters beyond ASCII': 'one \u00e9 \u{1f600}\ntwo\nthree\n',
    'mixed endings': 'one\ntwo\nx\r\nthree\n',
  }

  it.each(Object.entries(forms))('%s, kept by an edit', async (_, text) => {
    const disk = newDisk()
    disk.writeFile(`${ROOT}/a`, text)
    const journal = await openOn(disk)
    await journal.edit('a', [{ oldText: 'two', newText: 'zwei' }])
    expect(disk.readText(`${ROOT}/a`)).toBe(text.replace('two', 'zwei'))
    await journal.close()
  })

  it.each(Object.entries(forms))('%s, kept by an edit of several lines written with line feeds', async (_, text) => {
    const disk = newDisk()
    disk.writeFile(`${ROOT}/a`, text)
    const journal = await openOn(disk)
    const oldText = text.includes('two\t') ? 'two\t\n  three' : text.includes('x\r\n') ? 'one\ntwo' : 'two\nthree'
    await journal.edit('a', [{ oldText, newText: 'zwei\nneu\ndrei' }])
    const ending = /two\r\nthree/.test(text) ? '\r\n' : '\n'
    const expected = text.replace(oldText.replaceAll('\n', ending), ['zwei', 'neu', 'drei'].join(ending))
    expect(disk.readText(`${ROOT}/a`)).toBe(expected)
    await journal.close()
  })

  it.each(Object.entries(forms))('%s, kept by an append', async (_, text) => {
    const disk = newDisk()
    disk.writeFile(`${ROOT}/a`, text)
    const journal = await openOn(disk)
    await journal.append('a', 'four')
    expect(disk.readText(`${ROOT}/a`)).toBe(`${text}four`)
    await journal.close()
  })

  it.each(Object.entries(forms).filter(([name]) => !/tabs|mixed|mark/.test(name)))(
    '%s, kept by a patch',
    async (_, text) => {
      const disk = newDisk()
      disk.writeFile(`${ROOT}/a`, text)
      const journal = await openOn(disk)
      const first = text.split(/\r?\n/)[0] as string
      const last = text.endsWith('\n') ? '' : '\n\\ No newline at end of file'
      await journal.patch('a', `--- a\n+++ b\n@@ -1,3 +1,3 @@\n ${first}\n-two\n+zwei\n three${last}\n`)
      expect(disk.readText(`${ROOT}/a`)).toBe(text.replace('two', 'zwei'))
      await journal.close()
    },
  )

  it('a byte order mark, kept by a patch that does not know of it', async () => {
    const disk = newDisk()
    disk.writeFile(`${ROOT}/a`, '\ufeffone\r\ntwo\r\n')
    const journal = await openOn(disk)
    await journal.patch('a', '--- a\n+++ b\n@@ -1,2 +1,2 @@\n-one\n+eins\n two\n')
    expect(disk.readText(`${ROOT}/a`)).toBe('\ufeffeins\r\ntwo\r\n')
    await journal.close()
  })
})

it('a file that becomes unreadable takes over attributes that it got since it was written', async () => {
  const disk = newDisk({ superuser: false })
  const journal = await openOn(disk)
  await journal.write('a', 'one')
  const handle = disk.open(`${ROOT}/a`, 'read')
  disk.setAttribute(handle, 'user.origin', Buffer.from('here'))
  disk.close(handle)
  await journal.write('a', 'two', { mode: 0o200 })
  disk.chmod(`${ROOT}/a`, 0o600)
  const again = disk.open(`${ROOT}/a`, 'read')
  expect(disk.attributes(again).map(([name, value]) => [name, Buffer.from(value).toString()])).toEqual([
    ['user.origin', 'here'],
  ])
  disk.close(again)
  await journal.close()
})
