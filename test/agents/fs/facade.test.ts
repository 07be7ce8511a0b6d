import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import nodeFs, { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createFs, type FsOptions } from '../../../src/agents/fs/index.ts'
import { historyOf, scratchFolder, scratchJournal } from '../scratch.ts'

async function facade(options: FsOptions = {}) {
  const journal = await scratchJournal()
  const fs = createFs(journal, options)
  const at = (name: string) => join(journal.root, name)
  const read = (name: string) => readFileSync(at(name), 'utf8')
  const count = async () => (await historyOf(journal)).length
  return { journal, fs, at, read, count }
}

/** The error as a caller sees it. */
async function refusal(action: () => unknown): Promise<NodeJS.ErrnoException & { dest?: string }> {
  try {
    await action()
  } catch (error) {
    return error as NodeJS.ErrnoException
  }
  throw new Error('nothing was thrown')
}

describe('errors', () => {
  it.each([
    ['readFile', (fs: typeof nodeFs, at: (name: string) => string) => fs.promises.readFile(at('none'))],
    ['writeFile', (fs, at) => fs.promises.writeFile(at('none/a'), '')],
    ['writeFile of a folder', (fs, at) => fs.promises.writeFile(at('folder'), '')],
    ['unlink', (fs, at) => fs.promises.unlink(at('none'))],
    ['rename', (fs, at) => fs.promises.rename(at('none'), at('other'))],
    ['mkdir', (fs, at) => fs.promises.mkdir(at('folder'))],
    ['rmdir', (fs, at) => fs.promises.rmdir(at('full'))],
    ['rmdir of a file', (fs, at) => fs.promises.rmdir(at('full/a'))],
    ['symlink', (fs, at) => fs.promises.symlink('x', at('folder'))],
    ['copyFile', (fs, at) => fs.promises.copyFile(at('none'), at('other'))],
    ['chmod', (fs, at) => fs.promises.chmod(at('none'), 0o600)],
    ['truncate', (fs, at) => fs.promises.truncate(at('none'), 1)],
    ['open', (fs, at) => fs.promises.open(at('full/a/b'), 'w')],
    ['writeFile of a number', (fs, at) => fs.promises.writeFile(at('a'), 7 as never)],
    ['a path that is none', (fs) => fs.promises.unlink(7 as never)],
    ['a path with NUL', (fs, at) => fs.promises.writeFile(at('a\0b'), '')],
    ['flags that are none', (fs, at) => fs.promises.open(at('a'), 'q')],
  ] as (readonly [string, (fs: typeof nodeFs, at: (name: string) => string) => Promise<unknown>])[])(
    'of %s are as those of Node',
    async (_, call) => {
      const { fs, at, journal } = await facade()
      const plain = scratchFolder()
      for (const folder of [journal.root, plain]) {
        mkdirSync(join(folder, 'folder'))
        mkdirSync(join(folder, 'full'))
        writeFileSync(join(folder, 'full/a'), '')
      }
      const expected = await refusal(() => call(nodeFs, (name) => join(plain, name)))
      const found = await refusal(() => call(fs, at))
      const told = ({ code, errno, syscall, path, dest, message }: typeof expected, root: string) => ({
        code,
        errno,
        syscall,
        path: path?.replace(root, ''),
        dest: dest?.replace(root, ''),
        message: code?.startsWith('ERR_') ? '' : message.replaceAll(root, ''),
      })
      expect(told(found, journal.root)).toEqual(told(expected, plain))
      expect(await historyOf(journal)).toEqual([])
    },
  )

  it('are told to callbacks, and a callback that is none is refused at once', async () => {
    const { fs, at } = await facade()
    const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => fs.unlink(at('none'), resolve))
    expect(error?.code).toBe('ENOENT')
    expect(() => fs.writeFile(at('a'), '', undefined as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
    )
  })

  it('of the journal keep what it said', async () => {
    const { fs, at, journal } = await facade()
    await journal.close()
    const error = await refusal(() => fs.promises.writeFile(at('a'), ''))
    expect([error.code, error.message]).toEqual(['EBADF', expect.stringContaining('the journal is closed')])
    expect(error.cause).toMatchObject({ code: 'CLOSED' })
  })
})

