/** Arguments of Node's functions, in the one form that is used here. */
import { constants } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { shown } from '../../errors.ts'

export function invalidArgument(name: string, expected: string, value: unknown): TypeError & { code: string } {
  const error = new TypeError(`The "${name}" argument must be ${expected}. Received ${shown(value)}`)
  return Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' })
}

/** @throws TypeError with Node's codes */
export function pathText(path: unknown, name = 'path'): string {
  const text =
    typeof path === 'string'
      ? path
      : path instanceof URL
        ? fileURLToPath(path)
        : path instanceof Uint8Array
          ? Buffer.from(path).toString()
          : null
  if (text === null) throw invalidArgument(name, 'of type string or an instance of Buffer or URL', path)
  if (!text.includes('\0')) return text
  throw Object.assign(new TypeError(`The argument '${name}' must be without null bytes. Received ${shown(text)}`), {
    code: 'ERR_INVALID_ARG_VALUE',
  })
}

export function absolute(path: string): string {
  return resolve(path)
}

export function modeBits(mode: unknown): number | undefined {
  if (mode === undefined || mode === null) return undefined
  const bits = typeof mode === 'string' && /^[0-7]+$/.test(mode) ? Number.parseInt(mode, 8) : mode
  if (typeof bits === 'number' && Number.isInteger(bits) && bits >= 0) return bits & 0o7777
  throw Object.assign(invalidArgument('mode', 'permission bits', mode), { code: 'ERR_INVALID_ARG_VALUE' })
}

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_SYNC = 0, O_TRUNC, O_WRONLY } = constants
const FLAGS: Readonly<Record<string, number>> = {
  r: O_RDONLY,
  rs: O_RDONLY | O_SYNC,
  'r+': O_RDWR,
  'rs+': O_RDWR | O_SYNC,
  w: O_TRUNC | O_CREAT | O_WRONLY,
  wx: O_TRUNC | O_CREAT | O_WRONLY | O_EXCL,
  'w+': O_TRUNC | O_CREAT | O_RDWR,
  'wx+': O_TRUNC | O_CREAT | O_RDWR | O_EXCL,
  a: O_APPEND | O_CREAT | O_WRONLY,
  ax: O_APPEND | O_CREAT | O_WRONLY | O_EXCL,
  as: O_APPEND | O_CREAT | O_WRONLY | O_SYNC,
  'a+': O_APPEND | O_CREAT | O_RDWR,
  'ax+': O_APPEND | O_CREAT | O_RDWR | O_EXCL,
  'as+': O_APPEND | O_CREAT | O_RDWR | O_SYNC,
  sr: O_RDONLY | O_SYNC,
  'sr+': O_RDWR | O_SYNC,
  xw: O_TRUNC | O_CREAT | O_WRONLY | O_EXCL,
  'xw+': O_TRUNC | O_CREAT | O_RDWR | O_EXCL,
  xa: O_APPEND | O_CREAT | O_WRONLY | O_EXCL,
  'xa+': O_APPEND | O_CREAT | O_RDWR | O_EXCL,
  sa: O_APPEND | O_CREAT | O_WRONLY | O_SYNC,
  'sa+': O_APPEND | O_CREAT | O_RDWR | O_SYNC,
}

export interface OpenFlags {
  readonly bits: number
  readonly reads: boolean
  readonly writes: boolean
  readonly creates: boolean
  readonly exclusive: boolean
  readonly truncates: boolean
  readonly appends: boolean
}

/** @throws TypeError with Node's code */
export function openFlags(flags: unknown): OpenFlags {
  const bits =
    typeof flags === 'number' ? flags : flags === undefined || flags === null ? O_RDONLY : FLAGS[flags as string]
  if (bits === undefined) {
    throw Object.assign(new TypeError(`The argument 'flags' is invalid. Received ${shown(flags)}`), {
      code: 'ERR_INVALID_ARG_VALUE',
    })
  }
  const access = bits & (O_RDONLY | O_WRONLY | O_RDWR)
  const has = (flag: number): boolean => (bits & flag) !== 0
  return {
    bits,
    reads: access !== O_WRONLY,
    writes: access !== O_RDONLY,
    creates: has(O_CREAT),
    exclusive: has(O_CREAT) && has(O_EXCL),
    truncates: has(O_TRUNC),
    appends: has(O_APPEND),
  }
}

export interface FileOptions {
  readonly encoding?: BufferEncoding | null
  readonly mode?: unknown
  readonly flag?: unknown
  readonly signal?: AbortSignal
}

export function fileOptions(options: unknown): FileOptions {
  if (options === undefined || options === null) return {}
  if (typeof options === 'string') return { encoding: options as BufferEncoding }
  if (typeof options === 'object') return options as FileOptions
  throw invalidArgument('options', 'of type string or an instance of Object', options)
}

/** Bytes of their own: callers may change theirs while they are being written. @throws TypeError with Node's code */
export function bytesOf(data: unknown, encoding: BufferEncoding | null | undefined): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, encoding ?? 'utf8')
  if (ArrayBuffer.isView(data)) {
    return Uint8Array.prototype.slice.call(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  throw invalidArgument('data', 'of type string or an instance of Buffer, TypedArray, or DataView', data)
}
