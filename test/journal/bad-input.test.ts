import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { type ErrorCode, type Journal, openJournal } from '../../src/index.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { failure, newDisk, openOn, ROOT, refused, staged, workspace } from './fixture.ts'

type Attempt = (journal: Journal, target: string) => Promise<unknown>

/** Every operation that names a path. */
const ATTEMPTS: Readonly<Record<string, Attempt>> = {
  write: (journal, target) => journal.write(target, 'x'),
  append: (journal, target) => journal.append(target, 'x'),
  edit: (journal, target) => journal.edit(target, [{ oldText: 'kept', newText: 'x' }]),
  patch: (journal, target) => journal.patch(target, '@@ -1 +1 @@\n-kept\n+x\n'),
  remove: (journal, target) => journal.remove(target),
  'remove recursively': (journal, target) => journal.remove(target, { recursive: true }),
  'rename from': (journal, target) => journal.rename(target, 'elsewhere'),
  'rename to': (journal, target) => journal.rename('kept', target),
  mkdir: (journal, target) => journal.mkdir(target),
  rmdir: (journal, target) => journal.rmdir(target),
  chmod: (journal, target) => journal.chmod(target, 0o700),
  symlink: (journal, target) => journal.symlink(target, 'kept'),
  read: (journal, target) => journal.transact((tx) => tx.read(target)),
  lock: (journal, target) => journal.transact((tx) => tx.lock([target])),
}

/** Operations that act on a link itself, not on what it leads to. */
const ON_LINKS = new Set(['remove', 'remove recursively', 'rename from', 'rename to', 'mkdir', 'rmdir', 'symlink'])

async function prepared(options: Parameters<typeof newDisk>[0] = {}): Promise<{ disk: SimDisk; journal: Journal }> {
  const disk = newDisk(options)
  disk.writeFile('/outside', 'kept')
  disk.mkdirp('/away')
  disk.writeFile('/away/file', 'kept')
  disk.writeFile(`${ROOT}/kept`, 'kept')
  disk.mkdirp(`${ROOT}/folder`)
  disk.writeFile(`${ROOT}/folder/file`, 'kept')
  return { disk, journal: await openOn(disk) }
}

/** No operation takes the path; each says so with the same code, and nothing changes, outside neither. */
async function refusedByAll(target: string, code: ErrorCode, except: ReadonlySet<string> = new Set()): Promise<void> {
  const { disk, journal } = await prepared()
  await journal.write('first', 'x')
  for (const [name, attempt] of Object.entries(ATTEMPTS)) {
    if (except.has(name)) continue
    const error = await refused(disk, code, () => attempt(journal, target)).catch((cause: unknown) => {
      throw new Error(`${name} ${JSON.stringify(target)}`, { cause })
    })
    expect(error.path, name).toBe(target)
    expect(disk.readText('/outside')).toBe('kept')
    expect(disk.readText('/away/file')).toBe('kept')
  }
  expect(journal.head.seq).toBe(1)
  await journal.close()
  expect(disk.openHandles).toEqual([])
}

describe('paths outside the workspace', () => {
  it.each([
    '..',
    '../outside',
    '../../x',
    'folder/../../outside',
    './../x',
    '/outside',
    '/',
    '/ws2/file',
    '/w',
    'a/b/../../../c',
  ])('%s', (target) => refusedByAll(target, target === '/' ? 'PATH_OUTSIDE' : 'PATH_OUTSIDE'))

  it('takes an absolute path that lies inside', async () => {
    const { disk, journal } = await prepared()
    await journal.write(`${ROOT}/folder/new`, 'x')
    expect(disk.readText(`${ROOT}/folder/new`)).toBe('x')
    await journal.close()
  })

  it('the workspace itself', () => refusedByAll('.', 'INVALID'))
  it('nothing at all', () => refusedByAll('', 'INVALID'))
})