describe('paths', () => {
  it('are taken as text, bytes and URLs, relative ones from where the process is', async () => {
    const { fs, at, read } = await facade()
    await fs.promises.writeFile(Buffer.from(at('bytes')), '1')
    await fs.promises.writeFile(pathToFileURL(at('url')), '2')
    await fs.promises.writeFile(relative(process.cwd(), at('relative')), '3')
    expect([read('bytes'), read('url'), read('relative')]).toEqual(['1', '2', '3'])
  })

  it('lead nowhere outside', async () => {
    const { fs, at, count } = await facade()
    const outside = scratchFolder()
    writeFileSync(join(outside, 'a'), 'outside')
    symlinkSync(outside, at('link'))
    symlinkSync(join(outside, 'a'), at('file-link'))
    for (const call of [
      () => fs.promises.writeFile(join(outside, 'a'), 'x'),
      () => fs.promises.writeFile(at('link/a'), 'x'),
      () => fs.promises.writeFile(at('file-link'), 'x'),
      () => fs.promises.appendFile(at('link/a'), 'x'),
      () => fs.promises.unlink(at('link/a')),
      () => fs.promises.rm(outside, { recursive: true }),
      () => fs.promises.rename(join(outside, 'a'), at('b')),
      () => fs.promises.link(at('../a'), join(outside, 'b')),
      () => fs.promises.link(join(outside, 'a'), at('link/b')),
      () => fs.promises.chown(join(outside, 'a'), 0, 0),
      () => fs.promises.mkdir(at('link/folder/deeper'), { recursive: true }),
      () => fs.promises.open(at('link/new'), 'w'),
      () => fs.promises.cp(outside, join(outside, 'copy'), { recursive: true }),
    ]) {
      expect((await refusal(call)).code, String(call)).toMatch(/^(EACCES|ENOENT|ERR_FS_CP_EINVAL)$/)
    }
    expect(nodeFs.readdirSync(outside)).toEqual(['a'])
    expect(readFileSync(join(outside, 'a'), 'utf8')).toBe('outside')
    expect(await count()).toBe(0)
  })

  it('outside are Node’s own where that is asked for', async () => {
    const { fs, at, read, count } = await facade({ outside: 'pass' })
    const outside = scratchFolder()
    await fs.promises.writeFile(join(outside, 'a'), 'x', { mode: 0o600 })
    await fs.promises.appendFile(join(outside, 'a'), 'y')
    const handle = await fs.promises.open(join(outside, 'b'), 'w')
    await handle.writeFile('b')
    await handle.close()
    await fs.promises.cp(outside, join(scratchFolder(), 'copy'), { recursive: true })
    await fs.promises.copyFile(join(outside, 'a'), at('a'))
    expect([read('a'), readFileSync(join(outside, 'b'), 'utf8'), await count()]).toEqual(['xy', 'b', 1])
    expect((await refusal(() => fs.promises.rename(join(outside, 'a'), at('c')))).code).toBe('EXDEV')
    const link = at('link')
    symlinkSync(outside, link)
    await fs.promises.writeFile(join(link, 'through'), 'x')
    expect([existsSync(join(outside, 'through')), await count()]).toEqual([true, 1])
  })

  it('of the journal are neither listed nor written', async () => {
    const { fs, at, journal, count } = await facade()
    await fs.promises.mkdir(at('d'))
    expect(await fs.promises.readdir(journal.root)).toEqual(['d'])
    expect(fs.readdirSync(journal.root, { withFileTypes: true }).map(({ name }) => name)).toEqual(['d'])
    expect(await promisify(fs.readdir)(journal.root)).toEqual(['d'])
    expect(await fs.promises.readdir(journal.root, { recursive: true })).toEqual(['d'])
    for (const call of [
      () => fs.promises.writeFile(at('.journal/FORMAT'), ''),
      () => fs.promises.rm(at('.journal'), { recursive: true }),
      () => fs.promises.rename(at('.journal'), at('x')),
      () => fs.promises.mkdir(at('d/.journal')),
      () => fs.promises.link(at('.journal/FORMAT'), at('.journal/x')),
      () => fs.promises.chmod(at('.journal'), 0o777),
      () => fs.promises.open(at('.journal/LOCK'), 'r+'),
      () => fs.promises.open(join(scratchFolder(), 'outside'), 'w'),
    ]) {
      expect((await refusal(call)).code, String(call)).toBe('EACCES')
    }
    expect((await journal.verify()).ok).toBe(true)
    expect(await count()).toBe(1)
  })
})

