import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { FileHandle } from '../../disk/disk.ts'
import { NodeDisk } from '../../disk/node-disk.ts'
import { asJournalError } from '../../errors.ts'
import { helperAddress } from './address.ts'
import { askHelper } from './ask-helper.ts'
import { HeldJournal } from './held-journal.ts'
import type { HookEvent } from './hook-event.ts'
import { hookFolder, leaveTrace, makeHookFolder } from './hook-folder.ts'
import { HookRecorder } from './recorder.ts'
import { traceOf } from './trace-of.ts'
import { isNewer, packageVersion } from './version.ts'
import { type HookAnswer, type HookRequest, MAX_MESSAGE } from './wire.ts'

/** How long the journal stays open after an event. Others that write do so through this process meanwhile, or this one through them. */
const HOLD_MS = 5_000
/** Without any event for so long, it ends; after the last session has ended, much sooner. */
const IDLE_MS = 10 * 60_000
const PARTING_MS = 2_000
/** How often it looks whether its workspace is still there. */
const WATCH_MS = 2_000
/** How long another helper may take to end. */
const ELECTION_MS = 3_000
const RETRY_MS = 20

/**
 * Serves the hooks of one workspace, one event after another. Which process does is decided by a lock that dies with its holder, so a socket that a dead one
 * left behind is in nobody's way.
 */
export class HookHelper {
  readonly #root: string
  readonly #version = packageVersion()
  readonly #journal: HeldJournal
  readonly #recorder: HookRecorder
  readonly #sockets = new Set<Socket>()
  readonly #server: Server
  readonly #ended: Promise<void>
  #turn: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #idle: NodeJS.Timeout | undefined
  #end: () => void = () => {}
  #ending = false

  private constructor(root: string) {
    this.#root = root
    this.#journal = new HeldJournal(root, HOLD_MS)
    this.#recorder = new HookRecorder(root, (found) => this.#journal.collect(found))
    this.#server = createServer((socket) => this.#serve(socket))
    this.#ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** Resolves when the helper has ended, or when there is another one. */
  static async run(root: string): Promise<void> {
    const address = helperAddress(root)
    if (address === null) return
    makeHookFolder(root)
    const disk = new NodeDisk()
    const lock = await elected(disk, root, address)
    if (lock === null) return
    const helper = new HookHelper(root)
    try {
      await helper.#listen(address)
    } catch (error) {
      leaveTrace(root, { event: 'helper', ...asTrace(error) })
    } finally {
      await helper.#journal.close()
      disk.close(lock)
    }
  }

  async #listen(address: string): Promise<void> {
    const isFile = process.platform !== 'win32'
    if (isFile) rmSync(address, { force: true })
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(address, resolve)
    })
    if (isFile) chmodSync(address, 0o600)
    this.#restIn(IDLE_MS)
    const watch = setInterval(() => this.#watch(address), WATCH_MS)
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => this.#rest())
    await this.#ended
    clearInterval(watch)
    clearTimeout(this.#idle)
    await this.#turn
    if (isFile) rmSync(address, { force: true })
    this.#server.close()
    for (const socket of this.#sockets) socket.end()
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    let received = ''
    socket.setEncoding('utf8')
    socket.setTimeout(10_000, () => received.includes('\n') || socket.destroy())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', (chunk: string) => {
      const before = received.includes('\n')
      received += chunk
      if (received.length > MAX_MESSAGE) socket.destroy()
      else if (!before && received.includes('\n')) {
        this.#answer(received.slice(0, received.indexOf('\n'))).then(
          (answer) => !socket.destroyed && socket.end(`${JSON.stringify(answer)}\n`),
          () => socket.destroy(),
        )
      }
    })
  }

  async #answer(line: string): Promise<HookAnswer> {
    const request = requestOf(line)
    if (request === null) return { done: false, code: 'INVALID', message: 'that is no request' }
    if (request.root !== this.#root) return { done: false, code: 'FOREIGN', message: `this is ${this.#root}` }
    if (this.#ending) return { ending: true }
    if (isNewer(request.version, this.#version)) {
      this.#rest()
      return { ending: true }
    }
    const done: HookAnswer = { done: true, pid: process.pid, version: this.#version }
    const { event } = request
    if (event === null) return done
    this.#restIn(event.name === 'SessionEnd' ? PARTING_MS : IDLE_MS)
    const recorded = this.#record(event)
    // Before a tool goes on, what was there must be safe. What was done is there to be found, also by the next helper: the call is noted until it is recorded.
    return event.name === 'PreToolUse' ? ((await recorded) ?? done) : done
  }

  /** In their turn. Null when it is done. */
  #record(event: HookEvent): Promise<HookAnswer | null> {
    this.#waiting += 1
    const recorded = this.#turn.then(async () => {
      // Whoever need not wait is answered first.
      await new Promise((resolve) => setImmediate(resolve))
      try {
        await this.#recorder.record(event)
        return null
      } catch (error) {
        const failure = asTrace(error)
        leaveTrace(this.#root, { ...traceOf(event), ...failure })
        return { done: false, ...failure } as const
      } finally {
        this.#waiting -= 1
      }
    })
    this.#turn = recorded
    return recorded
  }

  #restIn(milliseconds: number): void {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => (this.#waiting > 0 ? this.#restIn(milliseconds) : this.#rest()), milliseconds)
  }

  #rest(): void {
    this.#ending = true
    this.#end()
  }

  /** A workspace that was removed, or a socket that was taken away, leaves nobody to serve. */
  #watch(address: string): void {
    const gone = process.platform === 'win32' ? !isThere(hookFolder(this.#root)) : !isThere(address)
    if (gone) this.#rest()
  }
}

function requestOf(line: string): HookRequest | null {
  try {
    const request = JSON.parse(line) as HookRequest | null
    return typeof request === 'object' && typeof request?.version === 'string' ? request : null
  } catch {
    return null
  }
}

/** Null when another helper serves this workspace. */
async function elected(disk: NodeDisk, root: string, address: string): Promise<FileHandle | null> {
  const path = join(hookFolder(root), 'LOCK')
  if (disk.lstat(path) === null) {
    try {
      disk.close(disk.open(path, 'create', 0o600))
    } catch (error) {
      if (disk.lstat(path) === null) throw error
    }
  }
  const handle = disk.open(path, 'write')
  for (const until = Date.now() + ELECTION_MS; Date.now() < until; ) {
    if (disk.lock(handle)) return handle
    const other = await askHelper(address, { version: packageVersion(), root, event: null }, ELECTION_MS)
    if (typeof other === 'object' && 'done' in other && other.done) break
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
  disk.close(handle)
  return null
}

function asTrace(error: unknown): { readonly code: string; readonly message: string } {
  const { code, message } = asJournalError(error, 'recording')
  return { code, message }
}

function isThere(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch {
    return false
  }
}
