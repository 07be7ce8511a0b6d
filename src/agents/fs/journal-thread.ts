import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { JournalError } from '../../errors.ts'
import type { TransactionOptions } from '../../journal-types.ts'
import { FsRefusal } from './node-error.ts'
import type { Answer, Request, Task, ThreadData, ThreadOptions } from './thread-messages.ts'

const THREAD = new URL('./journal-thread-worker.js', import.meta.url)
/** A thread that says nothing for so long is taken for lost. */
const SILENCE_MS = 300_000
const EXIT_MS = 10_000

interface Waiting {
  readonly answered: (answer: Answer) => void
}

/** A thread of this process that has a journal open: the one place for all who write to that workspace through it. */
export class JournalThread {
  static readonly #threads = new Map<string, JournalThread>()
  static #minding = false
  readonly root: string
  readonly #options: string
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #signal: Int32Array
  readonly #waiting = new Map<number, Waiting>()
  #count = 0

  private constructor(root: string, options: ThreadOptions) {
    this.root = root
    this.#options = JSON.stringify(options)
    this.#signal = new Int32Array(new SharedArrayBuffer(4))
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    const data: ThreadData = { root, options, port: port2, signal: this.#signal }
    const worker = new Worker(THREAD, { workerData: data, transferList: [port2], execArgv: [], stdin: false })
    this.#worker = worker
    worker.unref()
    worker.on('error', (error) => this.#lost(error.message))
    worker.on('exit', () => this.#lost('it has ended'))
    port1.on('message', (answer: Answer) => this.#dispatch(answer))
    port1.unref()
    if (!JournalThread.#minding) process.once('exit', () => JournalThread.#exit())
    JournalThread.#minding = true
  }

  /**
   * The thread of a workspace. `options` count for the first who asks; null: whatever they are.
   * @throws JournalError `INVALID` when it has other ones
   */
  static of(root: string, options: ThreadOptions | null): JournalThread {
    const known = JournalThread.#threads.get(root)
    if (known === undefined) {
      const thread = new JournalThread(root, options ?? {})
      JournalThread.#threads.set(root, thread)
      return thread
    }
    if (options === null || known.#options === JSON.stringify(options)) return known
    throw new JournalError('INVALID', `the journal of ${root} is open in this process with other options`, {
      hint: 'Open it with the same options everywhere, or close it first.',
    })
  }

  /** The thread of a workspace, when there is one. */
  static known(root: string): JournalThread | undefined {
    return JournalThread.#threads.get(root)
  }

  /** @throws FsRefusal */
  async perform(task: Task, meta: TransactionOptions, idleMs: number | null): Promise<unknown> {
    const answer = await new Promise<Answer>((resolve) => {
      this.#send(task, meta, idleMs, resolve)
    })
    return outcomeOf(answer)
  }

  /** Blocks until it is done. The thread needs nothing of the caller's for it. @throws FsRefusal */
  performSync(task: Task, meta: TransactionOptions, idleMs: number | null, timeoutMs = SILENCE_MS): unknown {
    let found: Answer | null = null
    const id = this.#send(task, meta, idleMs, (answer) => {
      found = answer
    })
    const until = Date.now() + timeoutMs
    for (;;) {
      const seen = Atomics.load(this.#signal, 0)
      for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port)) {
        this.#dispatch(next.message as Answer)
      }
      if (found !== null) return outcomeOf(found)
      if (Atomics.wait(this.#signal, 0, seen, until - Date.now()) === 'timed-out') {
        this.#settled(id)
        throw new FsRefusal('ETIMEDOUT', task.op)
      }
    }
  }

  /** Closes the journal, and ends the thread unless others wait for it. Who comes next gets a new one. @throws FsRefusal */
  async close(): Promise<void> {
    await this.perform({ op: 'close' }, {}, null)
    this.#end()
  }

  closeSync(): void {
    this.performSync({ op: 'close' }, {}, null)
    this.#end()
  }

  #end(): void {
    if (this.#waiting.size > 0) return
    this.#forget()
    void this.#worker.terminate()
  }

  #forget(): void {
    if (JournalThread.#threads.get(this.root) === this) JournalThread.#threads.delete(this.root)
  }

  #send(task: Task, meta: TransactionOptions, idleMs: number | null, answered: Waiting['answered']): number {
    this.#count += 1
    const id = this.#count
    this.#waiting.set(id, { answered })
    this.#port.ref()
    this.#port.postMessage({ id, task, meta, idleMs } satisfies Request)
    return id
  }

  #dispatch(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id)
    this.#settled(answer.id)
    waiting?.answered(answer)
  }

  #settled(id: number): void {
    this.#waiting.delete(id)
    // The process may end when nobody waits.
    if (this.#waiting.size === 0) this.#port.unref()
  }

  #lost(reason: string): void {
    this.#forget()
    const journal = { code: 'IO', message: `the thread of the journal is lost: ${reason}`, hint: 'Open it again.' }
    for (const [id, { answered }] of this.#waiting) answered({ id, fault: { code: 'EIO', syscall: 'write', journal } })
    this.#waiting.clear()
    this.#port.unref()
  }

  static #exit(): void {
    for (const thread of JournalThread.#threads.values()) {
      try {
        thread.performSync({ op: 'close' }, {}, null, EXIT_MS)
      } catch {
        // What was acknowledged is safe; the next opening does what is left.
      }
    }
  }
}

function outcomeOf({ fault, value }: Answer): unknown {
  if (fault === undefined) return value
  throw FsRefusal.of(fault)
}
