import { realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { COLLECT_AND_RUN, checked } from '../arguments.ts'
import { asJournalError, JournalError, shown } from '../errors.ts'
import type { TransactionOptions } from '../journal-types.ts'
import type { Receipt } from '../transaction/receipt.ts'
import { newTransactionId } from '../transaction/transaction-id.ts'
import type { Collected, CollectRequest, ScopeOptions } from './collect-options.ts'
import { type Command, type CommandOptions, commandLine, type Outcome, runCommand } from './command.ts'

export interface RunOptions extends CommandOptions, ScopeOptions, TransactionOptions {
  /** Where it runs: a folder in the workspace, relative to it or absolute. Default: the workspace itself. */
  readonly cwd?: string
}

export interface RunResult extends Outcome, Collected {
  /** What was run, as one line. */
  readonly command: string
  /** What the workspace had that the journal did not know, taken in before. */
  readonly baseline: readonly Receipt[]
}

/** Tells a command that it runs under the journal: for what, and of which workspace. */
export const RUN_VARIABLE = 'WRITE_JOURNAL_RUN'
const MOST_OF_A_COMMAND = 8192

/** A command under the journal: what is to be collected before it and after it. The two halves may be made by two processes. */
export class JournaledRun {
  /** What was run, as one line. */
  readonly line: string
  readonly #command: Command
  readonly #options: RunOptions
  readonly #parent: string
  readonly #outer: string | null

  /**
   * `root`: the workspace.
   * @throws JournalError `INVALID`, `PATH_OUTSIDE` for what cannot be run
   */
  constructor(root: string, program: string, args: readonly string[], options: RunOptions) {
    checked('the options', options, COLLECT_AND_RUN)
    const words: unknown = [program, ...(Array.isArray(args) ? args : [null])]
    if (!(words as unknown[]).every((word) => typeof word === 'string') || program.trim() === '') {
      throw new JournalError('INVALID', `${shown(program)} with ${shown(args)} is no command`, {
        hint: 'Give a program, and a list of texts that it takes.',
      })
    }
    this.#options = options
    this.#outer = outerRun(root)
    this.#parent = options.parent ?? this.#outer ?? `run-${newTransactionId().slice(1)}`
    this.line = commandLine(program, args, options.shell === true)
    const env = { ...options.env, [RUN_VARIABLE]: `${this.#parent}:${root}` }
    this.#command = { ...options, program, args, cwd: folderIn(root, options.cwd ?? ''), env }
  }

  /** What is collected before it. Within another command under the journal, all that is new since that began is its work. */
  get before(): CollectRequest {
    const within = this.#outer !== null
    const message = within ? 'changed before a command within another' : 'baseline: before a command'
    return {
      ...this.#scope(),
      ...(within ? { baseline: false, parent: this.#parent } : { baseline: true }),
      message: `${message}\n\n$ ${cut(this.line)}`,
    }
  }

  run(more: Pick<Command, 'onStart' | 'stdout'> = {}): Promise<Outcome> {
    return runCommand({ ...this.#command, ...more })
  }

  /** What is collected after it. */
  after({ exitCode, signal, timedOut }: Outcome): CollectRequest {
    const { message, tags = [] } = this.#options
    const ended = signal === null ? `exit:${exitCode}` : `signal:${signal}`
    const line = `$ ${cut(this.line)}`
    return {
      ...this.#scope(),
      baseline: false,
      message: message === undefined ? line : `${message}\n\n${line}`,
      tags: [...tags, 'run', ended, ...(timedOut ? ['timeout'] : [])],
      parent: this.#parent,
    }
  }

  #scope(): ScopeOptions & TransactionOptions {
    const scope: { -readonly [K in keyof CollectRequest]: CollectRequest[K] } = {}
    const { ignore, gitignore, defaults, maxFileBytes, names, actor, validation } = this.#options
    if (ignore !== undefined) scope.ignore = ignore
    if (gitignore !== undefined) scope.gitignore = gitignore
    if (defaults !== undefined) scope.defaults = defaults
    if (maxFileBytes !== undefined) scope.maxFileBytes = maxFileBytes
    if (names !== undefined) scope.names = names
    if (actor !== undefined) scope.actor = actor
    if (validation !== undefined) scope.validation = validation
    return scope
  }
}

/** Runs a command between two looks at the workspace. */
export async function journaledRun(
  run: JournaledRun,
  collect: (request: CollectRequest) => Promise<Collected>,
  announce: () => Promise<() => void>,
): Promise<RunResult> {
  // Before the first look: what is changed behind it may be the command's.
  const end = await announce()
  try {
    const { receipts: baseline } = await collect(run.before)
    const outcome = await run.run()
    const collected = await collect(run.after(outcome))
    return { command: run.line, ...outcome, ...collected, baseline }
  } finally {
    end()
  }
}

/** The run that this process is part of, in the same workspace. */
function outerRun(root: string): string | null {
  const [, parent = '', within] = /^([^:]+):(.*)$/s.exec(process.env[RUN_VARIABLE] ?? '') ?? []
  return within === root ? parent : null
}

function folderIn(root: string, given: string): string {
  const folder = path.resolve(root, given)
  let real: string
  try {
    real = realpathSync.native(folder)
  } catch (error) {
    throw asJournalError(error, 'entering the folder', given)
  }
  if (!statSync(real).isDirectory()) {
    throw new JournalError('INVALID', `${shown(given)} is no folder`, {
      hint: 'Name a folder to run it in.',
      path: given,
    })
  }
  if (real === root || real.startsWith(`${root}${path.sep}`)) return real
  throw new JournalError('PATH_OUTSIDE', `${shown(given)} is not in the workspace`, {
    hint: `A command runs in ${root}, or in a folder below it.`,
    path: given,
  })
}

function cut(line: string): string {
  return line.length > MOST_OF_A_COMMAND ? `${line.slice(0, MOST_OF_A_COMMAND)}…` : line
}
