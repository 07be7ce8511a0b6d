export interface SimOptions {
  readonly seed: number
  /** Milliseconds since 1970 at the start. */
  readonly time: number
  /** Microseconds that pass with every operation. */
  readonly tickUs: number
  /** Modification times are multiples of this; the default is that of a Linux kernel. */
  readonly granularityUs: number
  /** Bytes for contents. */
  readonly capacity: number
  readonly exchange: boolean
  readonly link: boolean
  /** Whether names that differ only in case are the same. */
  readonly folding: boolean
  /** Whether nothing can be changed (`EROFS`). */
  readonly readOnly: boolean
  readonly superuser: boolean
  readonly uid: number
  readonly gid: number
  readonly umask: number
  readonly maxHandles: number
  /** Probability that a write takes only a part of what it was given, or a read gives less. */
  readonly shortWrites: number
  readonly shortReads: number
  /** Whether a `sync` of the data alone makes mode, owner and extended attributes durable too; fdatasync need not. */
  readonly metadataSync: boolean
  /** Whether a sync may block instead of being waited for. */
  readonly blockingSync: boolean
}

export const defaults: SimOptions = {
  seed: 1,
  time: 1_700_000_000_000,
  tickUs: 10,
  granularityUs: 4000,
  capacity: 2 ** 40,
  exchange: true,
  link: true,
  folding: false,
  readOnly: false,
  superuser: false,
  uid: 1000,
  gid: 1000,
  umask: 0o022,
  maxHandles: 1024,
  shortWrites: 0,
  shortReads: 0,
  metadataSync: true,
  blockingSync: false,
}
