import pc from 'picocolors'
import { JournalError } from '../errors.ts'
import { ago, isoTime } from './measure.ts'

/** Thrown by a write when the reader of standard output went away: `journal log | head`. Not a failure. */
export class PipeClosed extends Error {}

export type Colors = ReturnType<typeof pc.createColors>

/** Colour belongs on a terminal, unless `NO_COLOR` or `FORCE_COLOR` say otherwise. */
export function wantsColor(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0'
  return stream.isTTY === true && TERM !== 'dumb'
}

/** Standard output and standard error of one command: JSON, or text that suits a terminal or a pipe. */
export class Output {
  /** The caller asked for JSON. */
  readonly json: boolean
  /** Somebody is looking: align, shorten, say times relative to now. */
  readonly terminal: boolean
  readonly colors: Colors
  readonly #signal: AbortSignal
  #failure: Error | null = null

  constructor(json: boolean, signal: AbortSignal) {
    this.json = json
    this.terminal = process.stdout.isTTY === true && !json
    this.colors = pc.createColors(!json && wantsColor(process.stdout))
    this.#signal = signal
    process.stdout.on('error', (error) => this.#failed(error))
    process.stderr.on('error', () => {})
  }

  /**
   * Writes to standard output; resolves when the chunk has left, so that its memory can be used again. Throws PipeClosed, ABORTED, or
   * what the stream reported.
   */
  async write(chunk: string | Uint8Array): Promise<void> {
    this.#check()
    await new Promise<void>((resolve) => {
      process.stdout.write(chunk, (error) => {
        if (error) this.#failed(error)
        resolve()
      })
    })
    this.#check()
  }

  line(text = ''): Promise<void> {
    return this.write(`${text}\n`)
  }

  /** One JSON value on a line of its own. */
  object(value: unknown): Promise<void> {
    return this.write(`${JSON.stringify(value)}\n`)
  }

  /** The one result of a command: the value as JSON, or the lines for a person. */
  async result(value: unknown, text: () => readonly string[]): Promise<void> {
    if (this.json) return this.object(value)
    for (const line of text()) await this.line(line)
  }

  /** Something worth knowing that is not the result; for persons, on standard error. */
  note(text: string): void {
    if (!this.json) process.stderr.write(`${text}\n`)
  }

  /** A time (milliseconds since 1970): relative on a terminal, ISO 8601 elsewhere. */
  time(time: number): string {
    return this.terminal ? ago(time, Date.now()) : isoTime(time)
  }

  /** Columns of one row: aligned by `widths` (negative: to the right) on a terminal, separated by tabs elsewhere. */
  row(cells: readonly string[], widths: readonly number[], paint: readonly ((text: string) => string)[] = []): string {
    if (!this.terminal) return cells.join('\t')
    const padded = cells.map((cell, column) => {
      const width = widths[column] ?? 0
      const text = width < 0 ? cell.padStart(-width) : cell.padEnd(width)
      return (paint[column] ?? String)(text)
    })
    return padded.join('  ').trimEnd()
  }

  /** Resolves when everything written has left the process. Throws like `write`. */
  async flush(): Promise<void> {
    for (const stream of [process.stdout, process.stderr]) {
      if (stream.writableLength > 0) await new Promise((resolve) => stream.write('', resolve))
    }
    // A failed write is reported on the next turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#failure !== null) throw this.#failure
  }

  #failed(error: NodeJS.ErrnoException): void {
    this.#failure ??= error.code === 'EPIPE' ? new PipeClosed() : error
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure
    if (this.#signal.aborted) throw new JournalError('ABORTED', 'Interrupted', { hint: 'Run the command again.' })
  }
}
