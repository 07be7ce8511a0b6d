import { userInfo } from 'node:os'
import path from 'node:path'
import type { Journal } from '../journal.ts'
import type { TransactionOptions } from '../journal-types.ts'
import type { OpenOptions } from '../options.ts'
import type { Reading } from '../reading.ts'
import type { ValidationLevel } from '../safety/validation/level.ts'
import { counted } from './measure.ts'
import { Output } from './output.ts'
import { present } from './present.ts'
import { printable } from './printable.ts'
import type { Program } from './program.ts'
import { Progress } from './progress.ts'
import { findRoot, workspacePath } from './workspace-root.ts'

/** Options that every command takes, before or after its name. */
export interface GlobalOptions {
  readonly root?: string
  readonly json?: boolean
  readonly actor?: string
  readonly message?: string
}

/** Options of every command that writes. */
export interface MetaOptions {
  readonly tag?: readonly string[]
  readonly parent?: string
  readonly validate?: ValidationLevel
  readonly lease?: readonly number[]
}

/** One run of one command: where it works, how it prints, and the journal it opens. */
export class Session {
  readonly output: Output
  readonly signal: AbortSignal
  readonly globals: GlobalOptions
  /** The whole command line, for help and completion. */
  readonly program: Program
  readonly progress = new Progress()
  /** Of a command that did its work and has bad news: `verify`. */
  exitCode = 0
  #root: string | undefined

  constructor(globals: GlobalOptions, signal: AbortSignal, program: Program) {
    this.program = program
    this.globals = globals
    this.signal = signal
    this.output = new Output(globals.json === true, signal)
  }

  /** The workspace. Throws NOT_FOUND. */
  get root(): string {
    this.requireWorkspace()
    return this.#root as string
  }

  /** Throws NOT_FOUND when there is no workspace to work on. */
  requireWorkspace(): void {
    this.#root ??= findRoot(this.globals.root, process.cwd())
  }

  /** What a path argument means: relative to `--root` when that is given, else to the current folder. */
  path(argument: string): string {
    return workspacePath(this.root, this.globals.root === undefined ? process.cwd() : this.root, argument)
  }

  /** The same where a folder may be meant: without the slash that shells complete. */
  folder(argument: string): string {
    return this.path(argument).replace(/(.)\/+$/, '$1')
  }

  /** Path arguments that select; undefined when they select everything. */
  selection(paths: readonly string[]): readonly string[] | undefined {
    const selected = paths.map((argument) => path.posix.normalize(this.path(argument)).replace(/(.)\/+$/, '$1'))
    return selected.length === 0 || selected.includes('.') ? undefined : selected
  }

  /** The same as `read`, with less to load. */
  async look<T>(use: (reading: Reading) => Promise<T>): Promise<T> {
    const { openReading } = await import('../reading.ts')
    const reading = await openReading(this.root, this.progress.report)
    try {
      return await use(reading)
    } finally {
      this.progress.clear()
      await reading.close()
    }
  }

  /** Opens the journal for reading, beside any writer. */
  async read<T>(use: (journal: Journal) => Promise<T>): Promise<T> {
    return this.open(this.root, { create: false, readOnly: true }, use)
  }

  /** Opens the journal for writing. What a crash left behind is recovered first, and said. */
  async write<T>(use: (journal: Journal) => Promise<T>, options: OpenOptions = {}): Promise<T> {
    return this.open(this.root, { create: false, ...options }, async (journal) => {
      const { replayed, reverted, conflicts } = journal.recovery
      const count = replayed.length + reverted.length
      if (count > 0) this.output.note(`Recovered ${counted(count, 'transaction')} left in flight by a crash.`)
      for (const conflict of conflicts) this.output.note(`Left alone, somebody changed it: ${printable(conflict.path)}`)
      journal.on('conflict', ({ path }) => {
        this.output.note(`Somebody had changed ${printable(path)}; what was there is kept in the history.`)
      })
      return use(journal)
    })
  }

  async open<T>(root: string, options: OpenOptions, use: (journal: Journal) => Promise<T>): Promise<T> {
    const { openJournal } = await import('../index.ts')
    const actor = this.globals.actor ?? defaultActor()
    const journal = await openJournal(root, {
      ...present<OpenOptions>({ actor }),
      signal: this.signal,
      onProgress: this.progress.report,
      ...options,
    })
    try {
      return await use(journal)
    } finally {
      this.progress.clear()
      await journal.close()
    }
  }

  /** Who and why, and what is asked of the contents, from the options. */
  meta(options: MetaOptions): TransactionOptions {
    return present<TransactionOptions>({
      actor: this.globals.actor,
      message: this.globals.message,
      tags: options.tag,
      parent: options.parent,
      validation: options.validate,
      lease: options.lease,
    })
  }
}

/** `WRITE_JOURNAL_ACTOR`, or the user's name. */
function defaultActor(): string | undefined {
  const { WRITE_JOURNAL_ACTOR } = process.env
  if (WRITE_JOURNAL_ACTOR) return WRITE_JOURNAL_ACTOR
  try {
    return userInfo().username
  } catch {
    // A user id without an entry in the user database, as in many containers.
    return undefined
  }
}
