import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { NodeDisk } from '../../src/disk/node-disk.ts'
import { openJournal } from '../../src/index.ts'
import { encodeMessage } from '../../src/processes/message.ts'
import { Layout } from '../../src/store/layout.ts'
import { WriterLock } from '../../src/store/writer-lock.ts'
import { DIST } from '../crash/built.ts'
import { failure } from '../journal/fixture.ts'

const LIBRARY = pathToFileURL(path.join(DIST, 'index.js')).href
const cleanings: (() => void)[] = []
const children: ChildProcess[] = []

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
  for (const clean of cleanings.splice(0)) clean()
})

function tempRoot(prefix = 'shared-'): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), prefix))
  cleanings.push(() => fs.rmSync(root, { recursive: true, force: true }))
  return root
}

/** Its syncs fail once it is broken. */
class FailingDisk extends NodeDisk {
  broken = false

  #check(): void {
    if (this.broken) throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
  }

  override async sync(handle: number, all?: boolean): Promise<void> {
    this.#check()
    return super.sync(handle, all)
  }

  override syncNow(handle: number): void {
    this.#check()
    super.syncNow(handle)
  }
}

/** In the moment in which it writes a frame of a commit, another process takes over as the writer, and ends. */
class DeposingDisk extends NodeDisk {
  armed = false
  readonly #layout: Layout
  #logs = new Set<number>()

  constructor(root: string) {
    super()
    this.#layout = new Layout(root)
  }

  override open(file: string, how: 'read' | 'write' | 'create', mode?: number, umask?: boolean): number {
    const handle = super.open(file, how, mode, umask)
    if (file.endsWith('.wal')) this.#logs.add(handle)
    else this.#logs.delete(handle)
    return handle
  }

  override write(handle: number, source: Uint8Array, position: number): number {
    if (this.armed && this.#logs.has(handle) && source.some((byte) => byte !== 0)) {
      this.armed = false
      const { log, lock } = this.#layout
      const other = new NodeDisk()
      const taken = WriterLock.depose(other, this.#layout, WriterLock.signer(other, lock)?.term as number)
      const last = `${log}/${fs.readdirSync(log).sort().at(-1)}`
      fs.copyFileSync(last, `${last}.copy`)
      fs.renameSync(`${last}.copy`, last)
      taken?.release()
    }
    return super.write(handle, source, position)
  }
}

/** Tells which files are made. */
class RecordingDisk extends NodeDisk {
  readonly made: string[] = []

  override open(file: string, how: 'read' | 'write' | 'create', mode?: number, umask?: boolean): number {
    if (how === 'create') this.made.push(file)
    return super.open(file, how, mode, umask)
  }
}

/** A process that opens the journal and runs `body`, which says `ready`. Its other lines of output are collected. */
async function another(
  root: string,
  body: string,
  options = '{}',
  as?: number,
  variables: Record<string, string> = {},
): Promise<ChildProcess & { lines: string[] }> {
  const script = `
    const { openJournal } = await import(${JSON.stringify(LIBRARY)})
    const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n')
    try {
      const journal = await openJournal(${JSON.stringify(root)}, ${options})
      ${body}
    } catch (error) { say({ code: error.code, message: error.message, hint: error.hint }) }
    setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...variables },
    ...(as === undefined ? {} : { uid: as, gid: as }),
  }) as unknown as ChildProcess & { lines: string[] }
  children.push(child)
  child.lines = []
  let rest = ''
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the process ended with ${code}`)))
    child.stdout?.on('data', (text: Buffer) => {
      rest += text.toString()
      const lines = rest.split('\n')
      rest = lines.pop() ?? ''
      child.lines.push(...lines)
      if (lines.length > 0) resolve()
    })
  })
  return child
}

const lockOf = (
  root: string,
): { pid: number; term: number; address: { socket: string; key: string; protocol: number } } =>
  JSON.parse(fs.readFileSync(`${root}/.journal/LOCK`, 'utf8'))

