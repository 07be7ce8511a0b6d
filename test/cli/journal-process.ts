import { spawn } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import { type Meta, openJournal, type Receipt, type Transaction } from '../../src/index.ts'

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
export const LIBRARY = new URL('../../dist/index.js', import.meta.url).href

export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly input?: string | Uint8Array | AsyncIterable<Uint8Array>
  readonly env?: NodeJS.ProcessEnv
}

const ENVIRONMENT = { ...process.env }
for (const name of ['NO_COLOR', 'FORCE_COLOR', 'DEBUG', 'WRITE_JOURNAL_ACTOR', 'WRITE_JOURNAL_LEGACY'])
  delete ENVIRONMENT[name]

/** Runs a program to its end. */
export async function runNode(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const env = { ...ENVIRONMENT, ...options.env }
  const child = spawn(process.execPath, args, { cwd: options.cwd, env, stdio: 'pipe' })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  child.stdin.on('error', () => {})
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  const { input } = options
  if (input !== undefined && typeof input !== 'string' && !(input instanceof Uint8Array)) {
    for await (const chunk of input) {
      if (!child.stdin.write(chunk)) await new Promise((resolve) => child.stdin.once('drain', resolve))
    }
    child.stdin.end()
  } else child.stdin.end(input ?? '')
  const code = await closed
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }
}

/** Runs `journal` to its end. */
export function journal(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return runNode([MAIN, ...args], options)
}

/** Runs `journal … --json`, which must succeed, and returns what it printed: one value a line. */
export async function journalLines<T = Record<string, unknown>>(
  args: readonly string[],
  options: RunOptions = {},
): Promise<T[]> {
  const run = await journal([...args, '--json'], options)
  if (run.code !== 0) throw new Error(`journal ${args.join(' ')} exited with ${run.code}: ${run.stderr}`)
  return run.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}

/** The same for a command that prints one object. */
export async function journalObject<T = Record<string, unknown>>(
  args: readonly string[],
  options: RunOptions = {},
): Promise<T> {
  const lines = await journalLines<T>(args, options)
  if (lines.length !== 1) throw new Error(`journal ${args.join(' ')} printed ${lines.length} lines`)
  return lines[0] as T
}

/** The error that a failed `journal … --json` printed: one line on standard error. */
export function errorOf(run: Run): Record<string, unknown> {
  const lines = run.stderr.trimEnd().split('\n')
  if (lines.length !== 1) throw new Error(`Expected one line on standard error: ${run.stderr}`)
  return (JSON.parse(lines[0] as string) as { error: Record<string, unknown> }).error
}

const folders: string[] = []

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A folder that is gone after the tests of the file. Its path has no symbolic links in it. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'journal-cli-')))
  folders.push(folder)
  return folder
}

/** A temporary folder with a journal. */
export async function workspace(): Promise<string> {
  const root = temporaryFolder()
  await (await openJournal(root)).close()
  return root
}

/** Commits a transaction through the library: what a test builds on costs it no process. */
export async function prepare(root: string, meta: Meta, run: (tx: Transaction) => Promise<unknown>): Promise<Receipt> {
  const journal = await openJournal(root)
  try {
    return await journal.transact(meta, run)
  } finally {
    await journal.close()
  }
}

/** Commits files with their contents, null for one to remove, through the library. */
export function commit(
  root: string,
  files: Readonly<Record<string, string | null>>,
  meta: Meta = {},
): Promise<Receipt> {
  return prepare(root, meta, async (tx) => {
    for (const [name, content] of Object.entries(files)) {
      if (content === null) await tx.remove(name)
      else await tx.write(name, content)
    }
  })
}

/** The number of the newest transaction. */
export async function newest(root: string): Promise<number> {
  const journal = await openJournal(root, { readOnly: true })
  try {
    return await journal.resolve('head')
  } finally {
    await journal.close()
  }
}