describe('files that are open', () => {
  it('are written as one transaction when they are closed, by number and by handle', async () => {
    const { fs, at, read, count } = await facade()
    writeFileSync(at('a'), '0123456789')
    const fd = await promisify(fs.open)(at('a'), 'r+')
    await promisify(fs.write)(fd, 'ab', 2)
    await promisify(fs.write)(fd, Buffer.from('YZ'), 0, 2, 6)
    expect([read('a'), await count()]).toEqual(['0123456789', 0])
    expect((await promisify(fs.fstat)(fd)).ino).toBe(statSync(at('a')).ino)
    await promisify(fs.close)(fd)
    expect([read('a'), await count()]).toEqual(['01ab45YZ89', 1])
    const handle = await fs.promises.open(at('a'), 'w')
    for (const line of ['one\n', 'two\n']) await handle.appendFile(line)
    await handle.close()
    const both = await fs.promises.open(at('a'), 'r+')
    expect((await fs.promises.readFile(both)).toString()).toBe('one\ntwo\n')
    await both.close()
    expect([read('a'), await count()]).toEqual(['one\ntwo\n', 2])
  })

  it('are committed by a sync, and cost nothing when nothing was written', async () => {
    const { fs, at, read, count } = await facade()
    const handle = await fs.promises.open(at('log'), 'a')
    await handle.write('one\n')
    await handle.sync()
    expect([read('log'), await count()]).toEqual(['one\n', 2])
    await handle.write('two\n')
    await handle.close()
    expect([read('log'), await count()]).toEqual(['one\ntwo\n', 3])
    await (await fs.promises.open(at('log'), 'r+')).close()
    expect(await count()).toBe(3)
  })

  it('exist for others at once, one time only', async () => {
    const { fs, at } = await facade()
    const lock = await fs.promises.open(at('lock'), 'wx')
    expect(existsSync(at('lock'))).toBe(true)
    expect((await refusal(() => fs.promises.open(at('lock'), 'wx'))).code).toBe('EEXIST')
    const several = await Promise.allSettled(
      [1, 2, 3, 4].map(() => fs.promises.writeFile(at('one'), '', { flag: 'wx' })),
    )
    expect(several.filter(({ status }) => status === 'fulfilled').length).toBe(1)
    await lock.close()
  })

  it('follow a rename, and are gone when their name is', async () => {
    const { fs, at, read, count } = await facade()
    const [moved, gone] = [await fs.promises.open(at('a'), 'w'), await fs.promises.open(at('b'), 'w')]
    await moved.write('moved')
    await gone.write('gone')
    await fs.promises.rename(at('a'), at('c'))
    await fs.promises.unlink(at('b'))
    await Promise.all([moved.close(), gone.close()])
    expect([read('c'), existsSync(at('a')), existsSync(at('b')), await count()]).toEqual(['moved', false, false, 5])
  })

  it('keep permissions and times that are set on them', async () => {
    const { fs, at } = await facade()
    const handle = await fs.promises.open(at('a'), 'w', 0o600)
    await handle.write('a')
    await handle.chmod(0o640)
    await handle.utimes(1000, 2000)
    await handle.close()
    const { mode, mtimeMs } = statSync(at('a'))
    expect([mode & 0o777, mtimeMs]).toEqual([0o640, 2_000_000])
  })
})

