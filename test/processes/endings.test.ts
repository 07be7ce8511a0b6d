import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { hashBytes } from '../../src/content/hash.ts'
import { NodeDisk } from '../../src/disk/node-disk.ts'
import { openJournal } from '../../src/index.ts'
import { ClientFolder, removeDeadClients } from '../../src/processes/client-folder.ts'
import { encodeMessage, MessageParts } from '../../src/processes/message.ts'
import { Layout } from '../../src/store/layout.ts'
import { WriterLock } from '../../src/store/writer-lock.ts'
import { newTransactionId } from '../../src/transaction/transaction-id.ts'
import { failure } from '../journal/fixture.ts'

const cleanings: (() => void)[] = []

afterEach(() => {
  for (const clean of cleanings.splice(0)) clean()
})

function tempRoot(): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'endings-'))
  cleanings.push(() => fs.rmSync(root, { recursive: true, force: true }))
  return root
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

const lockOf = (
  root: string,
): { pid: number; term: number; address: { socket: string; key: string; protocol: number } } =>
  JSON.parse(fs.readFileSync(`${root}/.journal/LOCK`, 'utf8'))

/** A process as the writer sees it. */
class Caller {
  readonly socket: net.Socket
  readonly answers = new Map<number, unknown>()
  readonly #protocol: { readonly key: string; readonly protocol: number }

  constructor(root: string) {
    const { address } = lockOf(root)
    this.#protocol = address
    this.socket = net.connect(address.socket)
    this.socket.on('error', () => undefined)
    const parts = new MessageParts()
    this.socket.on('data', (piece: Buffer) => {
      for (const { message } of parts.take(piece)) {
        const { id, ...rest } = message as { id: number }
        this.answers.set(id, rest)
      }
    })
  }

  say(message: unknown): void {
    this.socket.write(encodeMessage(message))
  }

  async greet(client: string): Promise<void> {
    const { key, protocol } = this.#protocol
    this.say({ hello: { key, protocol, version: 'x', pid: process.pid, client } })
    await this.answer(0)
  }

  async answer(id: number): Promise<unknown> {
    while (!this.answers.has(id)) await pause(5)
    return this.answers.get(id)
  }
}

function appending(id: string, file: string, text: string, lockTimeoutMs = 10_000): unknown {
  const bytes = Buffer.from(text)
  const content = { hash: hashBytes(bytes), size: bytes.byteLength, source: { at: 'memory', bytes } }
  return {
    ...{ id, kind: 'write', meta: {}, operations: [{ op: 'append', path: file, content }], reads: [] },
    ...{ examined: 'needless', durability: 'full', lockTimeoutMs, umask: 0o22 },
  }
}

/** Its syncs fail once it is broken; tells of each file that comes to stand in the workspace. */
class TellingDisk extends NodeDisk {
  broken = false
  onPlaced: () => void = () => undefined

  override async sync(handle: number, all?: boolean): Promise<void> {
    if (this.broken) throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
    return super.sync(handle, all)
  }

  override syncNow(handle: number): void {
    if (this.broken) throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
    super.syncNow(handle)
  }

  override link(from: string, to: string): void {
    super.link(from, to)
    this.onPlaced()
  }
}

describe('a writer that ends', () => {
  it('while it still puts a transaction into the workspace keeps the lock until that is done', async () => {
    const root = tempRoot()
    const disk = new TellingDisk()
    const first = await openJournal(root, { disk, shared: true })
    const second = await openJournal(root)
    await second.write('a', '1')
    let writing: Promise<unknown> | null = null
    let taken = false
    disk.onPlaced = () => {
      if (second.isWriter) taken = true
      if (writing !== null) return
      disk.broken = true
      writing = second.write('a', '2')
    }
    const large = first.transact(async (tx) => {
      for (let n = 0; n < 3000; n += 1) await tx.write(`many/${n}`, `${n}`)
    })
    await large
    await writing
    expect(taken).toBe(false)
    expect(second.isWriter).toBe(true)
    expect(fs.readdirSync(`${root}/many`).length).toBe(3000)
    expect(await second.verify({ workspace: true })).toMatchObject({ ok: true, changed: [] })
    await first.close()
    await second.close()
  })

  it('puts nothing into the log behind its end, though what a process that is gone had asked for gets its turn only then', async () => {
    const root = tempRoot()
    const first = await openJournal(root)
    await first.write('a', '1')
    const holder = new Caller(root)
    await holder.greet('1-x')
    const held = { id: newTransactionId(), meta: {}, lockTimeoutMs: 1000 }
    holder.say({ ask: 'lock', id: 1, transaction: held, paths: ['late'] })
    await holder.answer(1)
    const gone = new Caller(root)
    await gone.greet('2-x')
    gone.say({ ask: 'commit', id: 1, transaction: appending(newTransactionId(), 'late', 'x'), tried: false })
    await pause(100)
    gone.socket.destroy()
    await pause(100)
    await first.close()
    const there = fs.existsSync(`${root}/late`)
    await pause(500)
    expect(fs.existsSync(`${root}/late`)).toBe(there)
    const second = await openJournal(root)
    expect(await second.verify({ workspace: true })).toMatchObject({ ok: true, changed: [] })
    await second.close()
    holder.socket.destroy()
  })

  it('does not wait for locks that a process has which it does not listen to any more', async () => {
    const root = tempRoot()
    const first = await openJournal(root)
    const second = await openJournal(root)
    const third = await openJournal(root)
    await first.write('a', '1')
    const tx = second.begin()
    await tx.lock(['a'])
    const writing = third.write('a', '3')
    await pause(100)
    const begun = performance.now()
    await first.close()
    expect(performance.now() - begun).toBeLessThan(2000)
    await writing
    expect((await failure(() => tx.commit())).code).toBe('CONFLICT')
    await second.close()
    await third.close()
  })
})

