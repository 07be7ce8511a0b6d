import type net from 'node:net'
import type { Writer } from '../store/writer-lock.ts'
import { VERSION } from '../version.ts'
import { connect } from './endpoint.ts'
import {
  type Answer,
  type Ending,
  encodeMessage,
  type Hello,
  MessageParts,
  otherProtocol,
  PROTOCOL,
  type Request,
  revived,
  WriterLost,
} from './message.ts'

/** Whoever waits for an answer asks this often whether anybody is there. */
const PING_MS = 1000

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** A connection to the writer. */
export class Channel {
  readonly #socket: net.Socket
  readonly #silentMs: number
  readonly #ended: (ending: Ending) => void
  readonly #parts = new MessageParts()
  readonly #pending = new Map<number, Pending>()
  #last = 0
  #heard = performance.now()
  #timer: NodeJS.Timeout | null = null
  #ending: Ending | null = null
  #written: Promise<void> | null = null

  private constructor(socket: net.Socket, silentMs: number, ended: (ending: Ending) => void) {
    this.#socket = socket
    this.#silentMs = silentMs
    this.#ended = ended
    socket.on('data', (piece: Buffer) => this.#take(piece))
    socket.on('error', () => undefined)
    socket.on('close', () => this.#end('closed'))
    socket.unref()
  }

  /**
   * `client`: the name of this process's folder. `silentMs`: after which a writer that says nothing counts as frozen.
   * @throws WriterLost; system errors of a socket that is not there; JournalError `LOCKED` for a writer that refuses
   */
  static async open(
    directory: string,
    writer: Writer,
    client: string,
    silentMs: number,
    ended: (ending: Ending) => void,
  ): Promise<Channel> {
    const { address } = writer
    if (typeof address !== 'object' || address === null) throw new WriterLost('closed')
    const socket = await connect(directory, address.socket)
    if (address.protocol !== PROTOCOL) {
      socket.destroy()
      throw otherProtocol(writer.pid, writer.version ?? 'of another kind', address.protocol, PROTOCOL)
    }
    const channel = new Channel(socket, silentMs, ended)
    const hello: Hello = {
      hello: { protocol: PROTOCOL, version: VERSION, key: address.key, pid: process.pid, client },
    }
    await channel.#expect(0, hello)
    return channel
  }

  get isOpen(): boolean {
    return this.#ending === null
  }

  /** Resolves with the answer. @throws WriterLost; the JournalError that the writer met */
  request(request: Request): Promise<unknown> {
    this.#last += 1
    return this.#expect(this.#last, { ...request, id: this.#last })
  }

  /** Says something that needs no answer. */
  tell(request: Request): void {
    this.request(request).catch(() => undefined)
  }

  close(): void {
    this.#end('closed')
  }

  async #expect(id: number, message: unknown): Promise<unknown> {
    const bytes = encodeMessage(message)
    // What the writer does not take yet stays with whoever asks, not in memory.
    while (this.#written !== null) await this.#written
    if (this.#ending !== null) throw new WriterLost(this.#ending)
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      if (this.#pending.size === 1) this.#watch()
      if (!this.#socket.write(bytes)) {
        this.#written = new Promise((drained) => {
          const done = (): void => {
            this.#socket.off('drain', done)
            this.#socket.off('close', done)
            this.#written = null
            drained()
          }
          this.#socket.on('drain', done)
          this.#socket.on('close', done)
        })
      }
    })
  }

  #take(piece: Buffer): void {
    this.#heard = performance.now()
    try {
      for (const { message } of this.#parts.take(piece)) {
        const answer = message as Answer
        const pending = this.#pending.get(answer.id)
        this.#pending.delete(answer.id)
        if (this.#pending.size === 0) this.#rest()
        if ('error' in answer) pending?.reject(revived(answer.error))
        else pending?.resolve(answer.ok)
      }
    } catch {
      this.#end('closed')
    }
  }

  /** Somebody waits: the process must not end, and the writer not be frozen. */
  #watch(): void {
    this.#socket.ref()
    this.#heard = performance.now()
    let looked = this.#heard
    const pause = Math.min(PING_MS, this.#silentMs / 4)
    this.#timer = setInterval(() => {
      const now = performance.now()
      // Was it this process that stood still? Then the writer gets its time anew.
      if (now - looked > pause * 3) this.#heard = now
      looked = now
      if (now - this.#heard > this.#silentMs) this.#end('silent')
      else if (now - this.#heard > pause / 2) this.#socket.write(encodeMessage({ ask: 'ping', id: -1 }))
    }, pause)
  }

  #rest(): void {
    this.#socket.unref()
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  #end(ending: Ending): void {
    if (this.#ending !== null) return
    this.#ending = ending
    this.#rest()
    this.#socket.destroy()
    for (const { reject } of this.#pending.values()) reject(new WriterLost(ending))
    this.#pending.clear()
    this.#ended(ending)
  }
}
