import { type ChildProcess, fork } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { NodeDisk } from '../../src/disk/node-disk.ts'
import { openJournal } from '../../src/index.ts'
import { ClientFolder, removeDeadClients } from '../../src/processes/client-folder.ts'
import { Layout, readFormat } from '../../src/store/layout.ts'
import { WriterLock } from '../../src/store/writer-lock.ts'
import { DIST } from '../crash/built.ts'
import { collect, failure } from '../journal/fixture.ts'

const OPENER = path.resolve(import.meta.dirname, 'opener.mjs')
const PROCESSES = 8
/** Fresh workspaces that the processes open; `FIRST_OPENS=2000` for a long run. */
const WORKSPACES = Number(process.env.FIRST_OPENS ?? 8)

const folders: string[] = []
const children: ChildProcess[] = []

afterEach(async () => {
  for (const child of children.splice(0)) {
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true })
})

function tempRoot(): string {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'first-open-')))
  folders.push(root)
  return root
}

function heard(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('the process ended'))
    child.once('exit', ended)
    child.once('message', (message) => {
      child.off('exit', ended)
      resolve(message)
    })
  })
}

/** Does something in a call of another process's, just before it. */
class InterruptedDisk extends NodeDisk {
  readonly calls: string[] = []
  before: (call: string, file: string) => void = () => undefined

  #about(call: string, file: string): void {
    this.calls.push(`${call} ${file}`)
    this.before(call, file)
  }

  override open(file: string, how: 'read' | 'write' | 'create', mode?: number, umask?: boolean): number {
    this.#about(how, file)
    return super.open(file, how, mode, umask)
  }

  override makeDirectory(file: string, mode: number, umask?: boolean): void {
    this.#about('makeDirectory', file)
    super.makeDirectory(file, mode, umask)
  }

  override readDirectory(file: string): ReturnType<NodeDisk['readDirectory']> {
    this.#about('readDirectory', file)
    return super.readDirectory(file)
  }

  override async syncDirectory(file: string): Promise<void> {
    this.#about('syncDirectory', file)
    return super.syncDirectory(file)
  }
}

function once(action: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    action()
  }
}

/** From one of its operations on, nothing that it does happens any more: its process was killed. What it has locked is free. */
class DyingDisk extends NodeDisk {
  #left: number
  readonly #open = new Set<number>()

  constructor(operations: number) {
    super()
    this.#left = operations
  }

  get isDead(): boolean {
    return this.#left < 0
  }

  /** It has done what it might have died of. */
  survive(): void {
    this.#left = Number.POSITIVE_INFINITY
  }