describe('paths into a journal', () => {
  it.each([
    '.journal/FORMAT',
    '.journal',
    './.journal/log/000000000001.wal',
    'folder/../.journal/LOCK',
    'folder/.journal/x',
    '.JOURNAL/FORMAT',
    '.Journal/x',
    '.journal./x',
    '.journal . ./x',
    '.journal::$INDEX_ALLOCATION/x',
    '.journal:stream',
    'journa~1/x',
    'JOURNA~2',
    '.jour\u200bnal/x',
    '\u2060.journal/x',
    '.jou\u00adrnal/x',
    '.journal\ufe0f/x',
    '\ufeff.journal/x',
    '\uff0ejournal/x',
    '.\uff4aournal/x',
    '.\ud835\udcd9ournal/x',
    '.journ\u00aal/x',
    `${ROOT}/.journal/x`,
  ])('%j', (target) => refusedByAll(target, 'PATH_OUTSIDE'))

  it.each(['.journals', 'journal', '.journal2', 'x.journal', 'journa~', 'journa~x'])(
    '%s is somebody else',
    async (target) => {
      const { disk, journal } = await prepared()
      await journal.write(target, 'x')
      expect(disk.readText(`${ROOT}/${target}`)).toBe('x')
      await journal.close()
    },
  )
})

