import { type ChildProcess, spawn } from 'node:child_process'
import os from 'node:os'
import { isSystemError, JournalError } from '../errors.ts'

/** What becomes of the output of a command: `collect` keeps the end of it, `inherit` is that of this process, `ignore` throws it away. */
export type OutputUse = 'collect' | 'inherit' | 'ignore'

export interface CommandOptions {
  /** Variables added to those of this process; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Hand the command to the shell, as one line. Default false: the program is started as it is. */
  readonly shell?: boolean
  /** End it after so long. */
  readonly timeoutMs?: number
  /** What is told to end and does not is killed after so long. Default 5000. */
  readonly killAfterMs?: number
  /** Ends it when aborted; what it did is collected all the same. */
  readonly signal?: AbortSignal
  /** Default `collect`. */
  readonly output?: OutputUse
  /** How much of the end of each output is kept. Default 1 MiB. */
  readonly outputBytes?: number
  /** What it reads; default nothing, or with `inherit` what this process reads. */
  readonly input?: string | Uint8Array
}

/** A command that is to be run. */
export interface Command extends CommandOptions {
  readonly program: string
  readonly args: readonly string[]
  /** Absolute. */
  readonly cwd: string
  /** Called once with a function that sends it a signal. */
  readonly onStart?: (send: (signal: NodeJS.Signals) => void) => void
  /** With `inherit`: where its standard output goes. */
  readonly stdout?: 'inherit' | 'stderr'
}

/** How a command ended. */
export interface Outcome {
  /** Null when a signal ended it. */
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly timedOut: boolean
  readonly durationMs: number
  /** The end of what it printed, where that was collected. */
  readonly stdout: string
  readonly stderr: string
  /** Was there more than was kept? */
  readonly truncated: boolean
}

const KILL_AFTER_MS = 5000
const OUTPUT_BYTES = 1024 * 1024
/** What a command left running may hold its output open for ever. */
const LINGER_MS = 500
const POSIX = process.platform !== 'win32'

/** As shells have it. */
const NOT_FOUND = 127
const NOT_EXECUTABLE = 126
const TIMED_OUT = 124
const SIGNALLED = 128

/** The exit code by which a shell would tell it. */
export function exitCodeOf({ exitCode, signal, timedOut }: Pick<Outcome, 'exitCode' | 'signal' | 'timedOut'>): number {
  if (timedOut) return TIMED_OUT
  if (signal !== null) return SIGNALLED + (os.constants.signals[signal] ?? 0)
  return exitCode ?? 1
}

/** A command line that a shell would take apart in the same way. */
export function commandLine(program: string, args: readonly string[], shell: boolean): string {
  if (shell) return [program, ...args].join(' ')
  return [program, ...args].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quoted(word))).join(' ')
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

/**
 * Runs a command to its end.
 * @throws JournalError when it could not be started: `NOT_FOUND`, `PERMISSION`; `details.exitCode` is what a shell says then
 */
