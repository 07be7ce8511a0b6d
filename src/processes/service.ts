import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import net from 'node:net'
import { asJournalError, type JournalError } from '../errors.ts'
import type { Address } from '../store/writer-lock.ts'
import { VERSION } from '../version.ts'
import { type Endpoint, listen } from './endpoint.ts'
import {
  encodeMessage,
  type Hello,
  MessageParts,
  type Numbered,
  otherProtocol,
  PROTOCOL,
  plainError,
  type Request,
  WriterLost,
} from './message.ts'

/** Of one process: what it asked for and was not answered yet. Beyond it nothing more is read from it. */
const MOST_REQUESTS = 256
const MOST_BYTES = 32 * 1024 * 1024
/** Answers that a process does not take. */
const MOST_UNREAD = 1024 * 1024
/** Of all together. */
const MOST_BYTES_OF_ALL = 128 * 1024 * 1024
/** A connection that says nothing is nobody's. */
const HELLO_MS = 10_000
/** So often a process that is not read for a while is told that somebody is there: its pings are not read either. */
const BEAT_MS = 500

/** Carries out what other processes ask for. */
export interface Servant {
  /** `client`: the name of the process's folder for what it stages. */
  answer(request: Request, client: string): Promise<unknown>
  /** The process is gone: transactions that it had begun here end. */
  gone(client: string): void
  /** Nothing more is taken from anybody: transactions that were begun here end, for others may be waiting for their locks. */
  ending(): void
}

/** The writer's ear: takes transactions from other processes of the same user, and answers when they are done. */
export class Service {
  readonly address: Address
  readonly #server: net.Server
  readonly #endpoint: Endpoint
  readonly #sessions: ReadonlySet<ClientSession>
  readonly #servant: Servant
  #ended = false

  private constructor(
    server: net.Server,
    endpoint: Endpoint,
    key: string,
    sessions: ReadonlySet<ClientSession>,
    servant: Servant,
  ) {
    this.#sessions = sessions
    this.#servant = servant
    this.#server = server
    this.#endpoint = endpoint
    this.address = { socket: endpoint.socket, key, protocol: PROTOCOL }
  }

  /** Null where no other process can reach this one. `left`: the socket of a writer that was killed. */
  static async begin(
    directory: string,
    term: number,
    servant: Servant,
    left: string | null = null,
  ): Promise<Service | null> {
    const key = randomBytes(24).toString('base64url')
    const sessions = new Set<ClientSession>()
    const budget = new Budget()
    const server = net.createServer((socket) => {
      const session = new ClientSession(socket, key, servant, budget, {
        greeted: (client) => {
          for (const other of sessions) if (other !== session && other.client === client) other.supersede()
        },
        ended: () => sessions.delete(session),
      })
      sessions.add(session)
    })
    const endpoint = await listen(server, directory, term, left)
    if (endpoint === null) return null
    // Nobody must go on living only to serve others: they find another writer.
    server.unref()
    server.on('error', () => undefined)
    return new Service(server, endpoint, key, sessions, servant)
  }

