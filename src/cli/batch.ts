import { accessSync, constants, createReadStream, type Stats, statSync } from 'node:fs'
import path from 'node:path'
import type { CellEdit } from '../edit/cell-edit.ts'
import type { ImportChange } from '../edit/imports/import-change.ts'
import type { ImportsOptions, Language } from '../edit/imports/imports.ts'
import type { PatchOptions } from '../edit/patch/patch-set.ts'
import type { SettingChange } from '../edit/settings/setting-change.ts'
import type { SettingsOptions } from '../edit/settings/settings.ts'
import type { FormatName } from '../edit/settings/settings-format.ts'
import type { TextEdit } from '../entry/entry.ts'
import { asJournalError, JournalError, shown } from '../errors.ts'
import type { EditOptions, TextOptions } from '../transaction/operation-options.ts'
import type { Transaction } from '../transaction/transaction.ts'
import { BATCH_SHAPES, type BatchFields, type FieldName, problemOf } from './batch-shape.ts'
import { present } from './present.ts'
import { printable } from './printable.ts'

/** Bytes of a whole batch; what is larger belongs into files named by `from`. */
const BATCH_LIMIT = 256 * 1024 * 1024

/** One operation of a batch, with the number of its line, from 1. */
export interface BatchLine {
  readonly line: number
  readonly op: keyof typeof BATCH_SHAPES
  readonly fields: BatchFields
}

function refused(
  line: number,
  message: string,
  hint: string,
  code: 'INVALID' | 'NOT_FOUND' | 'PERMISSION' = 'INVALID',
) {
  return new JournalError(code, `line ${line}: ${message}`, { hint, details: { line } })
}

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of source) {
      chunks.push(chunk)
      size += chunk.length
      if (size > BATCH_LIMIT) {
        throw new JournalError('INVALID', `The batch is larger than ${BATCH_LIMIT / 1024 / 1024} MiB`, {
          hint: 'Put large contents into files and name them with "from".',
        })
      }
    }
  } catch (error) {
    throw asJournalError(error, 'Cannot read the batch')
  }
  return Buffer.concat(chunks, size)
}

/**
 * Reads a batch: JSON Lines, an operation a line; empty lines are skipped. Every line is checked before anything is returned.
 * `cwd`: what names in `from` are relative to. Throws INVALID (for a missing file in `from`, NOT_FOUND) with `details.line`.
 */
export async function readBatch(source: AsyncIterable<Uint8Array>, cwd: string): Promise<BatchLine[]> {
  const bytes = await bytesOf(source)
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const lines: BatchLine[] = []
  let start = 0
  for (let number = 1; start < bytes.length; number += 1) {
    const end = bytes.indexOf(10, start)
    const raw = bytes.subarray(start, end === -1 ? bytes.length : end)
    start = end === -1 ? bytes.length : end + 1
    let text: string
    try {
      text = decoder.decode(raw)
    } catch {
      throw refused(number, 'is not UTF-8', 'Encode the batch as UTF-8; put binary contents into "base64" or "from".')
    }
    if (text.trim() !== '') lines.push(checkedLine(number, text, cwd))
  }
  if (lines.length > 0) return lines
  throw new JournalError('INVALID', 'The batch has no operations', {
    hint: 'Give one JSON object a line, such as {"op":"write","path":"a.txt","content":"hello"}.',
  })
}

function checkedLine(line: number, text: string, cwd: string): BatchLine {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw refused(line, `is not JSON: ${printable((error as Error).message)}`, 'Each line is one complete JSON object.')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw refused(line, 'is not a JSON object', 'Each line is one object, such as {"op":"remove","path":"a.txt"}.')
  }
  const { op, ...fields } = value as Record<string, unknown>
  if (typeof op !== 'string' || !Object.hasOwn(BATCH_SHAPES, op)) {
    const found = op === undefined ? 'has no "op"' : `unknown op ${printable(shown(op))}`
    throw refused(line, found, `Known are ${Object.keys(BATCH_SHAPES).join(', ')}.`)
  }
  const known = op as keyof typeof BATCH_SHAPES
  const problem = problemOf(known, fields)
  if (problem !== null) throw refused(line, `${op}: ${problem.message}`, problem.hint)
  const checked = fields as BatchFields
  if (checked.from !== undefined) checkReadable(line, path.resolve(cwd, checked.from))
  return { line, op: known, fields: checked }
}

