import { AmbientMutator, type AmbientOptions } from '../fs/ambient-mutator.ts'
import { absolute, pathText } from '../fs/given.ts'
import type { Mutator } from '../fs/mutation.ts'
import { perform, runAsync, runSync, type Steps } from '../fs/steps.ts'
import { type PlainFile, passOwner, replaceFile, replaceFileSync } from './plain-file.ts'

export interface WriteFileOptions {
  /** Permission bits, set as they are. Default: those of the file that is there; `false`: what is usual for a new one. */
  readonly mode?: number | false | null
  /** Default: the owner of the file that is there; `false`: whoever runs this. */
  readonly chown?: { readonly uid: number; readonly gid: number } | false | null
  /** Of a text. Default `utf8`. */
  readonly encoding?: BufferEncoding | null
  /** In a workspace it is durable in any case. */
  readonly fsync?: boolean
  /** Told the name of the file that is written beside. In a workspace there is none, and nobody is told. */
  readonly tmpfileCreated?: (name: string) => unknown
}

type Data = string | NodeJS.ArrayBufferView | null | undefined
type Done = (error?: Error | null) => void

/** As the package `write-file-atomic` exports it. */
export interface WriteFileAtomic {
  (filename: string, data: Data, options?: WriteFileOptions | BufferEncoding): Promise<void>
  (filename: string, data: Data, options: WriteFileOptions | BufferEncoding, callback: Done): void
  (filename: string, data: Data, callback: Done): void
  sync(filename: string, data: Data, options?: WriteFileOptions | BufferEncoding): void
}

/** The function of that package: journaled where the file is in a workspace, a plain atomic write elsewhere. */
export function createWriteFile(settings: AmbientOptions = {}): WriteFileAtomic {
  const mutator = new AmbientMutator(settings)
  /** Writes of one file are carried out in the order of their calls. */
  const last = new Map<string, Promise<unknown>>()

  async function written(filename: string, data: Data, given: WriteFileOptions | BufferEncoding): Promise<void> {
    const { file, options } = asked(filename, data, given)
    const turn = (last.get(file.path) ?? Promise.resolve()).then(() => write(file, options, mutator))
    const settled = turn.catch(() => undefined)
    last.set(file.path, settled)
    try {
      await turn
    } finally {
      if (last.get(file.path) === settled) last.delete(file.path)
    }
  }

  function writeFile(filename: string, data: Data, ...rest: unknown[]): Promise<void> | undefined {
    const done = rest.find((given): given is Done => typeof given === 'function')
    const [options] = rest.filter((given) => typeof given !== 'function') as (WriteFileOptions | undefined)[]
    const writing = written(filename, data, options ?? {})
    if (done === undefined) return writing
    writing.then(
      () => process.nextTick(done),
      (error: Error) => process.nextTick(done, error),
    )
    return undefined
  }

  const sync: WriteFileAtomic['sync'] = (filename, data, given = {}) => {
    const { file, options } = asked(filename, data, given)
    if (!mutator.covers(file.path)) replaceFileSync(file, options.tmpfileCreated ?? (() => undefined))
    else runSync(journaled(file), mutator)
  }
  return Object.assign(writeFile, { sync }) as WriteFileAtomic
}

function asked(filename: string, data: Data, given: WriteFileOptions | BufferEncoding) {
  const options: WriteFileOptions = typeof given === 'string' ? { encoding: given } : (given ?? {})
  const { mode = null, chown = null, encoding, fsync = true } = options
  const path = absolute(pathText(filename, 'filename'))
  return { file: { path, bytes: bytesOf(data, encoding), mode, chown, fsync } satisfies PlainFile, options }
}

function bytesOf(data: Data, encoding: BufferEncoding | null | undefined): Uint8Array {
  if (data === null || data === undefined) return new Uint8Array()
  if (ArrayBuffer.isView(data)) return Buffer.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  return Buffer.from(String(data), encoding ?? 'utf8')
}

async function write(file: PlainFile, { tmpfileCreated }: WriteFileOptions, mutator: Mutator): Promise<void> {
  if (!mutator.covers(file.path)) await replaceFile(file, tmpfileCreated ?? (() => undefined))
  else await runAsync(journaled(file), mutator)
}

function* journaled({ path, bytes, mode, chown }: PlainFile): Steps<void> {
  const chmod = typeof mode === 'number' ? { chmod: mode & 0o7777 } : {}
  yield* perform({ op: 'write', path, content: bytes, ...chmod }, path)
  if (chown === null || chown === false) return
  try {
    yield* perform({ op: 'chown', path, ...chown, follow: true }, path)
  } catch (error) {
    passOwner(error as NodeJS.ErrnoException)
  }
}