describe('a journal that several processes have open', () => {
  it('a socket that a killed writer left is no hindrance, and goes away', async () => {
    const root = tempRoot()
    const child = await another(root, `await journal.write('a', '1'); say('ready')`)
    const { socket } = lockOf(root).address
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    expect(fs.existsSync(socket)).toBe(true)
    const journal = await openJournal(root)
    expect(journal.isWriter).toBe(true)
    await journal.write('a', '2')
    expect(fs.existsSync(socket)).toBe(false)
    const { socket: own } = lockOf(root).address
    expect(fs.statSync(own).mode & 0o777).toBe(0o600)
    expect(fs.statSync(path.dirname(own)).mode & 0o777).toBe(0o700)
    // No copy of the workspace stumbles over it.
    fs.cpSync(root, `${root}-copy`, { recursive: true })
    cleanings.push(() => fs.rmSync(`${root}-copy`, { recursive: true }))
    await journal.close()
    expect(fs.existsSync(own)).toBe(false)
  })

  it.skipIf(process.platform !== 'linux')(
    'without a place for it elsewhere the socket is in the journal, however long its path',
    async () => {
      const root = path.join(tempRoot(), 'x'.repeat(100), 'y'.repeat(100))
      const TMPDIR = path.join(root, 'z'.repeat(100))
      fs.mkdirSync(TMPDIR, { recursive: true })
      const child = await another(root, `await journal.write('a', 'theirs'); say('ready')`, '{}', undefined, {
        TMPDIR,
        XDG_RUNTIME_DIR: '',
      })
      expect(lockOf(root).address.socket).toBe('writer-1.sock')
      expect(fs.statSync(`${root}/.journal/writer-1.sock`).mode & 0o777).toBe(0o600)
      const journal = await openJournal(root)
      await journal.append('a', ' and ours')
      expect([journal.isWriter, fs.readFileSync(`${root}/a`, 'utf8')]).toEqual([false, 'theirs and ours'])
      child.kill('SIGKILL')
      await new Promise((resolve) => child.once('exit', resolve))
      await journal.write('a', 'ours')
      expect(fs.readdirSync(`${root}/.journal`).filter((name) => name.endsWith('.sock'))).toEqual([])
      await journal.close()
    },
  )

  it('a client that is killed in a transaction has done nothing, and its locks are free', async () => {
    const root = tempRoot()
    const journal = await openJournal(root, { lockTimeoutMs: 400 })
    await journal.write('a', 'before')
    const child = await another(
      root,
      `const tx = journal.begin(); await tx.lock(['a']); await tx.write('a', 'theirs'); await tx.write('b', Buffer.alloc(2e6)); say('ready')`,
    )
    const locked = await failure(() => journal.write('a', 'ours'))
    expect(locked.code).toBe('LOCKED')
    expect(fs.readdirSync(`${root}/.journal/clients`).length).toBe(1)
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    await new Promise((resolve) => setTimeout(resolve, 100))
    await journal.write('a', 'ours')
    expect(fs.readFileSync(`${root}/a`, 'utf8')).toBe('ours')
    expect(fs.existsSync(`${root}/b`)).toBe(false)
    await journal.close()
    const again = await openJournal(root)
    expect(fs.readdirSync(`${root}/.journal/clients`)).toEqual([])
    expect(fs.readdirSync(`${root}/.journal/staging`)).toEqual([])
    await again.close()
  })

  it('a client whose writer dies while it holds locks is told that they are gone with it', async () => {
    const root = tempRoot()
    const child = await another(root, `await journal.write('a', '1'); say('ready')`)
    const journal = await openJournal(root)
    const tx = journal.begin()
    await tx.lock(['a'])
    await tx.write('a', '2')
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    expect((await failure(() => tx.commit())).code).toBe('CONFLICT')
    expect(fs.readFileSync(`${root}/a`, 'utf8')).toBe('1')
    await journal.write('a', '3')
    await journal.close()
  })

  it('one that floods the writer is read no faster than it is served', async () => {
    const root = tempRoot()
    const journal = await openJournal(root)
    const { address } = lockOf(root)
    const socket = net.connect(address.socket)
    socket.pause()
    const hello = { protocol: address.protocol, version: 'x', key: address.key, pid: 1, client: '1-x' }
    socket.write(encodeMessage({ hello }))
    const before = process.memoryUsage.rss()
    const ping = encodeMessage({ ask: 'ping', id: 7 })
    const many = Buffer.concat(Array.from({ length: 20_000 }, () => Buffer.from(ping)))
    for (let round = 0; round < 100; round += 1) {
      socket.write(many)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    await journal.write('a', 'served meanwhile')
    // Two million answers that nobody reads would take far more. What is left unsent here is this process's own.
    const grown = process.memoryUsage.rss() - before - socket.writableLength
    expect(grown).toBeLessThan(96 * 1024 * 1024)
    expect(socket.writableLength).toBeGreaterThan(0)
    socket.destroy()
    await journal.close()
  })

  it('rubbish on the socket, a wrong key, silence: the connection ends, and nothing else does', async () => {
    const root = tempRoot()
    const journal = await openJournal(root)
    const { address } = lockOf(root)
    const ended = async (bytes: Uint8Array): Promise<string> => {
      const socket = net.connect(address.socket)
      socket.on('error', () => undefined)
      socket.write(bytes)
      let answer = ''
      socket.on('data', (piece: Buffer) => {
        answer += piece.toString('latin1')
      })
      await new Promise((resolve) => socket.once('close', resolve))
      return answer
    }
    expect(await ended(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).toBe('')
    expect(await ended(Buffer.alloc(64, 0xff))).toBe('')
    expect(await ended(encodeMessage(null))).toBe('')
    const hello = { protocol: address.protocol, version: 'x', key: 'wrong', pid: 1, client: '1-x' }
    expect(await ended(encodeMessage({ hello }))).toBe('')
    expect(await ended(encodeMessage({ hello: { ...hello, key: address.key, client: '../../x' } }))).toBe('')
    expect(await ended(encodeMessage({ hello: { ...hello, key: address.key, protocol: 99 } }))).toContain(
      'shares it in another way',
    )
    await journal.write('a', 'x')
    await journal.close()
  })

  it('a writer of another version is named', async () => {
    const root = tempRoot()
    const journal = await openJournal(root)
    const lock = lockOf(root)
    fs.writeFileSync(
      `${root}/.journal/LOCK`,
      JSON.stringify({ ...lock, version: '9.9.9', address: { ...lock.address, protocol: 99 } }),
    )
    const error = await failure(() => openJournal(root))
    expect(error.code).toBe('LOCKED')
    expect(error.message).toContain('9.9.9')
    expect(error.hint).toContain('same version')
    await journal.close()
  })

  it.skipIf(process.getuid?.() !== 0)('a process of another user is refused', async () => {
    const root = tempRoot()
    fs.chmodSync(root, 0o777)
    const journal = await openJournal(root)
    await journal.write('a', 'mine')
    const child = await another(root, `say('open')`, '{}', 65534)
    expect(JSON.parse(child.lines[0] as string)).toMatchObject({ code: 'PERMISSION' })
    await journal.close()
  })

  it.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
    'a full disk in the writer is told to the clients, and nothing is changed',
    async () => {
      const root = tempRoot()
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', root])
      cleanings.unshift(() => execFileSync('umount', ['-l', root]))
      const journal = await openJournal(root)
      const child = await another(
        root,
        `await journal.write('small', 'x')
         say('ready')
         const outcomes = await Promise.all([1, 2, 3].map((n) => journal.write('large' + n, Buffer.alloc(900e3, n)).then(() => 'done', (error) => error.code)))
         say(outcomes)
         const late = []
         for (let n = 0; n < 8; n += 1) late.push(await journal.write('more' + n, Buffer.alloc(900e3, n)).then(() => 'done', (error) => error.code))
         say(late)`,
      )
      while (child.lines.length < 3) await new Promise((resolve) => setTimeout(resolve, 20))
      const outcomes = [...JSON.parse(child.lines[1] as string), ...JSON.parse(child.lines[2] as string)] as string[]
      expect(outcomes).toContain('NO_SPACE')
      expect(new Set(outcomes)).toEqual(new Set(['done', 'NO_SPACE']))
      const names = [1, 2, 3].map((n) => `large${n}`).concat([0, 1, 2, 3, 4, 5, 6, 7].map((n) => `more${n}`))
      expect(names.map((name) => fs.existsSync(`${root}/${name}`))).toEqual(
        outcomes.map((outcome) => outcome === 'done'),
      )
      await journal.remove('small')
      const report = await journal.verify({ workspace: true })
      expect(report).toMatchObject({ ok: true, changed: [] })
      child.kill('SIGKILL')
      await journal.close()
    },
  )

  it('what another process examines stays what is committed', async () => {
    const root = tempRoot()
    const first = await openJournal(root)
    const validation = { level: 'basic' as const }
    const second = await openJournal(root, { validation })
    expect([first.isWriter, second.isWriter]).toEqual([true, false])
    expect((await failure(() => second.write('a.json', '{'))).code).toBe('VALIDATION')
    await second.write('a.json', '{"n": 0}')
    // Each of them reads what is there, so each has to look again whenever another was faster.
    const edits = Array.from({ length: 12 }, (_, n) =>
      [first, second][n % 2]?.transact(async (tx) => {
        await tx.set('a.json', [{ key: [`k${n}`], value: n }])
      }),
    )
    await Promise.all(edits)
    const found = JSON.parse(fs.readFileSync(`${root}/a.json`, 'utf8')) as Record<string, number>
    expect(Object.keys(found).length).toBe(13)
    await first.close()
    await second.close()
  })

  it('a writer whose log is poisoned writes for nobody any more: another process does', async () => {
    const root = tempRoot()
    const disk = new FailingDisk()
    const first = await openJournal(root, { disk, shared: true })
    const second = await openJournal(root)
    expect([first.isWriter, second.isWriter]).toEqual([true, false])
    await second.write('a', '1')
    disk.broken = true
    await second.write('a', '2')
    expect(second.isWriter).toBe(true)
    expect(fs.readFileSync(`${root}/a`, 'utf8')).toBe('2')
    expect((await failure(() => first.write('a', '3'))).code).toBe('POISONED')
    const seen: string[] = []
    for await (const { seq, kind } of second.history({ order: 'oldest' })) seen.push(`${seq} ${kind}`)
    expect(seen).toEqual(['1 write', '2 write'])
    await first.close()
    await second.write('a', '3')
    expect((await second.verify({ workspace: true })).ok).toBe(true)
    await second.close()
  })

  it('a file system without locks is refused, and the error says so', async () => {
    const root = tempRoot()
    const disk = new (class extends NodeDisk {
      override lock(): boolean {
        throw Object.assign(new Error('ENOLCK: no locks available'), { code: 'ENOLCK' })
      }
    })()
    const error = await failure(() => openJournal(root, { disk, shared: true }))
    expect([error.code, error.message]).toEqual(['IO', expect.stringContaining('its file system has no locks')])
    expect(fs.readdirSync(`${root}/.journal`)).toEqual(['LOCK'])
    // What is there by now is in nobody's way.
    await (await openJournal(root)).close()
  })

  it('a writer that found no place for a socket is named, with what can be done', async () => {
    const root = tempRoot()
    const journal = await openJournal(root)
    fs.writeFileSync(`${root}/.journal/LOCK`, JSON.stringify({ ...lockOf(root), address: 'unreachable' }))
    const error = await failure(() => openJournal(root))
    expect([error.code, error.hint]).toEqual(['LOCKED', expect.stringContaining('TMPDIR')])
    expect(error.message).toContain(String(process.pid))
    await journal.close()
  })

  it('what a writer stages has names of its own term: one that wakes up too late clears up nothing of another one', async () => {
    const root = tempRoot()
    const terms: string[][] = []
    for (const _ of [1, 2]) {
      const disk = new RecordingDisk()
      const journal = await openJournal(root, { disk, shared: true })
      await journal.transact(async (tx) => {
        await tx.write('small', `${terms.length}`)
        await tx.write('large', Buffer.alloc(2e6, terms.length))
      })
      await journal.close()
      const staged = disk.made.filter((file) => /staging\/t[0-9a-z]{15}\./.test(file))
      terms.push([...new Set(staged.map((file) => /\.(w\d+)\./.exec(file)?.[1] ?? file))])
    }
    expect(terms[0]?.length).toBe(1)
    expect(terms[1]?.length).toBe(1)
    expect(terms[0]).not.toEqual(terms[1])
  })

  it('a read that somebody else made stale is a conflict, wherever it was made', async () => {
    const root = tempRoot()
    const first = await openJournal(root)
    const second = await openJournal(root)
    await first.write('a', '1')
    const tx = second.begin()
    const text = Buffer.from(await tx.read('a')).toString()
    await tx.write('b', `${text}!`)
    await first.write('a', '2')
    expect((await failure(() => tx.commit())).code).toBe('CONFLICT')
    expect(fs.existsSync(`${root}/b`)).toBe(false)
    await second.close()
    await first.close()
  })

  it('a writer that was deposed took contents for stored that it had written to a log that is none', async () => {
    const root = tempRoot()
    const disk = new DeposingDisk(root)
    const journal = await openJournal(root, { disk, shared: true })
    await journal.write('a.txt', 'one')
    disk.armed = true
    const text = `${'a text that stands nowhere else\n'.repeat(20)}end\n`
    await journal.write('a.txt', text)
    expect(disk.armed).toBe(false)
    await journal.edit('a.txt', [{ oldText: 'end\n', newText: 'END\n' }])
    expect(await journal.verify({ workspace: true })).toMatchObject({ ok: true, problems: [] })
    expect(Buffer.from(await journal.readAt('a.txt', 'head')).toString()).toBe(text.replace('end\n', 'END\n'))
    await journal.close()
  })

  it('a client that could lock no folder of its own made folders without end', async () => {
    const root = tempRoot()
    const writer = await openJournal(root, { shared: true })
    const disk = new (class extends NodeDisk {
      override lock(): boolean {
        return false
      }
    })()
    const error = await failure(() => openJournal(root, { shared: true, disk, lockTimeoutMs: 1000 }))
    expect(error.code).toBe('LOCKED')
    const left = fs.existsSync(`${root}/.journal/clients`) ? fs.readdirSync(`${root}/.journal/clients`) : []
    expect(left).toEqual([])
    await writer.close()
  })
})
