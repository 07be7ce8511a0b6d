import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { JournalError, openJournal } from '../../src/index.ts'

let base: string
let root: string
beforeEach(async () => {
  base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'linked-')))
  root = `${base}/ws`
  fs.mkdirSync(root)
  fs.mkdirSync(`${base}/outside`)
  fs.writeFileSync(`${base}/outside/canary`, 'kept')
  const journal = await openJournal(root)
  await journal.write('a', 'x')
  await journal.close()
})
afterEach(() => fs.rmSync(base, { recursive: true, force: true }))

async function tried(): Promise<string> {
  try {
    const journal = await openJournal(root)
    try {
      await journal.write('large', Buffer.alloc(1_200_000, 7))
      for await (const _ of journal.history()) break
    } finally {
      await journal.close()
    }
    return 'ok'
  } catch (error) {
    expect(error, String((error as Error).stack)).toBeInstanceOf(JournalError)
    return (error as JournalError).code
  }
}

function unharmed(): void {
  expect(fs.readdirSync(`${base}/outside`)).toEqual(['canary'])
  expect(fs.readFileSync(`${base}/outside/canary`, 'utf8')).toBe('kept')
}

/** Opening cleared up in staging: it removed every file of the folder that a link there led to. */
describe('a symbolic link in the place of a folder of the journal', () => {
  it.each(['staging', 'broken', 'blobs', 'log', 'index', '.'])('%s: is not followed', async (name) => {
    const folder = name === '.' ? `${root}/.journal` : `${root}/.journal/${name}`
    fs.rmSync(folder, { recursive: true, force: true })
    fs.symlinkSync(`${base}/outside`, folder)
    expect(await tried()).toBe('CORRUPT')
    unharmed()
  })

  it('a folder of blobs: is not followed', async () => {
    const hash = (await import('node:crypto')).createHash('sha256').update(Buffer.alloc(1_200_000, 7)).digest('hex')
    fs.symlinkSync(`${base}/outside`, `${root}/.journal/blobs/${hash.slice(0, 2)}`)
    expect(await tried()).toBe('CORRUPT')
    unharmed()
  })

  it('the files of the index: are not followed', async () => {
    for (let number = 1; number < 30; number += 1) {
      for (const name of [`${String(number).padStart(6, '0')}.log`, `MANIFEST-${String(number).padStart(6, '0')}`]) {
        const file = `${root}/.journal/index/${name}`
        fs.mkdirSync(path.dirname(file), { recursive: true })
        if (!fs.existsSync(file)) fs.symlinkSync(`${base}/outside/canary`, file)
      }
    }
    expect(await tried()).toBe('ok')
    unharmed()
  })

  it.each(['FORMAT', 'WORKSPACE', 'LOCK', 'CHECKPOINT', 'SUSPECT', 'PURGE', 'log/000000000001.wal'])(
    '%s: is not followed',
    async (name) => {
      fs.rmSync(`${root}/.journal/${name}`, { force: true })
      fs.symlinkSync(`${base}/outside/canary`, `${root}/.journal/${name}`)
      await tried()
      unharmed()
    },
  )
})