describe('paths through symbolic links', () => {
  const links: Readonly<Record<string, string>> = {
    'absolute, out': '/away',
    'relative, out': '../away',
    'relative, out and in again': '../ws/../away',
    'to the root': '/',
    'to the folder above': '..',
    'to the journal': '.journal',
    'to the journal, absolute': `${ROOT}/.journal`,
    'to something missing outside': '/nowhere',
    'beginning like the workspace': '/ws-not',
  }
  it.each(Object.entries(links))('a folder on the way, %s', async (_, target) => {
    const { disk, journal } = await prepared()
    disk.writeLink(`${ROOT}/link`, target)
    for (const [name, attempt] of Object.entries(ATTEMPTS)) {
      const error = await refused(disk, 'PATH_OUTSIDE', () => attempt(journal, 'link/file'))
      expect(error.path, name).toBe('link/file')
    }
    expect(disk.readText('/away/file')).toBe('kept')
    await journal.close()
  })

  it.each([
    ['absolute', '/outside'],
    ['relative', '../outside'],
    ['into the journal', '.journal/FORMAT'],
    ['to another link that leads out', 'second'],
  ])('the last name, %s', async (_, target) => {
    const { disk, journal } = await prepared()
    disk.writeLink(`${ROOT}/second`, '/outside')
    disk.writeLink(`${ROOT}/link`, target)
    for (const [name, attempt] of Object.entries(ATTEMPTS)) {
      if (ON_LINKS.has(name)) continue
      await refused(disk, 'PATH_OUTSIDE', () => attempt(journal, 'link'))
    }
    expect(disk.readText('/outside')).toBe('kept')
    // The link itself is the workspace's own.
    await journal.rename('link', 'renamed')
    await journal.remove('renamed')
    expect(disk.readText('/outside')).toBe('kept')
    await journal.close()
  })

  it.each([
    ['itself', { link: 'link' }],
    ['two', { link: 'other', other: 'link' }],
    ['through a folder', { link: 'folder/../link' }],
    ['growing', { link: 'link/link' }],
  ])('loops of %s', async (_, links) => {
    const { disk, journal } = await prepared()
    for (const [name, target] of Object.entries(links)) disk.writeLink(`${ROOT}/${name}`, target as string)
    for (const [name, attempt] of Object.entries(ATTEMPTS)) {
      const error = await refused(disk, 'INVALID', () => attempt(journal, 'link/x'))
      expect(error.message, name).toMatch(/loop/)
    }
    await refused(disk, 'INVALID', () => journal.write('link', 'x'))
    await journal.close()
  })

  it('follows a link that stays inside to its target, and keeps the link', async () => {
    const { disk, journal } = await prepared()
    disk.writeLink(`${ROOT}/link`, 'folder')
    disk.writeLink(`${ROOT}/last`, `${ROOT}/folder/file`)
    await journal.write('link/file', 'through the folder')
    expect(disk.readText(`${ROOT}/folder/file`)).toBe('through the folder')
    const receipt = await journal.append('last', '!')
    expect(receipt.files.map((file) => file.path)).toEqual(['folder/file'])
    expect(disk.readText(`${ROOT}/folder/file`)).toBe('through the folder!')
    expect(disk.readLink(`${ROOT}/last`)).toBe(`${ROOT}/folder/file`)
    const [entry] = (await journal.show(receipt.tx)).entries
    expect(entry).toMatchObject({ path: 'folder/file', as: 'last' })
    await journal.close()
  })

  it.each(['parent', 'last name'])('the %s swapped for a link out between staging and commit', async (which) => {
    const { disk, journal } = await prepared()
    const tx = journal.begin()
    await tx.write('folder/file', 'x')
    if (which === 'parent') {
      disk.rename(`${ROOT}/folder`, `${ROOT}/moved`)
      disk.writeLink(`${ROOT}/folder`, '/away')
    } else {
      disk.unlink(`${ROOT}/folder/file`)
      disk.writeLink(`${ROOT}/folder/file`, '/outside')
    }
    const error = await refused(disk, which === 'parent' ? 'PATH_OUTSIDE' : 'PATH_OUTSIDE', () => tx.commit())
    expect(error.hint).not.toBe('')
    expect(disk.readText('/outside')).toBe('kept')
    expect(disk.readText('/away/file')).toBe('kept')
    expect(await staged(disk)).toEqual([])
    await journal.close()
  })

  it.each(['write over', 'write new', 'remove', 'rename', 'mkdir', 'chmod'])(
    'the parent swapped for a link at any moment of a commit: %s',
    async (what) => {
      for (let k = 1; k < 400; k += 1) {
        const { disk, journal } = await prepared()
        const away = disk.tree('/away')
        const tx = journal.begin()
        if (what === 'write over') await tx.write('folder/file', 'x')
        else if (what === 'write new') await tx.write('folder/new', 'x')
        else if (what === 'remove') await tx.remove('folder/file')
        else if (what === 'rename') await tx.rename('kept', 'folder/kept')
        else if (what === 'mkdir') await tx.mkdir('folder/sub')
        else await tx.chmod('folder/file', 0o777)
        let left = k
        disk.faults.before = () => {
          left -= 1
          if (left !== 0) return
          disk.faults.before = null
          disk.rename(`${ROOT}/folder`, `${ROOT}/moved`)
          disk.writeLink(`${ROOT}/folder`, '/away')
        }
        const before = workspace(disk).size
        const error = await tx.commit().then(
          () => null,
          (cause: unknown) => failure(() => Promise.reject(cause)),
        )
        const swapped = left <= 0
        disk.faults.heal()
        expect([...disk.tree('/away')], `k=${k}, ${error?.message}`).toEqual([...away])
        expect(before).toBeGreaterThan(0)
        await journal.close().catch(() => undefined)
        if (!swapped) return
      }
      throw new Error('the commit has no end')
    },
  )
})

