import nodeFs from 'node:fs'
import { callbackOf } from './callbacks.ts'
import { DESCRIPTOR_CALLS, Descriptors } from './descriptors.ts'
import { asFileHandle, WritingHandle } from './file-handle.ts'
import { fileOptions } from './given.ts'
import { withoutJournals } from './listing.ts'
import type { Mutator } from './mutation.ts'
import { OpenFiles } from './open-files.ts'
import { OPERATIONS, Operations } from './operations.ts'
import { runAsync, runSync, type Steps } from './steps.ts'
import { writeStreamOf } from './streams.ts'

/** The functions of `node:fs` that this version of Node has. */
export type NodeFs = typeof nodeFs

type Call = (...given: never[]) => Steps<unknown>
type Functions = Record<string, unknown>

/** Calls that change nothing that a journal keeps: Node's own. By number they work on what a facade has opened too. */
const UNCHANGED = [
  'access',
  'readFile',
  'stat',
  'lstat',
  'statfs',
  'readlink',
  'realpath',
  'opendir',
  'glob',
  'read',
  'readv',
  'utimes',
  'lutimes',
]
const UNCHANGED_CALLBACKS = [
  'exists',
  'watch',
  'watchFile',
  'unwatchFile',
  'createReadStream',
  'openAsBlob',
  'existsSync',
]
const CLASSES = ['Stats', 'Dirent', 'Dir', 'ReadStream', 'FileReadStream', 'constants', 'F_OK', 'R_OK', 'W_OK', 'X_OK']

/** Everything that `node:fs` has, with what changes files handed to `mutator`. */
export function facadeOf(mutator: Mutator, files = new OpenFiles()): NodeFs {
  const operations = new Operations(files)
  const descriptors = new Descriptors(files, mutator)
  const facade: Functions = {}
  const promises: Functions = { constants: nodeFs.constants }
  const [original, originals] = [nodeFs as unknown as Functions, nodeFs.promises as unknown as Functions]
  const pass = (name: string): void => {
    if (name in original) facade[name] = original[name]
  }
  for (const name of [...CLASSES, ...UNCHANGED_CALLBACKS]) pass(name)
  for (const name of UNCHANGED) {
    pass(name)
    pass(`${name}Sync`)
    if (name in originals) promises[name] = originals[name]
  }
  const add = (name: string, call: Call, inPromises: boolean): void => {
    const run = (...given: unknown[]) => runAsync(call(...(given as never[])), mutator)
    if (inPromises) promises[name] = async (...given: unknown[]) => run(...given)
    facade[name] = callbackOf(async (...given) => run(...given))
    facade[`${name}Sync`] = (...given: unknown[]) => runSync(call(...(given as never[])), mutator)
  }
  for (const name of OPERATIONS) add(name, operations[name].bind(operations) as Call, true)
  for (const name of DESCRIPTOR_CALLS) add(name, descriptors[name].bind(descriptors) as Call, false)
  facade.open = descriptors.openLater(false)
  add('fdatasync', descriptors.fsync.bind(descriptors), false)
  addFileWriting(facade, promises, { operations, descriptors, mutator })
  addReading(facade, promises, descriptors)
  addWriting(facade, descriptors)
  promises.open = async (path: unknown, flags?: unknown, mode?: unknown) => {
    const opened = await runAsync(descriptors.opening(path, flags, mode), mutator)
    if (opened === null) return nodeFs.promises.open(path as string, flags as string, mode as number)
    return asFileHandle(new WritingHandle({ fd: opened.fd, descriptors, mutator }))
  }
  const WriteStream = writeStreamOf(descriptors, mutator)
  Object.assign(facade, { WriteStream, FileWriteStream: WriteStream, promises })
  const Stream = WriteStream as unknown as new (path: unknown, options?: unknown) => nodeFs.WriteStream
  facade.createWriteStream = (path: unknown, options?: unknown) => new Stream(path, options)
  return facade as unknown as NodeFs
}

interface Parts {
  readonly operations: Operations
  readonly descriptors: Descriptors
  readonly mutator: Mutator
}