export async function runCommand(command: Command): Promise<Outcome> {
  const { cwd, env, signal: cancel, output = 'collect', outputBytes = OUTPUT_BYTES, timeoutMs } = command
  const started = performance.now()
  // A group of its own can be ended as a whole; one that shares the terminal stays in front.
  const group = POSIX && output !== 'inherit'
  const child = start(command, group)
  const ends = [new End(outputBytes), new End(outputBytes)] as const
  child.stdout?.on('data', (chunk: Buffer) => ends[0].add(chunk))
  child.stderr?.on('data', (chunk: Buffer) => ends[1].add(chunk))
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(command.input)
  const send = (name: NodeJS.Signals): void => signalTo(child, group, name)
  let timedOut = false
  let killing: NodeJS.Timeout | undefined
  const end = (): void => {
    send('SIGTERM')
    killing ??= setTimeout(() => send('SIGKILL'), command.killAfterMs ?? KILL_AFTER_MS)
  }
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true
          end()
        }, timeoutMs)
  try {
    const ended = ending(child)
    ended.catch(() => undefined)
    command.onStart?.(send)
    if (cancel?.aborted) end()
    else cancel?.addEventListener('abort', end, { once: true })
    const { exitCode, signal } = await ended
    const [stdout, stderr] = ends.map((kept) => kept.text()) as [string, string]
    const truncated = ends.some((kept) => kept.isCut)
    return {
      exitCode,
      signal,
      timedOut,
      durationMs: Math.round(performance.now() - started),
      stdout,
      stderr,
      truncated,
    }
  } catch (error) {
    throw notStarted(error, command.program, cwd)
  } finally {
    clearTimeout(timer)
    clearTimeout(killing)
    cancel?.removeEventListener('abort', end)
  }

  function start({ program, args, shell, input, stdout }: Command, detached: boolean): ChildProcess {
    const reading = input === undefined ? (output === 'inherit' ? 'inherit' : 'ignore') : 'pipe'
    const writing = output === 'collect' ? 'pipe' : output
    const first = output === 'inherit' && stdout === 'stderr' ? 2 : writing
    try {
      return spawn(shell === true ? [program, ...args].join(' ') : program, shell === true ? [] : [...args], {
        cwd,
        env: { ...process.env, ...env },
        shell: shell === true,
        stdio: [reading, first, writing],
        detached,
        windowsHide: true,
      })
    } catch (error) {
      throw notStarted(error, program, cwd)
    }
  }
}

/** Resolves at the end of the process, and of its output unless something that it left running holds that open. */
function ending(child: ChildProcess): Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    let linger: NodeJS.Timeout | undefined
    child.once('error', reject)
    child.once('exit', (exitCode, signal) => {
      linger = setTimeout(() => {
        child.stdout?.destroy()
        child.stderr?.destroy()
        resolve({ exitCode, signal })
      }, LINGER_MS)
    })
    child.once('close', (exitCode, signal) => {
      clearTimeout(linger)
      resolve({ exitCode, signal })
    })
  })
}

function signalTo(child: ChildProcess, group: boolean, name: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    if (group) process.kill(-child.pid, name)
    else child.kill(name)
  } catch (error) {
    // It ended by itself.
    if (!isSystemError(error)) throw error
  }
}

function notStarted(error: unknown, program: string, cwd: string): unknown {
  // What Node refuses to hand over: a NUL in an argument, say.
  if (error instanceof TypeError) {
    return new JournalError('INVALID', `the command cannot be started: ${error.message}`, {
      hint: 'Correct its arguments.',
      cause: error,
    })
  }
  if (!isSystemError(error)) return error
  const found = error.code !== 'ENOENT'
  return new JournalError(
    found ? 'PERMISSION' : 'NOT_FOUND',
    found ? `the command ${program} cannot be started: ${error.message}` : `there is no command ${program}`,
    {
      hint: found
        ? 'Is it a program, and may you run it?'
        : 'Check the spelling. What only a shell knows, such as pipes and &&, needs the shell option.',
      cause: error,
      details: { exitCode: found ? NOT_EXECUTABLE : NOT_FOUND, cwd },
    },
  )
}

/** The end of an output. */
class End {
  readonly #limit: number
  #chunks: Buffer[] = []
  #size = 0
  isCut = false

  constructor(limit: number) {
    this.#limit = limit
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#size += chunk.byteLength
    // Not at each chunk: joining them takes time.
    if (this.#size > 2 * this.#limit + 65_536) this.#cut()
  }

  text(): string {
    this.#cut()
    return Buffer.concat(this.#chunks).toString('utf8')
  }

  #cut(): void {
    if (this.#size <= this.#limit) return
    const kept = Buffer.concat(this.#chunks).subarray(this.#size - this.#limit)
    this.#chunks = [Buffer.from(kept)]
    this.#size = kept.byteLength
    this.isCut = true
  }
}