describe('names that no file can have', () => {
  it.each(['a\0b', '\0', 'folder/\0/x'])('NUL: %j', (target) => refusedByAll(target, 'INVALID'))
  it.each(['a\ud800', '\udc00/x', 'folder/\udfff'])('lone surrogates: %j', (target) => refusedByAll(target, 'INVALID'))
  it('a name too long', () => refusedByAll('x'.repeat(256), 'INVALID'))
  it('a name too long in bytes', () => refusedByAll('é'.repeat(128), 'INVALID'))
  it('a path too long', () => refusedByAll(Array(60).fill('y'.repeat(100)).join('/'), 'INVALID'))
  it('a path that is too long only below the workspace', async () => {
    const { disk, journal } = await prepared()
    await refused(disk, 'INVALID', () => journal.write(Array(1023).fill('abc').join('/').concat('/ab'), 'x'))
    await journal.close()
  })
  it('takes a name of 255 bytes', async () => {
    const { disk, journal } = await prepared()
    const name = 'é'.repeat(127)
    await journal.write(name, '1')
    await journal.write(name, '2')
    await journal.remove(name)
    expect(disk.exists(`${ROOT}/${name}`)).toBe(false)
    expect(await staged(disk)).toEqual([])
    await journal.close()
  })

  it.each(['write', 'append', 'edit', 'patch', 'remove', 'symlink', 'read'])('a trailing slash: %s', async (name) => {
    const { disk, journal } = await prepared()
    for (const target of ['kept/', 'new/', 'folder/new//']) {
      await refused(disk, 'INVALID', () => (ATTEMPTS[name] as Attempt)(journal, target))
    }
    await journal.close()
  })

  it('a file on the way', async () => {
    const { disk, journal } = await prepared()
    for (const [name, attempt] of Object.entries(ATTEMPTS)) {
      const error = await refused(disk, 'INVALID', () => attempt(journal, 'kept/below'))
      expect(error.path, name).toBe('kept/below')
    }
    await journal.close()
  })

  it.each([undefined, null, 5, {}, ['a']])('what is no text: %j', async (target) => {
    const { disk, journal } = await prepared()
    for (const [name, attempt] of Object.entries(ATTEMPTS)) {
      await refused(disk, 'INVALID', () => attempt(journal, target as unknown as string)).catch((cause: unknown) => {
        throw new Error(name, { cause })
      })
    }
    await journal.close()
  })
})

describe('names that differ only in case', () => {
  it('are refused where the file system takes them for one', async () => {
    const { disk, journal } = await prepared({ folding: true })
    await journal.write('Readme', '1')
    await refused(disk, 'INVALID', () => journal.write('README', '2'))
    await refused(disk, 'INVALID', () =>
      journal.transact(async (tx) => {
        await tx.write('one', '1')
        await tx.write('ONE', '2')
      }),
    )
    await refused(disk, 'INVALID', () =>
      journal.transact(async (tx) => {
        await tx.write('caf\u00e9', '1')
        await tx.write('cafe\u0301', '2')
      }),
    )
    await refused(disk, 'PATH_OUTSIDE', () => journal.write('.JOURNAL/x', '2'))
    expect(disk.readText(`${ROOT}/Readme`)).toBe('1')
    await journal.close()
  })

  it('are two files elsewhere', async () => {
    const { disk, journal } = await prepared()
    await journal.write('Readme', '1')
    await journal.write('README', '2')
    expect(disk.readText(`${ROOT}/Readme`)).toBe('1')
    await journal.close()
  })
})

describe('binary content in text operations', () => {
  it.each([
    ['bytes that are no UTF-8', Uint8Array.of(0x6b, 0xff, 0xfe)],
    ['a NUL', Buffer.from('kept\0')],
    ['half a letter', Uint8Array.of(0xe8, 0xaa)],
    ['an encoded surrogate', Uint8Array.of(0xed, 0xa0, 0x80)],
  ])('%s', async (_, bytes) => {
    const { disk, journal } = await prepared()
    disk.writeFile(`${ROOT}/binary`, bytes)
    await refused(disk, 'INVALID', () => journal.edit('binary', [{ oldText: 'k', newText: 'x' }]))
    await refused(disk, 'INVALID', () => journal.patch('binary', '@@ -1 +1 @@\n-k\n+x\n'))
    await journal.close()
  })

  it.each([
    ['an empty list', []],
    ['no list', 'x'],
    ['no texts', [{ oldText: 'x' }]],
    ['an empty old text', [{ oldText: '', newText: 'x' }]],
  ])('edits that are none: %s', async (_, edits) => {
    const { disk, journal } = await prepared()
    await refused(disk, 'INVALID', () => journal.edit('kept', edits as never))
    await journal.close()
  })

  it('a text that is not there, or there twice, names the place', async () => {
    const { disk, journal } = await prepared()
    disk.writeFile(`${ROOT}/text`, 'const alpha = 1\nconst beta = 2\nconst alpha = 1\n')
    const missing = await refused(disk, 'INVALID', () =>
      journal.edit('text', [{ oldText: 'const beta = 3', newText: '' }]),
    )
    expect(missing.details).toMatchObject({ count: 0 })
    expect(missing.hint).toContain('const beta = 2')
    const twice = await refused(disk, 'INVALID', () => journal.edit('text', [{ oldText: 'const alpha', newText: '' }]))
    expect(twice.details).toEqual({ count: 2, lines: [1, 3] })
    // The second of two edits fails: the first is not kept either.
    await refused(disk, 'INVALID', () =>
      journal.edit('text', [
        { oldText: 'beta', newText: 'gamma' },
        { oldText: 'none', newText: '' },
      ]),
    )
    await journal.close()
  })

  it('a patch that does not fit', async () => {
    const { disk, journal } = await prepared()
    await refused(disk, 'CONFLICT', () => journal.patch('kept', '@@ -1 +1 @@\n-other\n+x\n'))
    await refused(disk, 'INVALID', () => journal.patch('kept', '@@ nonsense'))
    await journal.close()
  })
})

