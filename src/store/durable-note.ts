/** A note of how far the log is on stable storage, for processes that follow it. Layout: "DURABLE" in journal-format.md. */
import { hashBytes } from '../content/hash.ts'
import type { Disk, FileHandle } from '../disk/disk.ts'
import { readPart, writeFully } from '../disk/file.ts'
import { offsetOf, type Position, positionOf, segmentOf } from '../log/position.ts'
import type { Layout } from './layout.ts'

const FORM = /^(\d{12})(\d{10}) ([0-9a-f]{16})\n$/
const SIZE = 40

function noteOf(journalId: string, position: Position): string {
  const segment = segmentOf(position)
  const offset = offsetOf(position)
  const digest = hashBytes(Buffer.from(`${journalId}:${segment}:${offset}`)).slice(0, 16)
  return `${String(segment).padStart(12, '0')}${String(offset).padStart(10, '0')} ${digest}\n`
}

/** Written by the one writer. Never synced, and never a reason to fail: whoever finds none waits for what the log itself says. */
export class DurableNote {
  readonly #disk: Disk
  readonly #path: string
  readonly #journalId: string
  #handle: FileHandle | null = null
  #failed = false

  constructor(disk: Disk, layout: Layout, journalId: string) {
    this.#disk = disk
    this.#path = layout.durable
    this.#journalId = journalId
  }

  /** All before `position` is on stable storage. */
  synced(position: Position): void {
    if (this.#failed) return
    try {
      this.#handle ??= this.#open()
      writeFully(this.#disk, this.#handle, Buffer.from(noteOf(this.#journalId, position)), 0)
    } catch {
      this.#failed = true
    }
  }

  close(): void {
    const handle = this.#handle
    this.#handle = null
    if (handle !== null) this.#disk.close(handle)
  }

  #open(): FileHandle {
    return this.#disk.open(this.#path, this.#disk.lstat(this.#path) === null ? 'create' : 'write', 0o600)
  }
}

/** What the note says; 0: nothing. */
export function readDurableNote(disk: Disk, layout: Layout, journalId: string): Position {
  try {
    const text = Buffer.from(readPart(disk, layout.durable, 0, SIZE)).toString('latin1')
    const [, segment, offset] = FORM.exec(text) ?? []
    const position = positionOf(Number(segment), Number(offset))
    return text === noteOf(journalId, position) ? position : 0
  } catch {
    return 0
  }
}
