/** The same calls to the package and to what takes its place, in a workspace and outside of one. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type * as entry from '../../../src/agents/write-file-atomic/index.ts'
import type { WriteFileAtomic } from '../../../src/agents/write-file-atomic/index.ts'
import { built, DIST } from '../../crash/built.ts'
import { builtEntry } from '../fs/built-fs.ts'
import { scratchFolder } from '../scratch.ts'

const original = createRequire(import.meta.url)('write-file-atomic') as WriteFileAtomic
const { default: journaled, createWriteFile } = await builtEntry<typeof entry>('write-file-atomic')
const { openJournal } = await built()

type How = (write: WriteFileAtomic, folder: string) => unknown

const CALLS: readonly (readonly [string, How])[] = [
  ['a text', (write, at) => write(join(at, 'a'), 'text')],
  ['over a file', (write, at) => write(join(at, 'there'), 'new')],
  ['bytes', (write, at) => write(join(at, 'a'), Uint8Array.of(0, 255, 1))],
  [
    'a view of other bytes',
    (write, at) => write(join(at, 'a'), new Uint8Array(Uint8Array.of(1, 2, 3, 4).buffer, 1, 2)),
  ],
  ['nothing', (write, at) => write(join(at, 'a'), null)],
  ['a number', (write, at) => write(join(at, 'a'), 7 as never)],
  ['an encoding by name', (write, at) => write(join(at, 'a'), 'ff00', 'hex')],
  ['an encoding', (write, at) => write(join(at, 'a'), 'ü', { encoding: 'latin1' })],
  ['permissions', (write, at) => write(join(at, 'a'), 'x', { mode: 0o604 })],
  ['permissions over a file', (write, at) => write(join(at, 'there'), 'x', { mode: 0o755 })],
  ['no sync', (write, at) => write(join(at, 'a'), 'x', { fsync: false })],
  [
    'an owner',
    (write, at) => write(join(at, 'a'), 'x', { chown: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 } }),
  ],
  ['through a link', (write, at) => write(join(at, 'link'), 'through')],
  ['to a missing folder', (write, at) => write(join(at, 'none/a'), 'x')],
  ['over a folder', (write, at) => write(join(at, 'folder'), 'x')],
  ['below a file', (write, at) => write(join(at, 'there/a'), 'x')],
  ['sync', (write, at) => write.sync(join(at, 'a'), 'sync')],
  ['sync over a file', (write, at) => write.sync(join(at, 'there'), 'sync', { mode: 0o600 })],
  ['sync through a link', (write, at) => write.sync(join(at, 'link'), 'through', 'utf8')],
  ['sync to a missing folder', (write, at) => write.sync(join(at, 'none/a'), 'x')],
  ['a callback', (write, at) => new Promise((resolve) => write(join(at, 'a'), 'x', resolve as () => void))],
  [
    'options and a callback',
    (write, at) => new Promise((resolve) => write(join(at, 'a'), 'x', { mode: 0o600 }, resolve as () => void)),
  ],
  [
    'a callback for a failure',
    (write, at) =>
      new Promise((resolve, reject) => write(join(at, 'none/a'), 'x', (e) => (e ? reject(e) : resolve(0)))),
  ],
  [
    'many of one file',
    async (write, at) => {
      await Promise.all([...'123456789'].map((digit) => write(join(at, 'a'), digit)))
    },
  ],
]

function prepared(name: string): string {
  const folder = join(scratchFolder(), name)
  mkdirSync(join(folder, 'folder'), { recursive: true })
  writeFileSync(join(folder, 'there'), 'old', { mode: 0o640 })
  symlinkSync('there', join(folder, 'link'))
  return folder
}

async function outcome(how: How, write: WriteFileAtomic, folder: string) {
  let code = 'none'
  try {
    await how(write, folder)
  } catch (error) {
    code = (error as NodeJS.ErrnoException).code ?? String(error)
  }
  const files = readdirSync(folder).filter((name) => name !== '.journal' && name !== 'folder')
  const found = files.map((name) => {
    const { mode } = statSync(join(folder, name))
    return [name, readFileSync(join(folder, name), 'latin1'), (mode & 0o7777).toString(8)]
  })
  return { code, found }
}

describe.skipIf(process.platform === 'win32')('does what the package does', () => {
  it.each(CALLS)('%s', async (name, how) => {
    const workspace = prepared('workspace')
    await (await openJournal(workspace)).close()
    const expected = await outcome(how, original, prepared('original'))
    expect(await outcome(how, journaled, workspace), name).toEqual(expected)
    expect(await outcome(how, journaled, prepared('outside')), name).toEqual(expected)
    expect(existsSync(join(workspace, '.journal'))).toBe(true)
  })
})

it('what is in a workspace is in its history, with who and why', async () => {
  const root = prepared('workspace')
  await (await openJournal(root)).close()
  const write = createWriteFile({ meta: { actor: 'tool', message: 'settings' } })
  await write(join(root, 'a'), 'one')
  write.sync(join(root, 'a'), 'two')
  const journal = await retrying(() => openJournal(root))
  const found = []
  for await (const { actor, message } of journal.history()) found.push([actor, message])
  expect(found).toEqual([
    ['tool', 'settings'],
    ['tool', 'settings'],
  ])
  await journal.undo(2)
  expect(readFileSync(join(root, 'a'), 'utf8')).toBe('one')
  await journal.close()
})

/** The journal is given back some time after the last write. */
async function retrying<T>(action: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await action()
    } catch (error) {
      if ((error as { code: string }).code !== 'LOCKED') throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

it('waits for another process that writes, and never writes without the journal', async () => {
  const root = prepared('workspace')
  const holder = `
    import { openJournal } from ${JSON.stringify(`file://${DIST}/index.js`)}
    const journal = await openJournal(${JSON.stringify(root)})
    console.log('open')
    process.stdin.on('data', async () => { await journal.close(); process.exit() })
  `
  const file = join(scratchFolder(), 'holder.mjs')
  writeFileSync(file, holder)
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const writing = journaled(join(root, 'a'), 'patient')
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(existsSync(join(root, 'a'))).toBe(false)
  child.stdin.write('go')
  await writing
  expect(readFileSync(join(root, 'a'), 'utf8')).toBe('patient')
  if (child.exitCode === null) await once(child, 'exit')
})

it('a journal that is open in this process is no reason to write without it', async () => {
  const root = prepared('workspace')
  const journal = await openJournal(root)
  await expect(journaled(join(root, 'there'), 'x')).rejects.toMatchObject({ code: 'EBUSY' })
  expect(() => journaled.sync(join(root, 'there'), 'x')).toThrow(/has the journal of .* open itself/)
  expect(readFileSync(join(root, 'there'), 'utf8')).toBe('old')
  await journal.close()
})

it('a variable turns the journal off, with the same results', async () => {
  const root = prepared('workspace')
  await (await openJournal(root)).close()
  const program = `
    import writeFile from ${JSON.stringify(`file://${DIST}/agents/write-file-atomic/index.js`)}
    await writeFile(${JSON.stringify(join(root, 'a'))}, 'a')
    writeFile.sync(${JSON.stringify(join(root, 'b'))}, 'b')
  `
  const file = join(scratchFolder(), 'off.mjs')
  writeFileSync(file, program)
  const run = (env: object) =>
    spawnSync(process.execPath, [file], { env: { ...process.env, ...env }, encoding: 'utf8' })
  expect(run({ WRITE_JOURNAL_OFF: '1' })).toMatchObject({ status: 0, stderr: '' })
  const tree = () => ['a', 'b'].map((name) => [readFileSync(join(root, name), 'utf8'), statSync(join(root, name)).mode])
  const off = tree()
  const seq = async () => {
    const journal = await openJournal(root, { readOnly: true })
    try {
      return (await journal.status()).seq
    } finally {
      await journal.close()
    }
  }
  await createWriteFile({ off: true })(join(root, 'a'), 'a')
  expect(tree()).toEqual(off)
  expect(await seq()).toBe(0)
  for (const [nth, env] of [{}, { WRITE_JOURNAL_LEGACY: '1' }].entries()) {
    expect(run(env)).toMatchObject({ status: 0, stderr: '' })
    expect(tree()).toEqual(off)
    expect(await seq()).toBe(2 * (nth + 1))
  }
})

it('is a function for who requires it', () => {
  const program = `
    const writeFile = require(${JSON.stringify(`${DIST}/agents/write-file-atomic/index.js`)})
    console.log(typeof writeFile, typeof writeFile.sync)
  `
  const { stdout } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' })
  expect(stdout).toBe('function function\n')
})
