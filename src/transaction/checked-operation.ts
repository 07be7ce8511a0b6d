import { checkEdits, checkLeniency, checkPatch } from '../edit/edits.ts'
import { checkPatchOptions } from '../edit/patch/patch-set.ts'
import { reviserOf } from '../edit/revisers.ts'
import { checkEncoding } from '../edit/text.ts'
import { plainWords } from '../entry/json-words.ts'
import type { State } from '../entry/state.ts'
import { JournalError, shown } from '../errors.ts'
import type { Operation, StagedContent } from './operation.ts'

const PERMISSIONS = 0o7777
const OPERATIONS: ReadonlySet<unknown> = new Set([
  'write',
  'append',
  'edit',
  'patch',
  'revise',
  'apply',
  'remove',
  'rename',
  'mkdir',
  'rmdir',
  'chmod',
  'symlink',
  'put',
  'adopt',
] satisfies Operation['op'][])

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isHash(value: unknown): boolean {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}

function isMode(value: unknown): boolean {
  return isCount(value) && (value as number) <= PERMISSIONS
}

function isState(value: State | undefined): boolean {
  if (value === null) return true
  if (typeof value !== 'object') return false
  if (value.kind === 'symlink') return typeof value.target === 'string' && value.target.isWellFormed()
  const { owner } = value
  if (owner !== undefined && !(isCount(owner?.uid) && isCount(owner?.gid))) return false
  if (value.kind === 'dir') return isMode(value.mode)
  return value.kind === 'file' && isHash(value.hash) && isCount(value.size) && isMode(value.mode)
}

function isContent(value: StagedContent | undefined): boolean {
  if (typeof value !== 'object' || value === null || !isHash(value.hash) || !isCount(value.size)) return false
  const { source } = value
  if (source?.at === 'memory') return source.bytes instanceof Uint8Array
  return source?.at === 'stored' || (source?.at === 'staged' && typeof source.file === 'string')
}

function refused(what: string): JournalError {
  return new JournalError('INVALID', what, { hint: 'Use the methods of a transaction, which make operations.' })
}

function checkTextual(operation: Extract<Operation, { encoding?: unknown }>): void {
  checkEncoding(operation.encoding)
  checkMerge(operation)
}

function checkMerge({ path, merge, expect }: Extract<Operation, { merge?: unknown }>): void {
  if (merge !== true || typeof expect === 'string') return
  throw new JournalError(
    'INVALID',
    `to merge a change of ${shown(path)}, the content that it was made for must be named`,
    {
      hint: 'Give its hash in expect.',
      path,
    },
  )
}

/**
 * An operation that came as a value, once it is one: what it holds goes into the log, where nonsense would be damage.
 * @throws JournalError `INVALID`
 */
export async function checkedOperation(operation: Operation): Promise<Operation> {
  const op: unknown = operation?.op
  if (!OPERATIONS.has(op)) throw refused(`${shown(op)} is no operation`)
  switch (operation.op) {
    case 'write':
      checkTextual(operation)
      if (!isContent(operation.content)) throw refused('the content of this write is none')
      return operation
    case 'append':
      if (!isContent(operation.content)) throw refused(`the content of this ${operation.op} is none`)
      return operation
    case 'edit':
      checkTextual(operation)
      return {
        ...operation,
        edits: checkEdits(operation.path, operation.edits),
        lenient: checkLeniency(operation.lenient),
      }
    case 'patch':
      checkTextual(operation)
      return { ...operation, patch: checkPatch(operation.path, operation.patch) }
    case 'revise': {
      const { path, by } = operation
      checkTextual(operation)
      const reviser = await reviserOf(by)
      const change = plainWords('what is to be changed', operation.change, path)
      return { ...operation, change: plainWords('what is to be changed', reviser.check(path, change), path) }
    }
    case 'apply':
      checkPatchOptions(operation)
      return { ...operation, patch: checkPatch('', operation.patch) }
    case 'put':
      if (!isState(operation.state) || !(operation.from === undefined || isState(operation.from))) {
        throw refused('a state to put is none')
      }
      return operation
    case 'adopt':
      if (!isState(operation.recorded)) throw refused('a recorded state is none')
      if (operation.moved !== undefined && !isState(operation.moved?.recorded)) throw refused('a moved state is none')
      return operation
    default:
      return operation
  }
}
