import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { DIST } from './built.ts'

/** A line that a child told. */
export interface Told {
  readonly kind: string
  readonly tx?: string
  readonly seq?: number
  readonly chain?: string
  readonly [key: string]: unknown
}

/** A child process that runs one of the scripts here until it ends or is killed. What it tells is in a file, so nothing gets lost. */
export class Victim {
  readonly #child: ChildProcess
  readonly #output: string
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>

  constructor(
    script: string,
    order: Record<string, unknown>,
    output: string,
    flags: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ) {
    this.#output = output
    const file = openSync(output, 'w')
    this.#child = spawn(
      process.execPath,
      [...flags, `${import.meta.dirname}/${script}`, JSON.stringify({ dist: DIST, ...order })],
      { stdio: ['ignore', file, 'inherit'], env: { ...process.env, ...env } },
    )
    closeSync(file)
    this.ended = new Promise((resolve) => this.#child.once('exit', (code, signal) => resolve({ code, signal })))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  /** Whole lines so far. */
  told(): Told[] {
    const text = readFileSync(this.#output, 'utf8')
    return text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Told)
  }

  has(kind: string): boolean {
    return readFileSync(this.#output, 'utf8').includes(`{"kind":"${kind}"`)
  }

  /** Waits until `ready` says so, or the child has ended; looks again and again without giving way for long. */
  async until(ready: () => boolean, pauseMs = 2, limitMs = 20_000): Promise<void> {
    const end = Date.now() + limitMs
    while (this.running && Date.now() < end && !ready()) await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
}