describe('requests that make no sense', () => {
  it('is typed, and changes nothing', async () => {
    const { disk, journal } = await prepared()
    disk.writeLink(`${ROOT}/link`, 'kept')
    await refused(disk, 'NOT_FOUND', () => journal.remove('missing'))
    await refused(disk, 'NOT_FOUND', () => journal.rename('missing', 'x'))
    await refused(disk, 'NOT_FOUND', () => journal.edit('missing', [{ oldText: 'a', newText: 'b' }]))
    await refused(disk, 'NOT_FOUND', () => journal.patch('missing', '@@ -1 +1 @@\n-a\n+b\n'))
    await refused(disk, 'NOT_FOUND', () => journal.chmod('missing', 0o600))
    await refused(disk, 'NOT_FOUND', () => journal.rmdir('missing'))
    await refused(disk, 'NOT_FOUND', () => journal.undo('tzzzzzzzzzzzzzzz'))
    await refused(disk, 'INVALID', () => journal.remove('folder'))
    await refused(disk, 'INVALID', () => journal.rmdir('folder'))
    await refused(disk, 'INVALID', () => journal.rmdir('kept'))
    await refused(disk, 'INVALID', () => journal.write('folder', 'x'))
    await refused(disk, 'INVALID', () => journal.append('folder', 'x'))
    await refused(disk, 'INVALID', () => journal.rename('folder', 'folder/inside'))
    await refused(disk, 'INVALID', () => journal.rename('kept', 'kept'))
    await refused(disk, 'EXISTS', () => journal.rename('kept', 'folder'))
    await refused(disk, 'EXISTS', () => journal.mkdir('folder'))
    await refused(disk, 'EXISTS', () => journal.mkdir('kept'))
    await refused(disk, 'EXISTS', () => journal.symlink('link', 'kept'))
    await refused(disk, 'INVALID', () => journal.symlink('other', ''))
    await refused(disk, 'INVALID', () => journal.symlink('other', 'a\0'))
    await refused(disk, 'INVALID', () => journal.symlink('other', 'x'.repeat(5000)))
    for (const mode of [-1, 0o10000, 1.5, Number.NaN, '755' as unknown as number]) {
      await refused(disk, 'INVALID', () => journal.chmod('kept', mode))
      await refused(disk, 'INVALID', () => journal.write('kept', 'x', { mode }))
    }
    for (const content of [undefined, null, 5, {}, [1]]) {
      await refused(disk, 'INVALID', () => journal.write('kept', content as never))
    }
    await refused(disk, 'INVALID', () => journal.transact(undefined as never))
    await refused(disk, 'INVALID', () => journal.write('kept', 'x', { actor: 5 as unknown as string }))
    await refused(disk, 'INVALID', () => journal.write('kept', 'x', { message: 'm'.repeat(70_000) }))
    await refused(disk, 'INVALID', () => journal.write('kept', 'x', { tags: 'one' as never }))
    await journal.close()
  })

  it('a stream that fails half way leaves nothing', async () => {
    const { disk, journal } = await prepared()
    async function* broken(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 3; i += 1) yield Buffer.alloc(1024 * 1024)
      throw new Error('the line went dead')
    }
    const error = await refused(disk, 'IO', () => journal.write('kept', broken()))
    expect(error.message).toContain('the line went dead')
    async function* nonsense(): AsyncGenerator<never> {
      yield 5 as never
    }
    await refused(disk, 'INVALID', () => journal.write('kept', nonsense()))
    await journal.close()
    expect(disk.openHandles).toEqual([])
  })

  it('an expectation that does not hold', async () => {
    const { disk, journal } = await prepared()
    const error = await refused(disk, 'CONFLICT', () => journal.write('kept', 'x', { expect: '0'.repeat(64) }))
    expect(error.details).toMatchObject({ expected: '0'.repeat(64) })
    await refused(disk, 'CONFLICT', () => journal.write('kept', 'x', { expect: null }))
    await refused(disk, 'CONFLICT', () => journal.append('new', 'x', { expect: '0'.repeat(64) }))
    await refused(disk, 'CONFLICT', () => journal.remove('kept', { expect: '0'.repeat(64) }))
    await refused(disk, 'CONFLICT', () => journal.rename('kept', 'x', { expect: '0'.repeat(64) }))
    await journal.close()
  })

  it('after the end', async () => {
    const { disk, journal } = await prepared()
    const tx = journal.begin()
    await tx.write('a', 'x')
    await tx.commit()
    await refused(disk, 'CLOSED', () => tx.write('b', 'x'))
    await refused(disk, 'CLOSED', () => tx.commit())
    const aborted = journal.begin()
    await aborted.write('a', 'y')
    await aborted.abort()
    await aborted.abort()
    await refused(disk, 'CLOSED', () => aborted.commit())
    await journal.close()
    await journal.close()
    await refused(disk, 'CLOSED', () => journal.write('a', 'x'))
    await refused(disk, 'CLOSED', async () => journal.begin())
    const reader = await openOn(disk, { readOnly: true })
    await refused(disk, 'INVALID', () => reader.write('a', 'x'))
    await refused(disk, 'INVALID', () => reader.undo(1))
    await refused(disk, 'INVALID', () => reader.checkpoint())
    await reader.close()
  })

  it.each([
    ['missing', '/none', 'NOT_FOUND'],
    ['a file', '/outside', 'INVALID'],
    ['empty', '', 'INVALID'],
    ['with NUL', '/a\0', 'INVALID'],
  ] as const)('a workspace that is %s', async (_, root, code) => {
    const { disk, journal } = await prepared()
    await journal.close()
    const error = await failure(() => openJournal(root, { disk }))
    expect(error.code).toBe(code)
  })
})

