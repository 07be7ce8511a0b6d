import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { JournalError } from '../../errors.ts'
import type { Journal } from '../../journal.ts'
import type { TransactionOptions } from '../../journal-types.ts'
import type { SafetyReport } from '../../safety/checks/report.ts'
import type { Receipt } from '../../transaction/receipt.ts'
import type { Transaction } from '../../transaction/transaction.ts'
import { type ModuleFile, moduleFiles } from './module-files.ts'
import { checkedSpec, type ModuleSpec } from './module-spec.ts'

/** Without `validation`, the spec says what the files must pass, or else `basic`. */
export interface BuildOptions extends TransactionOptions {
  /** Write over files that are there. */
  readonly overwrite?: boolean
  /** Only say what would be written, and whether it would pass. */
  readonly dryRun?: boolean
}

export interface BuiltFile {
  readonly path: string
  /** Of its content. */
  readonly bytes: number
  /** What it is made of: `content`, `template NAME`, `index`, `test`. */
  readonly from: string
  /** A file is, or was, there already. */
  readonly overwritten: boolean
}

export interface BuildReport {
  readonly files: readonly BuiltFile[]
  /** Null with `dryRun`. */
  readonly receipt: Receipt | null
  /** With `dryRun`: what speaks for and against writing it. */
  readonly check?: SafetyReport
}

/**
 * Writes a module of files as one transaction: all of them, sound, or none.
 * @throws JournalError `INVALID` for a spec that is none, `EXISTS` that names all files that are there already, `VALIDATION` that names every fault
 */
export async function buildModule(
  journal: Journal,
  spec: ModuleSpec,
  options: BuildOptions = {},
): Promise<BuildReport> {
  const { overwrite = false, dryRun = false, ...meta } = options
  const checked = checkedSpec(spec)
  const files = moduleFiles(checked)
  const standing = await standingAmong(journal.root, files)
  if (!overwrite) refuseStanding(standing)
  const built = files.map((file) => builtFile(file, standing))
  const validation = meta.validation ?? checked.validate ?? 'basic'
  const write = (tx: Transaction): Promise<void> => writeModule(tx, files, overwrite)
  if (dryRun) return { files: built, receipt: null, check: await journal.check(write, { validation }) }
  const message = meta.message ?? checked.message
  const receipt = await journal.transact({ ...meta, validation, ...(message === undefined ? {} : { message }) }, write)
  return { files: built, receipt }
}

/** Adds the files of a module to a transaction, after a look at what is there. */
export async function buildInto(
  tx: Transaction,
  root: string,
  spec: ModuleSpec,
  { overwrite = false }: { readonly overwrite?: boolean } = {},
): Promise<readonly BuiltFile[]> {
  const files = moduleFiles(checkedSpec(spec))
  const changes = await tx.changes()
  const standing = new Set(await standingAmong(root, files))
  for (const { path } of files) {
    const state = changes.get(path)
    if (state === null) standing.delete(path)
    else if (state !== undefined) standing.add(path)
  }
  if (!overwrite) refuseStanding([...standing])
  await writeModule(tx, files, overwrite)
  return files.map((file) => builtFile(file, [...standing]))
}

async function writeModule(tx: Transaction, files: readonly ModuleFile[], overwrite: boolean): Promise<void> {
  for (const { path, content, mode } of files) {
    // Whoever makes the file meanwhile keeps it.
    const expect = overwrite ? {} : { expect: null }
    await tx.write(path, content, { ...expect, ...(mode === undefined ? {} : { mode }) })
  }
}

async function standingAmong(root: string, files: readonly ModuleFile[]): Promise<string[]> {
  const found: string[] = []
  for (const { path } of files) if ((await lstat(join(root, path)).catch(() => null)) !== null) found.push(path)
  return found
}

function refuseStanding(paths: readonly string[]): void {
  if (paths.length === 0) return
  const more = paths.length > 5 ? ` and ${paths.length - 5} more` : ''
  throw new JournalError('EXISTS', `there already: ${paths.slice(0, 5).join(', ')}${more}`, {
    hint: 'Choose another folder, or say overwrite.',
    path: paths[0],
    details: { existing: paths },
  })
}

function builtFile({ path, content, from }: ModuleFile, standing: readonly string[]): BuiltFile {
  return { path, bytes: Buffer.byteLength(content), from, overwritten: standing.includes(path) }
}
