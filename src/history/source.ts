import type { ContentStore } from '../content/content-store.ts'
import type { Disk } from '../disk/disk.ts'
import type { LogReader } from '../log/log-reader.ts'
import type { Position } from '../log/position.ts'

/** What the history is read from. */
export interface HistorySource {
  readonly disk: Disk
  /** The workspace: absolute, without a slash at the end. */
  readonly root: string
  /** Its `.journal`, absolute. */
  readonly directory: string
  /** 32 hex digits. */
  readonly journalId: string
  readonly reader: LogReader
  readonly contents: ContentStore
  /**
   * Where the log ends for readers in the writer's own process: behind what has been acknowledged. Without it the log is read as far as
   * valid frames stand.
   */
  readonly readable?: () => Position
  /** Up to where this process, when it is the writer, knows the log to be on stable storage; 0: nothing. */
  readonly durable?: () => Position
}

/** How far a long piece of work is; `total` 0 when unknown. */
export interface HistoryProgress {
  readonly phase: string
  readonly done: number
  readonly total: number
}

export type OnHistoryProgress = (progress: HistoryProgress) => void
