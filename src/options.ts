import type { Disk } from './disk/disk.ts'
import type { OpenDatabase } from './history/index-database.ts'
import type { Durability } from './log/log-writer.ts'
import type { RetentionLimits } from './retention/policy.ts'
import type { ValidationLevel } from './safety/validation/level.ts'
import type { ValidationOptions } from './safety/validation/options.ts'
import type { AgentOptions } from './team/agent-settings.ts'

/** How far a long piece of work is. `total` 0: unknown. */
export interface Progress {
  readonly phase: string
  readonly done: number
  readonly total: number
}

/** How much history is kept: what is beyond any of these limits is dropped, by whole segments of the log. */
export interface RetentionOptions extends RetentionLimits {
  /** Drop it by itself, in the background, after commits. Default true; else only `compact` does. */
  readonly auto?: boolean
}

export interface SizeLimits {
  /** Bytes that log, blobs and `broken/` may take together, at least 1 MiB. A commit that would exceed it fails with `NO_SPACE`. */
  readonly journalBytes?: number
  /**
   * Small changes of files of more bytes than this are made in place, under the protection of the log, where readers may see them half done. At least, and
   * by default, 1 MiB. `Infinity`: every file is replaced as a whole.
   */
  readonly inPlaceBytes?: number
}

export interface OpenOptions {
  /** Who writes, unless a transaction says otherwise. */
  readonly actor?: string
  /**
   * What an acknowledgement means. `full` (default): on stable storage. `os`: handed to the operating system; survives the process,
   * not the power.
   */
  readonly durability?: Durability
  /**
   * What to do with transactions that a crash left in flight. `revert`: take back what a killed process had not finished; after a restart of the machine
   * nothing tells that from what was acknowledged, and all is finished. `manual`: throw `NEEDS_RECOVERY`. Default `replay`.
   */
  readonly recover?: 'replay' | 'revert' | 'manual'
  /** Keep staged contents of transactions that were never committed, in `.journal/broken/`. */
  readonly salvage?: boolean
  /** How long a transaction waits for locks. Default 30 000. */
  readonly lockTimeoutMs?: number
  /** Cancels what is not committed yet. */
  readonly signal?: AbortSignal
  /**
   * Share the journal with other processes that have it open for writing: one of them writes for all, and another one when it is gone. False: this process
   * alone writes, and `LOCKED` when another one does. Default: true, on Node's file system.
   */
  readonly shared?: boolean
  /** How long the process that writes for this one may say nothing before it is taken for frozen, and another one takes its place. Default 10 000, at least 100. */
  readonly writerTimeoutMs?: number
  /** Make a journal where there is none. Default true, unless `readOnly`. */
  readonly create?: boolean
  /** Take over a journal that was made for another folder. */
  readonly rebind?: boolean
  /** Take no lock, recover nothing, write nothing; works beside a writer. */
  readonly readOnly?: boolean
  /**
   * Turn every optimization off: each file is written and replaced by rename, hashes are never remembered. Results are the same.
   * Default: true when the environment variable `WRITE_JOURNAL_LEGACY` is set to anything but `0` or nothing.
   */
  readonly legacy?: boolean
  readonly onProgress?: (progress: Progress) => void
  /** The file system. Default: Node's. */
  readonly disk?: Disk
  /** The index's database. Default: LevelDB on Node's file system, memory elsewhere. */
  readonly openDatabase?: OpenDatabase
  /** Default: everything is kept. */
  readonly retention?: RetentionOptions
  readonly limits?: SizeLimits
  /** What is asked of the contents of files before a transaction commits. Default: nothing. */
  readonly validation?: ValidationLevel | ValidationOptions
  /**
   * What each agent may do, by the name of an actor or a pattern of names. Of this process; what is to hold for all of them stands in `.journal/config.yaml`.
   * Names come from callers: this keeps agents from mistakes, not from lies.
   */
  readonly agents?: AgentOptions
  /** Bytes after which a new log segment begins. Default 64 MiB. */
  readonly segmentSize?: number
}

/** What long pieces of work take of the options. */
export function progressOf({ onProgress }: OpenOptions): { onProgress?: (progress: Progress) => void } {
  return onProgress === undefined ? {} : { onProgress }
}