/** `writeFile`, `appendFile` and `truncate` take what is open instead of a path; the first two also what comes in pieces. */
function addFileWriting(facade: Functions, promises: Functions, { operations, descriptors, mutator }: Parts): void {
  for (const name of ['writeFile', 'appendFile'] as const) {
    function* call(file: unknown, data: unknown, options?: unknown): Steps<void> {
      if (typeof file === 'number') yield* descriptors.writeAll(file, data, options)
      else yield* operations[name](file, data, options)
    }
    facade[name] = callbackOf(async (...given) => runAsync(call(...(given as [unknown, unknown])), mutator))
    facade[`${name}Sync`] = (...given: unknown[]) => runSync(call(...(given as [unknown, unknown])), mutator)
    promises[name] = async (file: unknown, data: unknown, options?: unknown) => {
      if (typeof file === 'object' && file !== null && 'fd' in file) {
        return (file as WritingHandle).writeFile(data as string, options)
      }
      if (!isInPieces(data)) return runAsync(call(file, data, options), mutator)
      const { flag = name === 'writeFile' ? 'w' : 'a', mode, ...rest } = fileOptions(options)
      const opened = await runAsync(descriptors.opening(file, flag, mode, true), mutator)
      if (opened === null) return nodeFs.promises[name](file as string, data as never, options as never)
      return writePieces(opened.fd, data, rest, { descriptors, mutator })
    }
  }
}

type Pieces = Iterable<unknown> | AsyncIterable<unknown>

function isInPieces(data: unknown): data is Pieces {
  if (typeof data !== 'object' || data === null || ArrayBuffer.isView(data)) return false
  return Symbol.asyncIterator in data || Symbol.iterator in data
}

/** What comes in pieces is not held in memory. When they break off, the file is as it was. */
async function writePieces(fd: number, data: Pieces, options: object, parts: Pick<Parts, 'descriptors' | 'mutator'>) {
  const { descriptors, mutator } = parts
  try {
    for await (const piece of data) await runAsync(descriptors.writeAll(fd, piece, options), mutator)
    await runAsync(descriptors.fsync(fd), mutator)
  } finally {
    await runAsync(descriptors.drop(fd), mutator)
  }
}

function addReading(facade: Functions, promises: Functions, descriptors: Descriptors): void {
  facade.readdir = (...given: unknown[]) => {
    const done = given.pop() as (error: Error | null, names?: unknown) => void
    const listed = (error: Error | null, names?: unknown) => (error ? done(error) : done(null, withoutJournals(names)))
    return Reflect.apply(nodeFs.readdir, nodeFs, [...given, listed])
  }
  facade.readdirSync = (...given: unknown[]) => withoutJournals(Reflect.apply(nodeFs.readdirSync, nodeFs, given))
  promises.readdir = async (...given: unknown[]) =>
    withoutJournals(await Reflect.apply(nodeFs.promises.readdir, nodeFs.promises, given))
  facade.fstat = (fd: number, ...rest: unknown[]) => {
    const done = rest.pop() as (error: Error | null, stats?: nodeFs.Stats) => void
    const found = (error: Error | null, stats?: nodeFs.Stats) =>
      error || stats === undefined ? done(error) : done(null, descriptors.described(fd, stats))
    return Reflect.apply(nodeFs.fstat, nodeFs, [fd, ...rest, found])
  }
  facade.fstatSync = (fd: number, options?: never) => descriptors.described(fd, nodeFs.fstatSync(fd, options))
  promises.watch = nodeFs.promises.watch
  promises.readFile = async (file: unknown, options?: never) => {
    if (typeof file === 'object' && file !== null && 'fd' in file) return (file as WritingHandle).readFile(options)
    return nodeFs.promises.readFile(file as string, options)
  }
}

/** Node's own functions that write to what is open: a facade only notes that they did. */
function addWriting(facade: Functions, descriptors: Descriptors): void {
  for (const name of ['write', 'writev', 'writeSync', 'writevSync'] as const) {
    const original = nodeFs[name] as (...given: unknown[]) => unknown
    const noting = (...given: unknown[]) => {
      descriptors.wrote(given[0])
      return original(...given)
    }
    // With what `util.promisify` looks for.
    for (const key of Object.getOwnPropertySymbols(original)) {
      Object.defineProperty(noting, key, Object.getOwnPropertyDescriptor(original, key) as PropertyDescriptor)
    }
    facade[name] = noting
  }
}