  /** Takes no more requests, and waits for those that are being carried out. */
  async drain(): Promise<void> {
    this.#server.close()
    const drained = [...this.#sessions].map((session) => session.drain())
    this.#servant.ending()
    await Promise.all(drained)
  }

  /** Ends all connections: whoever is at the other end looks for the next writer. Ending twice is no error. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#server.close()
    for (const session of this.#sessions) session.end()
    this.#endpoint.release()
  }
}

/** Bytes of requests that are being carried out, of all processes. */
class Budget {
  #used = 0
  readonly #waiting = new Set<() => void>()

  take(bytes: number): void {
    this.#used += bytes
  }

  give(bytes: number): void {
    this.#used -= bytes
    if (this.isSpent) return
    for (const resume of this.#waiting) resume()
    this.#waiting.clear()
  }

  get isSpent(): boolean {
    return this.#used > MOST_BYTES_OF_ALL
  }

  wait(resume: () => void): void {
    this.#waiting.add(resume)
  }
}

interface SessionHost {
  /** It has said who it is. */
  readonly greeted: (client: string) => void
  readonly ended: () => void
}

/** One process at the other end. */
class ClientSession {
  readonly #socket: net.Socket
  readonly #key: string
  readonly #servant: Servant
  readonly #budget: Budget
  readonly #parts = new MessageParts()
  readonly #running = new Set<Promise<void>>()
  #client: string | null = null
  #bytes = 0
  #draining = false
  #superseded = false
  #beat: NodeJS.Timeout | null = null
  readonly #host: SessionHost

  constructor(socket: net.Socket, key: string, servant: Servant, budget: Budget, host: SessionHost) {
    this.#host = host
    this.#socket = socket
    this.#key = key
    this.#servant = servant
    this.#budget = budget
    socket.unref()
    const timer = setTimeout(() => {
      if (this.#client === null) socket.destroy()
    }, HELLO_MS).unref()
    socket.on('data', (piece: Buffer) => this.#take(piece))
    socket.on('drain', () => this.#goOn())
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearTimeout(timer)
      this.#rest()
      host.ended()
      if (this.#client !== null && !this.#superseded) servant.gone(this.#client)
    })
  }

  get client(): string | null {
    return this.#client
  }

  /** The process has connected anew, and asks there again for what was not answered: nothing that may still be on its way here counts. */
  supersede(): void {
    if (this.#superseded) return
    this.#superseded = true
    this.#draining = true
    this.#servant.gone(this.#client as string)
    this.#socket.destroy()
  }

  async drain(): Promise<void> {
    this.#draining = true
    this.#pause()
    await Promise.all(this.#running)
  }

  end(): void {
    // What was answered must arrive.
    this.#socket.end(() => this.#socket.destroy())
  }

  #take(piece: Buffer): void {
    try {
      for (const { message, bytes } of this.#parts.take(piece)) {
        if (this.#client === null) this.#greet(message as Partial<Hello>)
        else if (!this.#draining) this.#carryOut(message as Numbered<Request>, bytes)
      }
    } catch {
      // Whatever it is, it does not speak as we do.
      this.#socket.destroy()
    }
  }

  #greet({ hello }: Partial<Hello>): void {
    if (typeof hello?.key !== 'string' || !sameKey(hello.key, this.#key) || !/^[0-9a-z-]{1,64}$/.test(hello.client)) {
      this.#socket.destroy()
      return
    }
    if (hello.protocol !== PROTOCOL) {
      this.#refuse(otherProtocol(process.pid, VERSION, PROTOCOL, hello.protocol))
      return
    }
    this.#client = hello.client
    this.#host.greeted(hello.client)
    this.#send({ id: 0, ok: { version: VERSION, pid: process.pid } })
  }

  #refuse(error: JournalError): void {
    this.#send({ id: 0, error: plainError(error) })
    this.#socket.end()
  }

  #carryOut(request: Numbered<Request>, bytes: number): void {
    const { id } = request
    if (request.ask === 'ping') {
      this.#send({ id, ok: null })
      if (this.#isBusy) this.#pause()
      return
    }
    this.#bytes += bytes
    this.#budget.take(bytes)
    const work = this.#servant
      .answer(request, this.#client as string)
      .then(
        (ok) => this.#send({ id, ok }),
        (error: unknown) => this.#fail(id, error),
      )
      .finally(() => {
        this.#running.delete(work)
        this.#bytes -= bytes
        this.#budget.give(bytes)
        this.#goOn()
      })
    this.#running.add(work)
    if (this.#isBusy) {
      this.#pause()
      if (this.#budget.isSpent) this.#budget.wait(() => this.#goOn())
    }
  }

  #fail(id: number, error: unknown): void {
    // What this process cannot answer, the next writer does.
    if (error instanceof WriterLost) this.#socket.destroy()
    else this.#send({ id, error: plainError(asJournalError(error, 'writing for another process')) })
  }

  get #isBusy(): boolean {
    const { writableLength } = this.#socket
    return (
      this.#running.size >= MOST_REQUESTS ||
      this.#bytes > MOST_BYTES ||
      writableLength > MOST_UNREAD ||
      this.#budget.isSpent
    )
  }

  #goOn(): void {
    if (this.#draining || this.#isBusy || !this.#socket.isPaused()) return
    this.#rest()
    this.#socket.resume()
  }

  #pause(): void {
    this.#socket.pause()
    this.#beat ??= setInterval(() => {
      if (this.#socket.writableLength <= MOST_UNREAD) this.#send({ id: -1, ok: null })
    }, BEAT_MS).unref()
  }

  #rest(): void {
    if (this.#beat !== null) clearInterval(this.#beat)
    this.#beat = null
  }

  #send(message: unknown): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeMessage(message))
  }
}

function sameKey(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
