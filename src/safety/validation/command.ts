import { type ChildProcess, spawn } from 'node:child_process'

/** Bytes of what a command prints that are kept; the rest is read and forgotten. */
const OUTPUT_BYTES = 64 * 1024

export interface CommandOptions {
  readonly cwd: string
  readonly input: Uint8Array
  readonly env: Readonly<Record<string, string>>
  /** Ends the command, and all that it started. */
  readonly signal: AbortSignal
}

export interface CommandResult {
  readonly code: number
  /** The signal that ended it; null: it ended by itself. */
  readonly killed: string | null
  /** The beginning of what it printed, on either stream. */
  readonly output: string
}

/**
 * Runs a program to its end.
 * @throws a system error when it cannot be started
 */
export function runCommand(command: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const [program = '', ...args] = command
  const { cwd, input, env, signal } = options
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Error('it was cancelled'))
    // A group of its own, so that its children end with it.
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      detached: process.platform !== 'win32',
      windowsHide: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const parts: Buffer[] = []
    let length = 0
    const take = (chunk: Buffer): void => {
      if (length < OUTPUT_BYTES) parts.push(chunk.subarray(0, OUTPUT_BYTES - length))
      length += chunk.length
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    // It need not read what it is given.
    child.stdin.on('error', () => undefined)
    const end = (): void => endGroup(child)
    signal.addEventListener('abort', end, { once: true })
    child.on('error', (error) => {
      signal.removeEventListener('abort', end)
      reject(error)
    })
    child.on('exit', () => {
      signal.removeEventListener('abort', end)
      // A child of its own may hold its output open for ever, and has nobody to answer to.
      endGroup(child)
    })
    child.on('close', (code, killed) => {
      const output = Buffer.concat(parts).toString('utf8')
      resolve({ code: code ?? 0, killed: code === null ? (killed ?? 'a signal') : null, output })
    })
    child.stdin.end(input)
  })
}

function endGroup(child: ChildProcess): void {
  const { pid } = child
  if (pid === undefined) return
  if (process.platform === 'win32') {
    if (child.exitCode === null && child.signalCode === null)
      spawn('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true }).on(
        'error',
        () => undefined,
      )
    return
  }
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // Nobody of the group is left.
  }
}