describe('on the real file system', () => {
  it('leads nowhere outside, by name or by link', async () => {
    const base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'bad-input-')))
    try {
      const root = `${base}/ws`
      fs.mkdirSync(`${root}/folder`, { recursive: true })
      fs.mkdirSync(`${base}/away`)
      fs.writeFileSync(`${base}/away/file`, 'kept')
      fs.symlinkSync('../away', `${root}/link`)
      fs.symlinkSync(`${base}/away/file`, `${root}/last`)
      const journal = await openJournal(root)
      for (const target of ['../away/file', `${base}/away/file`, 'link/file', 'last', '.journal/FORMAT']) {
        expect((await failure(() => journal.write(target, 'x'))).code).toBe('PATH_OUTSIDE')
      }
      const tx = journal.begin()
      await tx.write('folder/file', 'x')
      fs.renameSync(`${root}/folder`, `${root}/moved`)
      fs.symlinkSync('../away', `${root}/folder`)
      expect((await failure(() => tx.commit())).code).toBe('PATH_OUTSIDE')
      expect(fs.readdirSync(`${base}/away`)).toEqual(['file'])
      expect(fs.readFileSync(`${base}/away/file`, 'utf8')).toBe('kept')
      expect(journal.head.seq).toBe(0)
      await journal.close()
    } finally {
      fs.rmSync(base, { recursive: true, force: true })
    }
  })
})
