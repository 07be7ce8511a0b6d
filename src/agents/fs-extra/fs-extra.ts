import type { Journal } from '../../journal.ts'
import type { TransactionOptions } from '../../journal-types.ts'
import { AmbientMutator, type AmbientOptions } from '../fs/ambient-mutator.ts'
import { facadeOf } from '../fs/facade.ts'
import { JournalMutator } from '../fs/journal-mutator.ts'
import type { Mutator } from '../fs/mutation.ts'
import { OpenFiles } from '../fs/open-files.ts'
import { Operations } from '../fs/operations.ts'
import { outsideOf } from '../fs/outside.ts'
import { runAsync, runSync, type Steps } from '../fs/steps.ts'
import { EXTRAS, Extras } from './extras.ts'
import type { FsExtra } from './types.ts'

export interface FsExtraOptions {
  /** Who and why, of every transaction. */
  readonly meta?: TransactionOptions
}

type Functions = Record<string, unknown>
type Anything = (...given: unknown[]) => unknown

/** Functions of `fs` that give a promise when no callback is given. */
const PROMISED = [
  ...['access', 'appendFile', 'chmod', 'chown', 'close', 'copyFile', 'cp', 'fchmod', 'fchown', 'fdatasync', 'fstat'],
  ...['fsync', 'ftruncate', 'futimes', 'glob', 'lchown', 'lutimes', 'link', 'lstat', 'mkdir', 'mkdtemp', 'open'],
  ...['opendir', 'readdir', 'readFile', 'readlink', 'realpath', 'rename', 'rm', 'rmdir', 'stat', 'statfs', 'symlink'],
  ...['truncate', 'unlink', 'utimes', 'writeFile'],
]
/** Those that tell a callback two things, with their names. */
const PAIRED: Readonly<Record<string, readonly [string, string]>> = {
  read: ['bytesRead', 'buffer'],
  write: ['bytesWritten', 'buffer'],
  readv: ['bytesRead', 'buffers'],
  writev: ['bytesWritten', 'buffers'],
}

/** For callers that know nothing of journals: journaled where a path is in a workspace, Node's own elsewhere. */
export function createFsExtra(options: AmbientOptions = {}): FsExtra {
  return extraOf(outsideOf(new AmbientMutator(options), 'pass'))
}

/** Over an open journal. Functions that end in `Sync` read, and do not write. */
export function fsExtraOf(journal: Journal, options: FsExtraOptions = {}): FsExtra {
  return extraOf(outsideOf(new JournalMutator(journal, options.meta ?? {}), 'refuse'))
}

function extraOf(mutator: Mutator): FsExtra {
  const files = new OpenFiles()
  const extras = new Extras(new Operations(files))
  const plain = facadeOf(mutator, files) as unknown as Functions
  const made: Functions = { ...plain }
  for (const name of PROMISED) if (typeof plain[name] === 'function') made[name] = promised(plain[name] as Anything)
  for (const [name, keys] of Object.entries(PAIRED)) made[name] = paired(plain[name] as Anything, keys)
  made.exists = (path: unknown, done?: (exists: boolean) => void) =>
    done === undefined
      ? new Promise((resolve) => (plain.exists as Anything)(path, resolve))
      : (plain.exists as Anything)(path, done)
  for (const [name, names] of Object.entries(EXTRAS)) {
    const call = (Reflect.get(extras, name) as (...given: unknown[]) => Steps<unknown>).bind(extras)
    for (const alias of names) {
      made[alias] = answering(async (...given) => runAsync(call(...given), mutator))
      made[`${alias}Sync`] = (...given: unknown[]) => runSync(call(...given), mutator)
    }
  }
  if (typeof plain.realpath === 'function') {
    const { native } = plain.realpath as unknown as { native: Anything }
    Object.assign(made.realpath as object, { native: promised(native) })
  }
  return made as unknown as FsExtra
}

/** Answers its last argument, where that is a function, or with a promise. */
function answering(call: (...given: unknown[]) => Promise<unknown>): Anything {
  return (...given) => {
    const done = given.at(-1)
    if (typeof done !== 'function') return call(...given)
    call(...given.slice(0, -1)).then(
      (value) => process.nextTick(done as () => void, null, value),
      (error: unknown) => process.nextTick(done as () => void, error),
    )
    return undefined
  }
}

function promised(call: Anything): Anything {
  return (...given) => {
    if (typeof given.at(-1) === 'function') return call(...given)
    return new Promise((resolve, reject) => {
      call(...given, (error: unknown, value: unknown) => (error ? reject(error as Error) : resolve(value)))
    })
  }
}

function paired(call: Anything, [first, second]: readonly [string, string]): Anything {
  return (...given) => {
    if (typeof given.at(-1) === 'function') return call(...given)
    return new Promise((resolve, reject) => {
      call(...given, (error: unknown, one: unknown, other: unknown) =>
        error ? reject(error as Error) : resolve({ [first]: one, [second]: other }),
      )
    })
  }
}
