/** Functions that write before they return, through a journal that is open in a thread. */
import { spawnSync } from 'node:child_process'
import nodeFs, { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type * as entry from '../../../src/agents/fs/index.ts'
import type { NodeFs } from '../../../src/agents/fs/index.ts'
import { built, DIST } from '../../crash/built.ts'
import { scratchFolder } from '../scratch.ts'
import { builtEntry } from './built-fs.ts'
import { anyCall, outcomeOf, treeOf } from './calls.ts'

const { openFs, openFsSync } = await builtEntry<typeof entry>('fs')
const { openJournal } = await built()

/** Its functions that end in `Sync`, under the names that those which do not have. */
function waiting(fs: NodeFs): NodeFs {
  const call = (name: string) => (Reflect.get(fs, name) as (...given: unknown[]) => unknown).bind(fs)
  const promises = new Proxy(
    {},
    {
      get: (_, name: string) => {
        if (name !== 'open') return async (...given: unknown[]) => call(`${name}Sync`)(...given)
        return async (...given: unknown[]) => handleOf(call('openSync')(...given) as number, fs)
      },
    },
  )
  return { ...fs, promises } as NodeFs
}

function handleOf(fd: number, fs: NodeFs) {
  return {
    write: async (...given: [string]) => ({ bytesWritten: fs.writeSync(fd, ...given) }),
    read: async (buffer: Buffer, ...where: [number, number, number]) => ({
      bytesRead: fs.readSync(fd, buffer, ...where),
      buffer,
    }),
    truncate: async (length: number) => fs.ftruncateSync(fd, length),
    sync: async () => fs.fsyncSync(fd),
    chmod: async (mode: number) => fs.fchmodSync(fd, mode),
    stat: async () => fs.fstatSync(fd),
    close: async () => fs.closeSync(fd),
  }
}

describe('synchronous calls', () => {
  it.skipIf(process.platform === 'win32')('come to the same as those of Node', async () => {
    const folder = scratchFolder()
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(anyCall, { minLength: 1, maxLength: 25 }), async (calls) => {
        run += 1
        const [plain, journaled] = [join(folder, `plain-${run}`), join(folder, `journaled-${run}`)]
        mkdirSync(plain)
        mkdirSync(journaled)
        const opened = openFsSync(journaled, { durability: 'os' })
        const fs = waiting(opened.fs)
        for (const call of calls) {
          const expected = await outcomeOf(call, nodeFs, plain)
          expect(await outcomeOf(call, fs, journaled), call.name).toEqual(expected)
          expect(treeOf(journaled), call.name).toEqual(treeOf(plain))
        }
        opened.closeSync()
      }),
      { numRuns: 15 },
    )
  })

  it('are in the history when they return, and mix with those that wait', async () => {
    const root = scratchFolder()
    const { fs, close } = await openFs(root, { actor: 'thread', meta: { tags: ['mixed'] } }).then((opened) => ({
      fs: opened.fs,
      close: () => opened.close(),
    }))
    const pending = Promise.all([1, 2, 3].map((n) => fs.promises.writeFile(join(root, `p${n}.txt`), `${n}`)))
    fs.writeFileSync(join(root, 'sync.txt'), 'now')
    expect(readFileSync(join(root, 'sync.txt'), 'utf8')).toBe('now')
    await pending
    await close()
    const journal = await openJournal(root)
    const found = []
    for await (const { actor, tags, entries } of journal.history()) found.push([actor, tags, entries[0]?.path])
    expect(found).toContainEqual(['thread', ['mixed'], 'sync.txt'])
    expect(found.length).toBe(4)
    await journal.close()
  })

  it('are refused where the journal is open in this thread, and in no way do they write without it', async () => {
    const root = scratchFolder()
    const journal = await openJournal(root)
    await expect(openFs(root)).rejects.toMatchObject({ code: 'LOCKED' })
    const { createFs } = await builtEntry<typeof entry>('fs')
    const fs = createFs(journal)
    for (const call of [
      () => fs.writeFileSync(join(root, 'a'), ''),
      () => fs.mkdirSync(join(root, 'a')),
      () => fs.openSync(join(root, 'a'), 'w'),
      () => fs.cpSync(root, join(root, 'a'), { recursive: true, filter: () => true }),
    ]) {
      expect(call).toThrow(expect.objectContaining({ code: expect.stringMatching(/^(ENOSYS|ERR_FS_CP_EINVAL)$/) }))
    }
    expect(fs.existsSync(join(root, 'a'))).toBe(false)
    await journal.close()
  })

  it('a process that only has them ends by itself, and leaves a clean journal', async () => {
    const root = scratchFolder()
    const program = `
      import { openFsSync } from ${JSON.stringify(`file://${DIST}/agents/fs/index.js`)}
      const { fs } = openFsSync(${JSON.stringify(root)})
      fs.mkdirSync(${JSON.stringify(join(root, 'd'))})
      fs.writeFileSync(${JSON.stringify(join(root, 'd/a.txt'))}, 'a')
      process.exitCode = fs.readFileSync(${JSON.stringify(join(root, 'd/a.txt'))}, 'utf8') === 'a' ? 7 : 1
    `
    const file = join(scratchFolder(), 'program.mjs')
    writeFileSync(file, program)
    const { status, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 30_000 })
    expect([status, stderr]).toEqual([7, ''])
    const journal = await openJournal(root)
    expect(journal.recovery.replayed).toEqual([])
    expect(journal.head.seq).toBe(2)
    await journal.close()
  })

  it('with other options for one journal are refused', async () => {
    const root = scratchFolder()
    const opened = await openFs(root, { durability: 'os' })
    await expect(openFs(root, { durability: 'full' })).rejects.toMatchObject({ code: 'INVALID' })
    const again = await openFs(root, { durability: 'os' })
    again.fs.writeFileSync(join(root, 'a'), 'a')
    expect(opened.fs.readFileSync(join(root, 'a'), 'utf8')).toBe('a')
    await opened.close()
    // Whoever writes again opens it again.
    again.fs.appendFileSync(join(root, 'a'), 'b')
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('ab')
    again.closeSync()
    again.closeSync()
    await opened.close()
    await (await openJournal(root)).close()
  })

  it('of a folder that is not there say so', async () => {
    const missing = join(scratchFolder(), 'none')
    await expect(openFs(missing)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(openFs(scratchFolder(), { create: false })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