describe('a process that has connected anew', () => {
  it('what it asked for before is not done behind what it asks for now', async () => {
    const root = tempRoot()
    const journal = await openJournal(root)
    await journal.write('a', '')
    const tx = journal.begin()
    await tx.lock(['held'])
    const before = new Caller(root)
    await before.greet('1-x')
    for (let n = 1; n <= 256; n += 1)
      before.say({ ask: 'commit', id: n, transaction: appending(newTransactionId(), 'held', 'x', 3000), tried: false })
    // What comes from now on is not read any more.
    await pause(300)
    const id = newTransactionId()
    before.say({ ask: 'commit', id: 300, transaction: appending(id, 'a', 'once\n'), tried: false })
    await pause(300)
    const now = new Caller(root)
    await now.greet('1-x')
    now.say({ ask: 'commit', id: 1, transaction: appending(id, 'a', 'once\n'), tried: true })
    expect(await now.answer(1)).toHaveProperty('ok')
    await tx.abort()
    await pause(1000)
    expect(fs.readFileSync(`${root}/a`, 'utf8')).toBe('once\n')
    before.socket.destroy()
    now.socket.destroy()
    await journal.close()
  })
})

describe('a writer that lives', () => {
  it('is not taken for frozen because more is asked of it than it takes at a time', async () => {
    const root = tempRoot()
    const first = await openJournal(root)
    const second = await openJournal(root, { writerTimeoutMs: 1200 })
    await first.write('a', '')
    const tx = first.begin()
    await tx.lock(['a'])
    const writes = Array.from({ length: 300 }, (_, n) => second.append('a', `${n}\n`))
    await pause(3000)
    expect([first.isWriter, second.isWriter]).toEqual([true, false])
    await tx.abort()
    await Promise.all(writes)
    expect(first.isWriter).toBe(true)
    expect(fs.readFileSync(`${root}/a`, 'utf8').split('\n').length).toBe(301)
    await second.close()
    await first.close()
  })

  it('keeps its socket when a copy of its workspace is opened', async () => {
    const root = tempRoot()
    const journal = await openJournal(root)
    await journal.write('a', '1')
    const copy = `${root}-copy`
    fs.cpSync(root, copy, { recursive: true })
    cleanings.push(() => fs.rmSync(copy, { recursive: true, force: true }))
    await (await openJournal(copy, { rebind: true })).close()
    expect(fs.existsSync(lockOf(root).address.socket)).toBe(true)
    const other = await openJournal(root, { lockTimeoutMs: 1000 })
    await other.write('a', '2')
    await other.close()
    await journal.close()
  })

  it('has its place from the moment that it has the lock, though the one before was silent', async () => {
    const root = tempRoot()
    const journal = await openJournal(root)
    await journal.write('a', '1')
    const { term } = lockOf(root)
    await journal.close()
    const disk = new NodeDisk()
    const layout = new Layout(root)
    const lock = WriterLock.attempt(disk, layout)
    expect(lock).not.toBeNull()
    expect(WriterLock.depose(disk, layout, term)).toBeNull()
    lock?.release()
    const next = await openJournal(root)
    expect(next.isWriter).toBe(true)
    await next.close()
  })
})

describe('folders of processes', () => {
  it('may go while somebody is removing those that are dead', () => {
    const root = tempRoot()
    const layout = new Layout(root)
    fs.mkdirSync(layout.directory)
    /** The other side is always a little faster. */
    class Racing extends NodeDisk {
      armed = true

      override unlink(file: string): void {
        super.unlink(file)
        if (this.armed && file.startsWith(layout.clients))
          fs.rmSync(path.dirname(file), { recursive: true, force: true })
      }

      override lstat(file: string): ReturnType<NodeDisk['lstat']> {
        const found = super.lstat(file)
        if (this.armed && file.endsWith('/LOCK')) fs.rmSync(path.dirname(file), { recursive: true, force: true })
        return found
      }
    }
    const folder = new ClientFolder(new NodeDisk(), layout)
    fs.writeFileSync(`${folder.path}/content`, '')
    removeDeadClients(new Racing(), layout)
    folder.remove()
    // And the other way round.
    const racing = new Racing()
    racing.armed = false
    const other = new ClientFolder(racing, layout)
    racing.armed = true
    other.remove()
    expect(fs.readdirSync(layout.clients)).toEqual([])
  })
})
