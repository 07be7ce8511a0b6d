import { Packr } from 'msgpackr'
import type { Meta } from '../entry/commit.ts'
import { type ErrorCode, JournalError } from '../errors.ts'
import type { PlainTransaction } from '../transaction/plain-transaction.ts'
import type { Receipt } from '../transaction/receipt.ts'

/** Of the messages between the processes that share a journal. Processes that speak another one cannot. */
export const PROTOCOL = 1
/** Bytes that one message may have. Contents above a mebibyte go by file. */
export const MAX_MESSAGE = 64 * 1024 * 1024
const HEADER = 4

/** The first message of who calls. */
export interface Hello {
  readonly hello: {
    readonly protocol: number
    readonly version: string
    readonly key: string
    readonly pid: number
    readonly client: string
  }
}

/** What a process asks of the writer. */
export type Request =
  | { readonly ask: 'ping' }
  | { readonly ask: 'commit'; readonly transaction: PlainTransaction; readonly tried: boolean }
  | {
      readonly ask: 'lock'
      readonly transaction: Pick<PlainTransaction, 'id' | 'meta' | 'lockTimeoutMs'>
      readonly paths: readonly string[]
    }
  | { readonly ask: 'forget'; readonly transaction: string }
  | { readonly ask: 'upkeep'; readonly work: Upkeep; readonly options: unknown }

/** What only the writer can do, beside commits. */
export type Upkeep = 'checkpoint' | 'compact' | 'purge' | 'collect'

/** What an upkeep is asked for with. */
export interface PurgeRequest extends Meta {
  readonly paths: readonly string[]
}

/** What a commit came to, and where somebody's edit was found. */
export interface Committed {
  readonly receipt: Receipt
  readonly conflicts: readonly string[]
}

export type Numbered<T> = T & { readonly id: number }

/** An answer, or what was wrong. `id` 0: of the connection itself. */
export type Answer = { readonly id: number; readonly ok: unknown } | { readonly id: number; readonly error: PlainError }

export interface PlainError {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string
  readonly path?: string | undefined
  readonly tx?: string | undefined
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

/** A process of another version has the journal. */
export function otherProtocol(pid: number, version: string, theirs: number, ours: number): JournalError {
  return new JournalError(
    'LOCKED',
    `process ${pid} writes this journal with version ${version} of write-journal, which shares it in another way (${theirs}, not ${ours})`,
    { hint: 'Use the same version in both, or wait for that process to finish.', details: { pid, version } },
  )
}

/** Why a connection ended. `silent`: the writer lives, and says nothing. */
export type Ending = 'closed' | 'silent'

/** The writer was lost before it answered: what it did of the request is not known. */
export class WriterLost extends Error {
  readonly ending: Ending

  constructor(ending: Ending) {
    super(`the writer is ${ending}`)
    this.ending = ending
  }
}

const packr = new Packr({ useRecords: false, moreTypes: false })

export function encodeMessage(message: unknown): Uint8Array {
  const body = packr.pack(message)
  if (body.byteLength > MAX_MESSAGE) {
    throw new JournalError(
      'INVALID',
      `a transaction of ${body.byteLength} bytes cannot be handed to the process that writes`,
      {
        hint: `At most ${MAX_MESSAGE} bytes can, besides contents above a mebibyte. Split it into smaller ones.`,
      },
    )
  }
  const framed = Buffer.allocUnsafe(HEADER + body.byteLength)
  framed.writeUInt32LE(body.byteLength, 0)
  framed.set(body, HEADER)
  return framed
}

/** Puts messages together again from the pieces that a stream gives. */
export class MessageParts {
  #pieces: Buffer[] = []
  #size = 0

  /** Messages that are whole now, with the bytes that each had. @throws RangeError for what is no message */
  take(piece: Buffer): readonly { readonly message: unknown; readonly bytes: number }[] {
    const messages: { message: unknown; bytes: number }[] = []
    this.#pieces.push(piece)
    this.#size += piece.byteLength
    while (this.#size >= HEADER) {
      if ((this.#pieces[0] as Buffer).byteLength < HEADER) this.#pieces = [Buffer.concat(this.#pieces)]
      const length = (this.#pieces[0] as Buffer).readUInt32LE(0)
      if (length > MAX_MESSAGE) throw new RangeError(`a message of ${length} bytes`)
      if (this.#size < HEADER + length) break
      const whole = this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces)
      const rest = whole.subarray(HEADER + length)
      this.#pieces = rest.byteLength === 0 ? [] : [rest]
      this.#size = rest.byteLength
      messages.push({ message: packr.unpack(whole.subarray(HEADER, HEADER + length)), bytes: length })
    }
    return messages
  }
}

export function plainError({ code, message, hint, path, tx, details }: JournalError): PlainError {
  return { code, message, hint, path, tx, details }
}

/** The error that the writer met, as one of this process. */
export function revived({ code, message, ...rest }: PlainError): JournalError {
  return new JournalError(code, message, rest)
}
