/**
 * JSON-RPC over standard input and output, a message a line. The SDK's own transport gives up at 10 MiB, copies everything it has for each piece that comes,
 * and is silent about lines that are no messages; here a large file can be written, and whoever sends rubbish is told.
 */
import type { Readable, Writable } from 'node:stream'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { ErrorCode, type JSONRPCMessage, JSONRPCMessageSchema } from '@modelcontextprotocol/sdk/types.js'

/** The longest line that is taken, in bytes. */
export const MOST_BYTES = 256 * 1024 * 1024
/** At the end of a line that is too long, where clients put the id of a request. */
const TAIL_BYTES = 1024
const LINE_FEED = 10

export class LineTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void
  readonly #input: Readable
  readonly #output: Writable
  readonly #most: number
  #parts: Buffer[] = []
  #size = 0
  #closed = false

  constructor(input: Readable, output: Writable, most = MOST_BYTES) {
    this.#input = input
    this.#output = output
    this.#most = most
  }

  async start(): Promise<void> {
    this.#input.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#input.on('end', () => this.close())
    this.#input.on('error', (error) => this.onerror?.(error))
    this.#input.on('close', () => this.close())
    // A client that does not read any more is gone.
    this.#output.on('error', () => this.close())
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#closed) return
    await this.#write(message)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#input.pause()
    this.onclose?.()
  }

  #write(message: object): Promise<void> {
    return new Promise((resolve) => this.#output.write(`${JSON.stringify(message)}\n`, () => resolve()))
  }

  #take(chunk: Buffer): void {
    let from = 0
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      this.#keep(chunk.subarray(from, end))
      from = end + 1
      this.#line()
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from))
  }

  #keep(part: Buffer): void {
    this.#size += part.length
    this.#parts.push(part)
    if (this.#size <= this.#most || this.#parts.length < 2) return
    // Too long: only its end is of interest.
    this.#parts = [Buffer.from(Buffer.concat(this.#parts.slice(-2)).subarray(-TAIL_BYTES))]
  }

  #line(): void {
    const [parts, size] = [this.#parts, this.#size]
    this.#parts = []
    this.#size = 0
    if (size > this.#most) {
      const end = Buffer.concat(parts).subarray(-TAIL_BYTES).toString('utf8')
      this.#refuse(ErrorCode.InvalidRequest, `a message has at most ${this.#most} bytes`, idAtEnd(end))
      return
    }
    const text = Buffer.concat(parts, size).toString('utf8').trim()
    if (text === '') return
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (error) {
      this.#refuse(ErrorCode.ParseError, `Parse error: ${(error as Error).message}`)
      return
    }
    const parsed = JSONRPCMessageSchema.safeParse(value)
    if (!parsed.success)
      this.#refuse(ErrorCode.InvalidRequest, 'Invalid Request: this is no JSON-RPC 2.0 message', idOf(value))
    else if (isMisshapenCall(parsed.data))
      this.#refuse(ErrorCode.InvalidParams, 'Invalid params: a call is { name, arguments? }', idOf(value))
    else this.onmessage?.(parsed.data)
  }

  #refuse(code: ErrorCode, message: string, id?: string | number): void {
    if (this.#closed) return
    this.onerror?.(new Error(message))
    void this.#write({ jsonrpc: '2.0', ...(id === undefined ? {} : { id }), error: { code, message } })
  }
}

/** What the SDK would take for a fault of the server. */
function isMisshapenCall(message: JSONRPCMessage): boolean {
  if (!('method' in message) || message.method !== 'tools/call') return false
  const { name, arguments: given } = (message.params ?? {}) as { name?: unknown; arguments?: unknown }
  return (
    typeof name !== 'string' ||
    (given !== undefined && (typeof given !== 'object' || given === null || Array.isArray(given)))
  )
}

function idOf(value: unknown): string | number | undefined {
  const id = (value as { id?: unknown } | null)?.id
  return typeof id === 'string' || typeof id === 'number' ? id : undefined
}

function idAtEnd(text: string): string | number | undefined {
  const [, id] = /"id":\s*(\d+|"[^"\\]*")\s*\}\s*$/.exec(text) ?? []
  return id === undefined ? undefined : (JSON.parse(id) as string | number)
}
