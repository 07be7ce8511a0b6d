import type { Stats } from 'node:fs'
import type { NodeFs } from '../fs/facade.ts'
import type { CopyOptions, JsonOptions, MoveOptions } from './extras.ts'

type Done<T = void> = (error: Error | null, value: T) => void
type Promises = NodeFs['promises']
type Both = Exclude<keyof NodeFs & keyof Promises, 'constants' | 'watch' | 'open'>
type Path = string
type Json = JsonOptions | BufferEncoding
type Filter = NonNullable<CopyOptions['filter']>
type Source = string | NodeJS.ArrayBufferView
type FileOptions = Parameters<NodeFs['writeFileSync']>[2]

/** Gives a promise, unless a callback is given last. */
interface Answers<Given extends unknown[], T = void> {
  (...given: Given): Promise<T>
  (...given: [...Given, Done<T>]): void
}

type Waits<Given extends unknown[], T = void> = (...given: Given) => T

interface Signatures {
  readonly copy: [src: Path, dest: Path, options?: CopyOptions | Filter]
  readonly move: [src: Path, dest: Path, options?: MoveOptions]
  readonly remove: [path: Path]
  readonly emptyDir: [path: Path]
  readonly emptydir: [path: Path]
  readonly ensureDir: [path: Path, options?: number | { readonly mode?: number }]
  readonly mkdirs: [path: Path, options?: number | { readonly mode?: number }]
  readonly mkdirp: [path: Path, options?: number | { readonly mode?: number }]
  readonly ensureFile: [file: Path]
  readonly createFile: [file: Path]
  readonly ensureLink: [src: Path, dest: Path]
  readonly createLink: [src: Path, dest: Path]
  readonly ensureSymlink: [src: Path, dest: Path, type?: string]
  readonly createSymlink: [src: Path, dest: Path, type?: string]
  readonly outputFile: [file: Path, data: Source, options?: FileOptions]
  readonly writeJson: [file: Path, value: unknown, options?: Json]
  readonly writeJSON: [file: Path, value: unknown, options?: Json]
  readonly outputJson: [file: Path, value: unknown, options?: Json]
  readonly outputJSON: [file: Path, value: unknown, options?: Json]
}

type Changing = { [K in keyof Signatures]: Answers<Signatures[K]> } & {
  [K in keyof Signatures as `${K}Sync`]: Waits<Signatures[K]>
}

interface Reading {
  // biome-ignore lint/suspicious/noExplicitAny: as fs-extra has it: what is in a file is for its reader to know
  readonly readJson: Answers<[file: Path, options?: Json], any>
  readonly readJSON: Reading['readJson']
  // biome-ignore lint/suspicious/noExplicitAny: the same
  readonly readJsonSync: Waits<[file: Path, options?: Json], any>
  readonly readJSONSync: Reading['readJsonSync']
  readonly pathExists: Answers<[path: Path], boolean>
  readonly pathExistsSync: Waits<[path: Path], boolean>
}

/** Of what is open, by its number. */
interface ByNumber {
  readonly open: NodeFs['open'] & ((path: Path, flags?: string | number, mode?: number) => Promise<number>)
  readonly close: NodeFs['close'] & ((fd: number) => Promise<void>)
  readonly fstat: NodeFs['fstat'] & ((fd: number) => Promise<Stats>)
  readonly fsync: NodeFs['fsync'] & ((fd: number) => Promise<void>)
  readonly fdatasync: NodeFs['fdatasync'] & ((fd: number) => Promise<void>)
  readonly ftruncate: NodeFs['ftruncate'] & ((fd: number, length?: number) => Promise<void>)
  readonly fchmod: NodeFs['fchmod'] & ((fd: number, mode: number) => Promise<void>)
  readonly exists: NodeFs['exists'] & ((path: Path) => Promise<boolean>)
  readonly read: NodeFs['read'] &
    (<B extends NodeJS.ArrayBufferView>(
      fd: number,
      buffer: B,
      offset?: number,
      length?: number,
      position?: number | null,
    ) => Promise<{ bytesRead: number; buffer: B }>)
  readonly write: NodeFs['write'] &
    (<B extends Source>(fd: number, data: B, ...where: unknown[]) => Promise<{ bytesWritten: number; buffer: B }>)
}

/** What fs-extra exports: functions of `fs` that give promises when no callback is given, and its own. */
export type FsExtra = Omit<NodeFs, Both | keyof ByNumber> & { [K in Both]: NodeFs[K] & Promises[K] } & ByNumber &
  Changing &
  Reading