function checkReadable(line: number, file: string): void {
  const hint = 'Names in "from" are relative to the folder in which the command runs.'
  let stat: Stats | undefined
  try {
    stat = statSync(file, { throwIfNoEntry: false })
  } catch (error) {
    // A part of it is a file, or a name is too long: nothing can be there.
    const { code } = asJournalError(error, 'looking at a file')
    throw refused(line, `${printable(shown(file))} is no file`, hint, code === 'PERMISSION' ? code : 'INVALID')
  }
  if (stat === undefined) throw refused(line, `there is no file ${printable(file)}`, hint, 'NOT_FOUND')
  if (stat.isDirectory()) throw refused(line, `${printable(file)} is a folder`, 'Name a file in "from".')
  try {
    accessSync(file, constants.R_OK)
  } catch {
    throw refused(
      line,
      `${printable(file)} cannot be read`,
      'Give the current user the right to read it.',
      'PERMISSION',
    )
  }
}

/** Runs the operations in a transaction. An error names the line it comes from. */
export async function applyBatch(tx: Transaction, lines: readonly BatchLine[], cwd: string): Promise<void> {
  for (const line of lines) {
    try {
      await applyLine(tx, line, cwd)
    } catch (error) {
      const { code, message, hint, path: file, details } = asJournalError(error, line.op, line.fields.path)
      throw new JournalError(code, `line ${line.line}: ${message}`, {
        ...{ hint, path: file, cause: error },
        details: { ...details, line: line.line },
      })
    }
  }
}

function contentOf({ content, base64, from }: BatchFields, cwd: string) {
  if (from !== undefined) return createReadStream(path.resolve(cwd, from))
  return base64 === undefined ? (content ?? '') : Buffer.from(base64, 'base64')
}

function applyLine(tx: Transaction, { op, fields }: BatchLine, cwd: string): Promise<unknown> {
  const text = (name: FieldName) => fields[name] as string
  const target = text('path')
  const conditional = present<{ expect?: string | null }>({ expect: fields.expect?.toLowerCase() ?? fields.expect })
  const { encoding, merge, lenient, strip } = fields
  const textual = { ...conditional, ...present<TextOptions>({ encoding, merge }) }
  const mode = fields.mode === undefined ? undefined : Number.parseInt(fields.mode, 8)
  switch (op) {
    case 'write':
      return tx.write(target, contentOf(fields, cwd), { ...textual, ...(mode === undefined ? {} : { mode }) })
    case 'append':
      return tx.append(target, contentOf(fields, cwd), conditional)
    case 'edit':
      return tx.edit(target, fields.edits as TextEdit[], { ...textual, ...present<EditOptions>({ lenient }) })
    case 'patch':
      if (fields.path === undefined) return tx.applyPatch(text('patch'), present<PatchOptions>({ strip }))
      return tx.patch(target, text('patch'), textual)
    case 'notebook':
      return tx.notebook(target, fields.cells as unknown as CellEdit[], textual)
    case 'set':
      return tx.set(target, fields.changes as unknown as SettingChange[], {
        ...textual,
        ...present<SettingsOptions>({ format: fields.format as FormatName | undefined, document: fields.document }),
      })
    case 'imports':
      return tx.imports(target, fields.changes as unknown as ImportChange[], {
        ...textual,
        ...present<ImportsOptions>({ language: fields.language as Language | undefined }),
      })
    case 'remove':
      return tx.remove(target, { ...conditional, ...(fields.recursive ? { recursive: true } : {}) })
    case 'rename':
      return tx.rename(target, text('to'), conditional)
    case 'mkdir':
      return tx.mkdir(target, mode === undefined ? {} : { mode })
    case 'rmdir':
      return tx.rmdir(target)
    case 'chmod':
      return tx.chmod(target, mode ?? 0)
    case 'symlink':
      return tx.symlink(target, text('target'))
  }
}