  #check(): void {
    if (this.isDead) throw Object.assign(new Error('EIO: the process was killed'), { code: 'EIO' })
  }

  #live(): void {
    this.#left -= 1
    if (this.#left >= 0) return
    for (const handle of this.#open) super.close(handle)
    this.#open.clear()
    this.#check()
  }

  override lock(handle: number): boolean {
    this.#check()
    return super.lock(handle)
  }

  override read(handle: number, target: Uint8Array, position: number): number {
    this.#check()
    return super.read(handle, target, position)
  }

  override stat(handle: number): ReturnType<NodeDisk['stat']> {
    this.#check()
    return super.stat(handle)
  }

  override open(file: string, how: 'read' | 'write' | 'create', mode?: number, umask?: boolean): number {
    this.#live()
    const handle = super.open(file, how, mode, umask)
    this.#open.add(handle)
    return handle
  }

  override close(handle: number): void {
    if (this.#open.delete(handle)) super.close(handle)
  }

  override write(handle: number, source: Uint8Array, position: number): number {
    this.#live()
    return super.write(handle, source, position)
  }

  override truncate(handle: number, size: number): void {
    this.#live()
    super.truncate(handle, size)
  }

  override makeDirectory(file: string, mode: number, umask?: boolean): void {
    this.#live()
    super.makeDirectory(file, mode, umask)
  }

  override rename(from: string, to: string): void {
    this.#live()
    super.rename(from, to)
  }

  override unlink(file: string): void {
    this.#live()
    super.unlink(file)
  }

  override async sync(handle: number, all?: boolean): Promise<void> {
    this.#live()
    return super.sync(handle, all)
  }

  override syncNow(handle: number): void {
    this.#live()
    super.syncNow(handle)
  }

  override async syncDirectory(file: string): Promise<void> {
    this.#live()
    return super.syncDirectory(file)
  }
}

describe('a fresh workspace that several processes open at the same moment', () => {
  it('another process makes .journal first: the one that was too late goes on as if it had been there', async () => {
    const root = tempRoot()
    const disk = new InterruptedDisk()
    disk.before = (call, file) => {
      if (call === 'makeDirectory' && file === `${root}/.journal`) fs.mkdirSync(file, { mode: 0o700 })
    }
    const journal = await openJournal(root, { disk })
    await journal.write('a', '1')
    await journal.close()
    expect(fs.readFileSync(`${root}/a`, 'utf8')).toBe('1')
  })

  it('a link that comes to stand there instead is not followed', async () => {
    const root = tempRoot()
    const elsewhere = tempRoot()
    const disk = new InterruptedDisk()
    disk.before = (call, file) => {
      if (call === 'makeDirectory' && file === `${root}/.journal`) fs.symlinkSync(elsewhere, file)
    }
    expect((await failure(() => openJournal(root, { disk }))).code).toBe('CORRUPT')
    expect(fs.readdirSync(elsewhere)).toEqual([])
  })

  it('FORMAT and a history that come between two looks are no damage', async () => {
    const root = tempRoot()
    const maker = await openJournal(root)
    await maker.write('a', '1')
    const { format, log } = new Layout(root)
    fs.renameSync(format, `${root}/format`)
    const disk = new InterruptedDisk()
    const arrive = once(() => fs.renameSync(`${root}/format`, format))
    disk.before = (call, file) => {
      if (call === 'readDirectory' && file === log) arrive()
    }
    const journal = await openJournal(root, { disk })
    expect(journal.id).toBe(maker.id)
    await journal.close()
    await maker.close()
  })

  it('who takes over from a maker whose last sync failed makes the names durable before it writes', async () => {
    const root = tempRoot()
    const { directory, format, log } = new Layout(root)
    const waiting = new InterruptedDisk()
    let other: ReturnType<typeof openJournal> | null = null
    const maker = new (class extends NodeDisk {
      override async syncDirectory(folder: string): Promise<void> {
        if (folder !== directory || !fs.existsSync(format)) return super.syncDirectory(folder)
        other = openJournal(root, { disk: waiting })
        // It has seen FORMAT, and looks for who writes.
        while (waiting.calls.filter((call) => call === `read ${directory}/LOCK`).length === 0)
          await new Promise((resolve) => setTimeout(resolve, 1))
        throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' })
      }
    })()
    expect((await failure(() => openJournal(root, { disk: maker }))).code).toBe('IO')
    const journal = await (other as unknown as ReturnType<typeof openJournal>)
    await journal.write('a', '1')
    const { calls } = waiting
    const stirred = calls.findIndex((call) => call.startsWith(`create ${directory}/.write-journal`))
    const synced = calls.lastIndexOf(`syncDirectory ${directory}`)
    const begun = calls.findIndex((call) => call.startsWith(`create ${log}/`))
    expect([stirred >= 0, stirred < synced, synced < begun]).toEqual([true, true, true])
    await journal.close()
  })

  it('a maker that had the folder made, and finds it half furnished, takes no sync of another one for its own', async () => {
    const root = tempRoot()
    const { directory, lock } = new Layout(root)
    const disk = new InterruptedDisk()
    disk.before = (call, file) => {
      // Another process got the lock first, and gave up when the sync of the workspace's names failed.
      if (call !== 'create' || file !== lock) return
      for (const folder of ['log', 'blobs', 'staging', 'broken']) fs.mkdirSync(`${directory}/${folder}`)
    }
    await (await openJournal(root, { disk })).close()
    const stirred = disk.calls.findIndex((call) => call.startsWith(`create ${root}/.write-journal`))
    expect(stirred).toBeGreaterThan(-1)
    expect(disk.calls.indexOf(`syncDirectory ${root}`)).toBeGreaterThan(stirred)
  })

  it('a maker that is frozen is not waited for longer than lockTimeoutMs, and is named as what it is', async () => {
    const root = tempRoot()
    const layout = new Layout(root)
    fs.mkdirSync(layout.directory)
    const maker = WriterLock.attempt(new NodeDisk(), layout)
    const error = await failure(() => openJournal(root, { lockTimeoutMs: 30 }))
    expect([error.code, error.message]).toEqual(['LOCKED', expect.stringContaining('being made')])
    maker?.release()
    await (await openJournal(root)).close()
  })

  it('LOCK is put aside between looking for it and opening it', async () => {
    const root = tempRoot()
    const { lock } = new Layout(root)
    await (await openJournal(root)).close()
    const disk = new InterruptedDisk()
    const depose = once(() => fs.renameSync(lock, `${lock}.aside`))
    disk.before = (call, file) => {
      if (call === 'write' && file === lock) depose()
    }
    const journal = await openJournal(root, { disk })
    await journal.write('a', '1')
    await journal.close()
    const asking = new InterruptedDisk()
    asking.before = (call, file) => {
      if (call === 'write' && file === lock) fs.renameSync(lock, `${lock}.again`)
    }
    expect(WriterLock.holder(asking, lock)).toBeNull()
  })

  it('one that dies anywhere while it makes the journal leaves it to those that wait, who agree on one', async () => {
    for (let operations = 0; ; operations += 1) {
      const root = tempRoot()
      const disk = new DyingDisk(operations)
      const dying = openJournal(root, { disk, shared: true }).then(
        (journal) => {
          disk.survive()
          return journal
        },
        () => null,
      )
      const [first, second, dead] = await Promise.all([openJournal(root), openJournal(root), dying])
      await first.write('a', '1')
      await second.append('a', '2')
      const { id } = first
      expect(second.id, `after ${operations}`).toBe(id)
      expect(readFormat(new NodeDisk(), new Layout(root))?.journal).toBe(id)
      await dead?.close()
      await first.close()
      await second.close()
      const again = await openJournal(root)
      expect([again.id, again.head.seq]).toEqual([id, 2])
      expect(await again.verify({ workspace: true })).toMatchObject({ ok: true, changed: [] })
      await again.close()
      if (dead !== null) break
    }
  })

  it(`${PROCESSES} processes make one journal, and lose nothing`, async () => {
    const names = Array.from({ length: PROCESSES }, (_, index) => `p${index}`)
    for (const name of names) children.push(fork(OPENER, [DIST, name]))
    await Promise.all(children.map(heard))
    for (let round = 0; round < WORKSPACES; round += 1) {
      const root = tempRoot()
      const answers = children.map(heard)
      for (const child of children) child.send(root)
      const said = (await Promise.all(answers)) as { id?: string; tx?: string; error?: string }[]
      expect(said.map(({ error }) => error).filter((error) => error !== undefined)).toEqual([])
      const journal = await openJournal(root)
      expect(said.map(({ id }) => id)).toEqual(names.map(() => journal.id))
      const history = await collect(journal.history())
      expect(history.map(({ tx }) => tx).sort()).toEqual(said.map(({ tx }) => tx).sort())
      for (const name of names) expect(fs.readFileSync(`${root}/${name}.txt`, 'utf8')).toBe(name)
      expect(await journal.verify({ workspace: true })).toMatchObject({ ok: true, changed: [] })
      await journal.close()
    }
  })
})

describe('the folder of a process that has just begun', () => {
  it('is not taken for that of a dead one before its lock is there, or is locked', () => {
    for (const call of ['create', 'locking']) {
      const layout = new Layout(tempRoot())
      fs.mkdirSync(layout.directory)
      const clear = once(() => removeDeadClients(new NodeDisk(), layout))
      class Slow extends NodeDisk {
        override open(file: string, how: 'read' | 'write' | 'create', mode?: number, umask?: boolean): number {
          if (how === call) clear()
          return super.open(file, how, mode, umask)
        }

        override lock(handle: number): boolean {
          if (call === 'locking') clear()
          return super.lock(handle)
        }
      }
      const folder = new ClientFolder(new Slow(), layout)
      fs.writeFileSync(`${folder.path}/content`, '')
      removeDeadClients(new NodeDisk(), layout)
      expect(fs.readdirSync(folder.path)).toEqual(['LOCK', 'content'])
      folder.remove()
      expect(fs.readdirSync(layout.clients)).toEqual([])
    }
  })

  it('may get its lock while somebody removes it', () => {
    const layout = new Layout(tempRoot())
    const left = `${layout.clients}/1-0`
    fs.mkdirSync(left, { recursive: true })
    const disk = new InterruptedDisk()
    disk.before = (call, file) => {
      if (call === 'readDirectory' && file === left) fs.writeFileSync(`${left}/LOCK`, '')
    }
    removeDeadClients(disk, layout)
    expect(fs.existsSync(`${left}/LOCK`)).toBe(true)
  })
})
