/** What a name stands for. `other`: a device, a pipe, a socket. */
export type FileKind = 'file' | 'dir' | 'symlink' | 'other'

/** An extended attribute. */
export type Attribute = readonly [name: string, value: Uint8Array]

export interface FileStat {
  readonly kind: FileKind
  /** Bytes. */
  readonly size: number
  /** Permission bits, 0o0000 to 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly ino: bigint
  readonly dev: bigint
  readonly nlink: number
  /** Nanoseconds since 1970. */
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}

export interface DirectoryEntry {
  readonly name: string
  readonly kind: FileKind
}

/** A folder that stays the same one. */
export interface Anchor {
  /** Names joined to it mean names in that folder. */
  readonly path: string
  /** Does the path that it was pinned by still lead to it, through no symbolic link? */
  isCurrent(): boolean
  release(): void
}

/** An open file. Only the disk that made it knows what the number means. */
export type FileHandle = number

/**
 * The only door to the file system. Every operation of the engine goes through it, so that a simulated disk can lose, tear,
 * reorder and fail each of them.
 *
 * Names and small data go through synchronous calls: they cost a tenth of asynchronous ones (docs/performance.md). Syncs wait
 * for the device, so they are asynchronous. Paths are absolute. Errors are system errors with the usual `code`
 * (`ENOENT`, `EEXIST`, `ENOSPC`, `EIO`, …).
 *
 * What may be assumed of a disk after power is lost: a file's bytes written before its last successful `sync` are there; a
 * name in a folder is as it was at the last successful `syncDirectory` of that folder. Of anything later, any part may be there.
 */
export interface Disk {
  /**
   * Opens a file. Never follows a symbolic link at the last name (`ELOOP`).
   * `read`: must exist. `write`: must exist, read and write. `create`: must not exist (`EEXIST`), read and write, with exactly `mode`
   * (`process umask` applied when `umask` is true).
   */
  open(path: string, how: 'read' | 'write' | 'create', mode?: number, umask?: boolean): FileHandle
  /** Reads at `position` into `target`; returns how many bytes, 0 at the end. May be fewer than asked for. */
  read(handle: FileHandle, target: Uint8Array, position: number): number
  /** Writes `source` at `position`; returns how many bytes went. May be fewer than given: the caller loops. */
  write(handle: FileHandle, source: Uint8Array, position: number): number
  truncate(handle: FileHandle, size: number): void
  stat(handle: FileHandle): FileStat
  chown(handle: FileHandle, uid: number, gid: number): void
  /** Extended attributes and access lists of an open file or folder; empty where the file system has none. */
  attributes(handle: FileHandle): readonly Attribute[]
  setAttribute(handle: FileHandle, name: string, value: Uint8Array): void
  close(handle: FileHandle): void
  /**
   * Resolves when all that was written to the file is on stable storage; with `all`, its mode, owner and times too.
   * A failure must never be retried.
   */
  sync(handle: FileHandle, all?: boolean): Promise<void>
  /** The same as `sync` without `all`, blocking: on a fast device that takes less time than handing it to another thread. A disk may have none. */
  readonly syncNow?: ((handle: FileHandle) => void) | undefined
  /** True when the exclusive lock was granted; it dies with the handle or its process. */
  lock(handle: FileHandle): boolean

  /** Null when there is nothing of that name (or a part of the path is a file, or a link that leads back to itself). Does not follow a symbolic link at the last name. */
  lstat(path: string): FileStat | null
  /** Names in a folder, sorted by code unit. */
  readDirectory(path: string): readonly DirectoryEntry[]
  makeDirectory(path: string, mode: number, umask?: boolean): void
  /** Fails with `ENOTEMPTY` unless empty. */
  removeDirectory(path: string): void
  /** Moves a name, atomically replacing a file that has the new one. */
  rename(from: string, to: string): void
  /** Swaps what two existing names stand for, in one atomic step. `ENOSYS` where that is not to be had. */
  exchange(a: string, b: string): void
  /** A second name for a file. `EEXIST` when the name is taken; `EPERM` or `ENOTSUP` where there are no hard links. */
  link(from: string, to: string): void
  unlink(path: string): void
  /** The same, beside other work. A disk may have none. */
  discard?(path: string): Promise<void>
  symlink(target: string, path: string): void
  readLink(path: string): string
  /** Never follows a symbolic link at the last name (`ELOOP`). */
  chmod(path: string, mode: number): void
  /** Copies a whole file to a new name that must not exist, sharing blocks where the file system can. */
  clone(from: string, to: string, mode: number): void
  /** Resolves when the folder's names are on stable storage. */
  syncDirectory(path: string): Promise<void>
  /** The path with every symbolic link in it resolved. */
  realPath(path: string): string
  /**
   * Pins a folder: names joined to the returned `path` mean names in that very folder, even when somebody swaps a part of its path
   * for a symbolic link meanwhile (where the platform can; else the check is made once, now). `ELOOP` when `path` leads through a
   * symbolic link. `release` once done.
   */
  anchor(path: string): Anchor
  /** Bytes that this process may still write there. */
  freeSpace(path: string): number

  /**
   * Calls `changed` when something happens to a folder's names or to files in it, as far as the system tells; returns what ends that. Never throws, and keeps no
   * process alive. A disk may have none.
   */
  watch?(folder: string, changed: () => void): () => void

  /** Milliseconds since 1970. May jump. */
  now(): number
  /** Differs from one start of the machine to the next. */
  readonly bootId: string
  /** Who writes: recorded with a file's state only when this is the superuser. */
  readonly superuser: boolean
}
