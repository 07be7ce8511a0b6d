import nodeFs from 'node:fs'
import { callbackOf } from './callbacks.ts'
import type { Descriptors } from './descriptors.ts'
import type { Mutator } from './mutation.ts'
import { runAsync, type Steps } from './steps.ts'

type Callback = (error: Error | null) => void
type StreamOptions = Readonly<Record<string, unknown>>

/** A stream's own functions: as those of Node's that are put in by its option `fs`, with `_final` called before `finish`. */
interface FinalStream {
  readonly fd: number | null
  _final: (done: Callback) => void
}

/**
 * `fs.WriteStream` of a facade, to be called with or without `new`, as Node's is. What went into a stream is in the workspace when it finishes; one that is
 * destroyed before leaves the file as it was.
 */
export function writeStreamOf(descriptors: Descriptors, mutator: Mutator): typeof nodeFs.WriteStream {
  const call = (steps: (...given: never[]) => Steps<unknown>) =>
    callbackOf((...given: unknown[]) => runAsync(steps(...(given as never[])), mutator))
  const write = (fd: number, data: Uint8Array, from: number, length: number, at: number | null, done: () => void) => {
    descriptors.wrote(fd)
    nodeFs.write(fd, data, from, length, at, done)
  }
  const writev = (fd: number, data: Uint8Array[], at: number | null, done: () => void) => {
    descriptors.wrote(fd)
    nodeFs.writev(fd, data, at as number, done)
  }
  const doors = { open: descriptors.openLater(true), write, writev, close: call((fd: unknown) => descriptors.drop(fd)) }
  function WriteStream(this: unknown, path: unknown, options?: StreamOptions | string): unknown {
    if (!(this instanceof WriteStream))
      return new (WriteStream as unknown as new (...given: unknown[]) => unknown)(path, options)
    const settings = typeof options === 'string' ? { encoding: options } : options
    const stream = this as unknown as FinalStream
    // Whoever opened the file closes it in his own way.
    const own = typeof settings?.fd === 'object' && settings.fd !== null ? {} : { fs: settings?.fs ?? doors }
    Reflect.apply(nodeFs.WriteStream, stream, [path, { ...settings, ...own }])
    stream._final = (done) => {
      if (typeof stream.fd !== 'number') return done(null)
      runAsync(descriptors.fsync(stream.fd), mutator).then(() => done(null), done)
    }
    return stream
  }
  WriteStream.prototype = Object.create(nodeFs.WriteStream.prototype, { constructor: { value: WriteStream } })
  Object.setPrototypeOf(WriteStream, nodeFs.WriteStream)
  return WriteStream as unknown as typeof nodeFs.WriteStream
}