describe('streams', () => {
  it('are in the history when they finish', async () => {
    const { fs, at, read, count } = await facade()
    const stream = fs.createWriteStream(at('a'))
    const finished = once(stream, 'finish')
    stream.write('one ')
    stream.end('two')
    await finished
    expect([read('a'), await count(), stream.bytesWritten]).toEqual(['one two', 1, 7])
    await pipeline(fs.createReadStream(at('a')), fs.createWriteStream(at('b'), { flags: 'ax' }))
    await pipeline(['x'], fs.createWriteStream(at('a'), { flags: 'r+', start: 4 }))
    await pipeline(['!'], fs.createWriteStream(at('a'), { flags: 'a' }))
    expect([read('a'), read('b'), await count()]).toEqual(['one xwo!', 'one two', 4])
    expect(await text(fs.createReadStream(at('a'), { start: 4 }))).toBe('xwo!')
  })

  it('that break leave the file as it was', async () => {
    const { fs, at, read, count } = await facade()
    writeFileSync(at('a'), 'before')
    async function* broken() {
      yield 'half'
      throw new Error('broken')
    }
    await expect(pipeline(broken(), fs.createWriteStream(at('a')))).rejects.toThrow('broken')
    expect([read('a'), await count()]).toEqual(['before', 0])
    await expect(pipeline(['x'], fs.createWriteStream(at('none/a')))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

it('what comes in pieces is one write, and none when it breaks off', async () => {
  const { fs, at, read, count } = await facade()
  await fs.promises.writeFile(at('a'), ['one ', 'two'])
  await fs.promises.appendFile(at('a'), Buffer.from(' three'))
  async function* broken() {
    yield 'half'
    throw new Error('broken')
  }
  await expect(fs.promises.writeFile(at('a'), broken())).rejects.toThrow('broken')
  await expect(fs.promises.writeFile(at('b'), broken())).rejects.toThrow('broken')
  expect([read('a'), existsSync(at('b')), await count()]).toEqual(['one two three', false, 2])
})

it('what is to be done outside is said in one of two words', async () => {
  const journal = await scratchJournal()
  expect(await refusal(() => createFs(journal, { outside: 'maybe' as never }))).toMatchObject({ code: 'INVALID' })
})

it('many calls at once share the syncs of the journal', async () => {
  const journal = await scratchJournal({ durability: 'full' })
  const fs = createFs(journal)
  const names = Array.from({ length: 40 }, (_, index) => join(journal.root, `${index}`))
  await Promise.all(names.map((name) => fs.promises.writeFile(name, name)))
  expect(names.map((name) => readFileSync(name, 'utf8'))).toEqual(names)
  expect((await historyOf(journal)).length).toBe(40)
})

it('a second name of a file is in the history as a file', async () => {
  const { fs, at, journal } = await facade()
  await fs.promises.writeFile(at('a'), 'a')
  await fs.promises.link(at('a'), at('b'))
  expect(statSync(at('b')).ino).toBe(statSync(at('a')).ino)
  expect(Buffer.from(await journal.readAt('b')).toString()).toBe('a')
  expect((await journal.status()).changed).toEqual([])
  await journal.undo(2)
  expect([existsSync(at('b')), readFileSync(at('a'), 'utf8')]).toEqual([false, 'a'])
})

it.skipIf(process.platform === 'win32')('pipes are removed, though they have nothing that could be kept', async () => {
  const { fs, at } = await facade()
  execFileSync('mkfifo', [at('pipe')])
  // Waiting for who writes into one keeps nobody else from working.
  const reading = promisify(fs.open)(at('pipe'), 'r')
  const writer = await promisify(fs.open)(at('pipe'), nodeFs.constants.O_RDWR).catch(({ code }) => code)
  expect(writer).toBe('EINVAL')
  const [fd, other] = await Promise.all([reading, promisify(nodeFs.open)(at('pipe'), 'w')])
  for (const open of [fd, other]) nodeFs.closeSync(open)
  await fs.promises.unlink(at('pipe'))
  expect(existsSync(at('pipe'))).toBe(false)
})

it('a folder is copied as one transaction, which is undone as one', async () => {
  const { fs, at, journal, count, read } = await facade()
  const source = scratchFolder()
  mkdirSync(join(source, 'sub'))
  for (const name of ['a', 'sub/b', 'sub/skip']) writeFileSync(join(source, name), name)
  const filter = async (from: string) => !from.endsWith('skip')
  await fs.promises.cp(source, at('deep/copy'), { recursive: true, filter, preserveTimestamps: true })
  expect([read('deep/copy/sub/b'), existsSync(at('deep/copy/sub/skip')), await count()]).toEqual(['sub/b', false, 1])
  expect(statSync(at('deep/copy/a')).mtimeMs).toBeCloseTo(statSync(join(source, 'a')).mtimeMs, -1)
  await journal.undo(1)
  expect(existsSync(at('deep'))).toBe(false)
})

it('has every function that node:fs has, of the same kind', async () => {
  const { fs } = await facade()
  const known = new Set(Object.keys(fs))
  // Nobody but Node itself uses these; `lchmod` is of macOS alone, `Utf8Stream` and `mkdtempDisposable` of later versions.
  const others = ['_toUnixTimestamp', 'lchmod', 'lchmodSync', 'Utf8Stream', 'mkdtempDisposableSync', 'default']
  expect(Object.keys(nodeFs).filter((name) => !known.has(name) && !others.includes(name))).toEqual([])
  const handled = new Set(Object.keys(fs.promises))
  const missing = Object.keys(nodeFs.promises).filter((name) => !handled.has(name))
  expect(missing.filter((name) => !['lchmod', 'mkdtempDisposable', 'default'].includes(name))).toEqual([])
})
