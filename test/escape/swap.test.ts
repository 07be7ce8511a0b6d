import fs from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { NodeDisk } from '../../src/disk/node-disk.ts'
import { type Journal, JournalError, type OpenOptions } from '../../src/index.ts'
import { Grounds, interrupted } from './grounds.ts'

/** Every n-th call is interrupted; the proof does all of them. */
const STEP = process.env.ESCAPE_FULL === undefined ? 11 : 1
const MOST = 2000

let grounds: Grounds | null = null
afterEach(() => grounds?.remove())

/** What somebody does in the very moment between two calls of the file system. */
const SWAPS: Readonly<Record<string, (root: string) => void>> = {
  'the folder becomes a link to one outside': (root) => {
    fs.renameSync(`${root}/folder`, `${root}/was`)
    fs.symlinkSync('../outside/folder', `${root}/folder`)
  },
  'the folder becomes a link to the journal of another workspace': (root) => {
    fs.renameSync(`${root}/folder`, `${root}/was`)
    fs.symlinkSync('nested/.journal', `${root}/folder`)
  },
  'the folder is moved out of the workspace': (root) => {
    fs.renameSync(`${root}/folder`, `${root}/../moved`)
  },
  'the file becomes a link to one outside': (root) => {
    fs.rmSync(`${root}/folder/file`, { force: true, recursive: true })
    fs.symlinkSync('../../outside/file', `${root}/folder/file`)
  },
  'the new name becomes a link to a folder outside': (root) => {
    fs.rmSync(`${root}/folder/new`, { force: true, recursive: true })
    fs.symlinkSync('../../outside/folder', `${root}/folder/new`)
  },
}

type Act = (journal: Journal) => Promise<unknown>
const ACTS: Readonly<Record<string, Act>> = {
  write: (journal) => journal.write('folder/file', 'x'),
  'write a new file': (journal) => journal.write('folder/new', 'x'),
  append: (journal) => journal.append('folder/file', 'x'),
  edit: (journal) => journal.edit('folder/file', [{ oldText: 'kept', newText: 'x' }]),
  remove: (journal) => journal.remove('folder/file'),
  'remove the folder': (journal) => journal.remove('folder', { recursive: true }),
  'rename into': (journal) => journal.rename('kept', 'folder/new'),
  'rename out of': (journal) => journal.rename('folder/file', 'elsewhere'),
  'mkdir and a file in it': (journal) =>
    journal.transact(async (tx) => {
      await tx.mkdir('folder/new', { mode: 0o777 })
      await tx.write('folder/new/file', 'x')
    }),
  chmod: (journal) => journal.chmod('folder/file', 0o777),
  'chmod of the folder': (journal) => journal.chmod('folder', 0o777),
  symlink: (journal) => journal.symlink('folder/new', 'kept'),
  undo: (journal) => journal.undo('head'),
  restore: (journal) => journal.restore({ to: 1, paths: ['folder'] }),
}

async function prepared(at: { left: number; act: () => void }, options: OpenOptions = {}): Promise<Journal> {
  grounds = new Grounds()
  const journal = await grounds.open({ disk: interrupted(new NodeDisk(), at), ...options })
  await journal.write('folder/file', 'kept\nand more\n')
  await journal.transact(async (tx) => {
    await tx.write('folder/file', 'kept\nonce more\n')
    await tx.write('folder/new/deep', 'x')
  })
  await journal.undo('head')
  return journal
}

/** Nothing outside is any different, and what failed said so. */
function unharmed(before: string, error: unknown, where: string): void {
  if (error !== null) expect(error, String((error as Error).stack)).toBeInstanceOf(JournalError)
  expect(grounds?.canary(), where).toBe(before)
}

describe.skipIf(process.platform !== 'linux').each(Object.entries(SWAPS))('%s', (name, swap) => {
  it.each(Object.entries(ACTS))(
    'before any call of a commit: %s',
    async (act, run) => {
      for (let k = 1; k < MOST; k += STEP) {
        const at: { left: number; act: () => void } = { left: -1, act: () => undefined }
        const journal = await prepared(at)
        const before = grounds?.canary() ?? ''
        const root = journal.root
        at.act = () => swap(root)
        at.left = k
        const error = await run(journal).then(
          () => null,
          (cause: unknown) => cause,
        )
        const reached = at.left <= 0
        at.left = -1
        unharmed(before, error, `${name}, ${act}, call ${k}: ${String(error)}`)
        await journal.close().catch(() => undefined)
        // A journal that was poisoned goes on with what it finds now.
        await grounds?.open().then(
          (again) => again.close(),
          (cause: unknown) => unharmed(before, cause, `${name}, ${act}, call ${k}, opened again`),
        )
        unharmed(before, null, `${name}, ${act}, call ${k}, opened again`)
        grounds?.remove()
        if (!reached) return
      }
      throw new Error('the operation has no end')
    },
    600_000,
  )

  it('before any call of a recovery', async () => {
    for (let k = 1; k < MOST; k += STEP * 4) {
      const journal = await prepared({ left: -1, act: () => undefined })
      const { root } = journal
      await journal.checkpoint()
      await journal.write('folder/file', 'in flight')
      await journal.write('folder/new/deep', 'in flight')
      // As a crash leaves it: the commits are in the log, and the workspace is as before.
      fs.cpSync(`${root}/.journal`, `${root}/../copy`, { recursive: true, preserveTimestamps: true })
      await journal.close()
      fs.rmSync(`${root}/.journal`, { recursive: true })
      fs.renameSync(`${root}/../copy`, `${root}/.journal`)
      fs.writeFileSync(`${root}/folder/file`, 'kept\nand more\n')
      fs.rmSync(`${root}/folder/new`, { recursive: true })
      const before = grounds?.canary() ?? ''
      const at = { left: k, act: () => swap(root) }
      const error = await grounds?.open({ disk: interrupted(new NodeDisk(), at), rebind: true }).then(
        (again) => again.close().then(() => null),
        (cause: unknown) => cause,
      )
      // Rebinding writes anew which workspace this is.
      const trees = (canary: string) => canary.split('\n').filter((line) => !line.includes('/WORKSPACE'))
      if (error !== null) expect(error).toBeInstanceOf(JournalError)
      expect(trees(grounds?.canary() ?? ''), `${name}, call ${k}: ${String(error)}`).toEqual(trees(before))
      grounds?.remove()
      if (at.left > 0) return
    }
    throw new Error('the recovery has no end')
  }, 600_000)
})
