import fs from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Journal, JournalError } from '../../src/index.ts'
import { ATTEMPTS } from './attempts.ts'
import { type Act, Grounds, ON_LINKS, OPERATIONS, QUESTIONS } from './grounds.ts'

let grounds: Grounds
let journal: Journal
beforeEach(async () => {
  grounds = new Grounds()
  journal = await grounds.open()
  await journal.write('first', 'x')
})
afterEach(async () => {
  await journal.close()
  grounds.remove()
})

/** The code, or `done`. */
async function outcome(act: Act, target: string): Promise<string> {
  try {
    await act(journal, target)
    return 'done'
  } catch (error) {
    expect(error, String((error as Error).stack)).toBeInstanceOf(JournalError)
    expect((error as JournalError).code, (error as JournalError).message).not.toBe('IO')
    return (error as JournalError).code
  }
}

/** Every operation refuses the path with one of `codes`, and nothing outside, nor in a journal, is any different. */
async function allRefuse(
  target: string,
  codes: readonly string[],
  but: ReadonlySet<string> = new Set(),
): Promise<void> {
  const before = grounds.canary()
  for (const [name, act] of Object.entries(OPERATIONS)) {
    if (but.has(name)) continue
    const moving = name === 'rename to' ? 1 : 0
    const { seq: had } = journal.head
    expect(codes, `${name} ${JSON.stringify(target)}`).toContain(await outcome(act, target))
    expect(journal.head.seq - had, name).toBe(moving)
    if (moving === 1) await journal.remove('moving')
  }
  for (const [name, act] of Object.entries(QUESTIONS)) {
    await outcome(act, target)
    expect(grounds.canary(), name).toBe(before)
  }
  expect(grounds.canary()).toBe(before)
}

/** Enough for a name that is allowed. */
const ORDINARY = ['write', 'rename to', 'batch chmod', 'remove', 'mkdir', 'rename a folder to', 'symlink', 'adopt']

describe.each(Object.entries(ATTEMPTS))('%s', (_, attempts) => {
  it.each(attempts.filter(({ path }) => !path.startsWith('/ws')))('$path', async ({ path, posix }) => {
    if (posix !== 'inside') return allRefuse(path, [posix])
    const before = grounds.canary()
    for (const name of ORDINARY) await outcome({ ...OPERATIONS, ...QUESTIONS }[name] as Act, path)
    expect(grounds.canary()).toBe(before)
    expect((await journal.verify()).ok).toBe(true)
  })
})

describe.skipIf(process.platform === 'win32')('symbolic links on the way', () => {
  it.each([
    ['out, absolute', (g: Grounds) => g.outside],
    ['out, relative', () => '../outside'],
    ['out and in and out', () => '../ws/../outside'],
    ['to the top', () => '/'],
    ['to the folder above', () => '..'],
    ['to the workspace itself', () => '.'],
    ['to the journal', () => '.journal'],
    ['to the journal, absolute', (g: Grounds) => `${g.root}/.journal`],
    ['to the journal, shouted', () => '.JOURNAL'],
    ['to the journal of another workspace', () => 'nested/.journal'],
    ['to the process, and through it to where it runs', () => '/proc/self/cwd'],
    ['to the root of the process', () => '/proc/self/root'],
    ['to something that is not there, outside', () => '../outside/none'],
    ['to a name that begins like the workspace', (g: Grounds) => `${g.root}-not`],
    ['to itself', () => 'link'],
    ['to two that lead to each other', () => 'pong'],
    ['that grows', () => 'link/link'],
    ['through forty others', () => 'chain40'],
    ['through a link that leads out', () => 'second/folder'],
  ])('%s', async (what, target) => {
    fs.symlinkSync('link', `${grounds.root}/pong`)
    fs.symlinkSync('../outside', `${grounds.root}/second`)
    fs.symlinkSync('../outside', `${grounds.root}/chain0`)
    for (let n = 1; n <= 40; n += 1) fs.symlinkSync(`chain${n - 1}`, `${grounds.root}/chain${n}`)
    fs.symlinkSync(target(grounds), `${grounds.root}/link`)
    if (what === 'to the workspace itself') {
      await allRefuse('link/.journal/FORMAT', ['PATH_OUTSIDE'])
      return allRefuse('link', ['PATH_OUTSIDE'], ON_LINKS)
    }
    await allRefuse('link/file', ['PATH_OUTSIDE', 'INVALID'])
    await allRefuse('folder/../link/file', ['PATH_OUTSIDE', 'INVALID'])
    await allRefuse('link/folder/file', ['PATH_OUTSIDE', 'INVALID'])
  })

  it.each([
    ['out', (g: Grounds) => `${g.outside}/file`],
    ['out, relative', () => '../outside/file'],
    ['to nothing outside', () => '../outside/none'],
    ['into the journal', () => '.journal/FORMAT'],
    ['to another that leads out', () => 'second/file'],
    ['to an open file of the process', () => '/proc/self/fd/1'],
    ['to a device', () => '/dev/null'],
  ])('at the last name, %s: the link itself may be moved and removed, nothing else', async (_, target) => {
    fs.symlinkSync('../outside', `${grounds.root}/second`)
    fs.symlinkSync(target(grounds), `${grounds.root}/link`)
    await allRefuse('link', ['PATH_OUTSIDE'], ON_LINKS)
    const before = grounds.canary()
    await journal.rename('link', 'renamed')
    await journal.undo('head')
    await journal.write('over', 'x')
    await journal.rename('over', 'link')
    await journal.undo('head')
    await journal.remove('link')
    await journal.undo('head')
    expect(fs.readlinkSync(`${grounds.root}/link`)).toBe(target(grounds))
    expect(grounds.canary()).toBe(before)
  })

  it('that a transaction makes itself, or renames, or leaves behind', async () => {
    const before = grounds.canary()
    for (const target of ['../outside', grounds.outside, '.journal', '/proc/self/cwd', 'nested/.journal']) {
      for (const act of Object.values(OPERATIONS)) {
        const made = async (tx: { symlink: (path: string, target: string) => Promise<void> }) =>
          tx.symlink('via', target)
        await outcome(async () => {
          await journal.transact(made)
          await act(journal, 'via/file')
        }, '')
        if (fs.lstatSync(`${grounds.root}/via`, { throwIfNoEntry: false })) await journal.remove('via')
      }
      for (const act of ['write', 'mkdir', 'remove', 'rmdir'] as const) {
        const code = await outcome(
          () =>
            journal.transact(async (tx) => {
              await tx.symlink('via', target)
              await tx[act]('via/file', (act === 'write' ? 'x' : undefined) as never)
            }),
          '',
        )
        expect(code).toBe('PATH_OUTSIDE')
      }
      if (target.startsWith('/')) continue
      const code = await outcome(
        () =>
          journal.transact(async (tx) => {
            await tx.symlink('folder/via', `../${target}`)
            await tx.rename('folder', 'moved')
            await tx.write('moved/via/file', 'x')
          }),
        '',
      )
      expect(code).toBe('PATH_OUTSIDE')
    }
    expect(grounds.canary()).toBe(before)
  })
})

