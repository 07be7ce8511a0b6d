import { type Frame, type LogEnd, LogReader, type ReadOptions } from '../../src/log/log-reader.ts'
import type { Append, LogState, NewFrame } from '../../src/log/log-writer.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { LOG_START, type Position } from '../../src/log/position.ts'
import { Segments } from '../../src/log/segments.ts'
import { SimDisk, type SimOptions } from '../sim/sim-disk.ts'

export const SEED = 0x1122334455667788n
export const FIRST: LogState = { end: LOG_START, sequence: 0, term: 1, durable: LOG_START }

/** A log on a simulated disk, and nothing else. */
export class TestLog {
  readonly disk: SimDisk
  readonly segments: Segments
  readonly reader: LogReader

  constructor(options: Partial<SimOptions> | SimDisk = {}) {
    this.disk = options instanceof SimDisk ? options : SimDisk.create(options)
    this.disk.mkdirp('/log')
    this.disk.mkdirp('/broken')
    this.segments = new Segments(this.disk, '/log')
    this.reader = new LogReader(this.segments, SEED)
  }

  writer(state: LogState = FIRST, segmentSize?: number): LogWriter {
    return new LogWriter(this.segments, state, {
      seed: SEED,
      segmentPayload: (segment) => Buffer.from(`segment ${segment}`),
      ...(segmentSize === undefined ? {} : { segmentSize }),
    })
  }

  read(from?: Position, options?: ReadOptions): { frames: Frame[]; end: LogEnd } {
    const frames: Frame[] = []
    const reading = this.reader.read(from, options)
    for (;;) {
      const step = reading.next()
      if (step.done === true) return { frames, end: step.value }
      frames.push(step.value)
    }
  }

  /** Payloads of the commit frames, as texts. */
  texts(): string[] {
    return this.read()
      .frames.filter(({ kind }) => kind === 'commit')
      .map(({ payload }) => Buffer.from(payload).toString())
  }

  path(segment = 1): string {
    return this.segments.path(segment)
  }

  /** Changes bytes of a segment behind everybody's back. */
  damage(offset: number, change: (bytes: Uint8Array) => void, segment = 1): void {
    const bytes = this.disk.readFile(this.path(segment))
    change(bytes.subarray(offset))
    this.disk.writeFile(this.path(segment), bytes)
  }
}

export function commit(text: string | Uint8Array, durability: Append['durability'] = 'full'): Append {
  const payload = Buffer.from(text)
  const frames: NewFrame[] = [{ kind: 'commit', payload }]
  return { frames, size: payload.byteLength + 64, durability }
}