describe.skipIf(process.platform === 'win32')('what is no file', () => {
  it('pipes, and what is below files', async () => {
    grounds.pipe('pipe')
    const act = { ...OPERATIONS }
    for (const name of ['rename to', 'batch rename', 'rename a folder to']) delete (act as Record<string, Act>)[name]
    for (const [name, attempt] of Object.entries(act)) {
      if (name === 'lock') continue
      expect(['INVALID', 'EXISTS'], name).toContain(await outcome(attempt, 'pipe'))
      expect(await outcome(attempt, 'kept/below'), name).toBe('INVALID')
    }
    expect(fs.lstatSync(`${grounds.root}/pipe`).isFIFO()).toBe(true)
  })
})

describe('a folder that has a journal of its own in it', () => {
  it('is neither moved nor removed, nor renamed over', async () => {
    const before = grounds.canary()
    for (const attempt of [
      () => journal.remove('nested', { recursive: true }),
      () => journal.rename('nested', 'elsewhere'),
      () => journal.rename('nested', 'folder/deeper'),
      () => journal.rmdir('nested'),
      () => journal.write('nested', 'x'),
      () => journal.rename('kept', 'nested'),
      () => journal.remove('nested/.journal', { recursive: true }),
      () => journal.transact((tx) => tx.rename('folder', 'nested/.journal')),
    ]) {
      expect(['PATH_OUTSIDE', 'INVALID', 'EXISTS']).toContain(await outcome(attempt, ''))
      expect(grounds.canary()).toBe(before)
    }
  })
})

describe('replay into a folder', () => {
  it('in a journal, over something, or through a link that leads into one: refused', async () => {
    fs.symlinkSync(`${grounds.root}/.journal`, `${grounds.base}/link`)
    const before = grounds.canary(true)
    for (const to of [
      `${grounds.root}/.journal`,
      `${grounds.root}/.journal/x/y`,
      `${grounds.root}/folder/../.journal/x`,
      `${grounds.root}/nested/.journal/x`,
      `${grounds.root}/nested/.JOURNAL/x`,
      `${grounds.base}/link/x`,
      `${grounds.base}/link/`,
      grounds.outside,
      `${grounds.outside}/file`,
      `${grounds.outside}/file/x`,
    ]) {
      expect(['PATH_OUTSIDE', 'EXISTS', 'INVALID'], to).toContain(await outcome(() => journal.replay({ to }), ''))
      expect(grounds.canary(true), to).toBe(before)
    }
  })
})
