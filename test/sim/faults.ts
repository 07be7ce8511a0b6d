import { systemError } from './system-error.ts'

/** Operations that change something, or make a change durable; a crash before any other equals a crash before the next of these. */
const changing = {
  create: true,
  write: true,
  truncate: true,
  chown: true,
  setAttribute: true,
  sync: true,
  makeDirectory: true,
  removeDirectory: true,
  rename: true,
  exchange: true,
  link: true,
  unlink: true,
  symlink: true,
  chmod: true,
  clone: true,
  syncDirectory: true,
  open: false,
  anchor: false,
  read: false,
  stat: false,
  attributes: false,
  close: false,
  lock: false,
  lstat: false,
  readDirectory: false,
  readLink: false,
  realPath: false,
  freeSpace: false,
} as const

export type OperationKind = keyof typeof changing

export const OPERATION_KINDS = Object.keys(changing) as readonly OperationKind[]

export interface Operation {
  /** 1 for the first operation of a disk. */
  readonly index: number
  readonly kind: OperationKind
  readonly path?: string
  readonly to?: string
  /** Asked for, by reads and writes; the new size, by truncate. */
  readonly bytes?: number
}

/** Where nothing can be changed, what was changed before can still be made durable, unless the device itself fails. */
function fails(kind: OperationKind, code: string): boolean {
  return changing[kind] && (code === 'EIO' || (kind !== 'sync' && kind !== 'syncDirectory'))
}

/** The machine stopped: thrown by the operation that a crash was planned for, and by all after it. */
export class SimCrash extends Error {
  override readonly name = 'SimCrash'
}

interface Failure {
  left: number
  readonly code: string
  readonly persistent: boolean
  readonly kinds: ReadonlySet<OperationKind> | null
}

/** Counts a disk's operations and decides which of them fail. */
export class Faults {
  count = 0
  changes = 0
  crashed = false
  /** Called before each operation; what it throws, the operation throws. */
  before: ((operation: Operation) => void) | null = null
  trace: Operation[] | null = null
  /** Called before each operation that changes something or makes a change durable: a crash may come here. */
  atChange: (() => void) | null = null
  /** Once every change failed with an error of the device: only a restart helps such a disk, nothing could even be noted on it. */
  dead = false
  #crashIn = Infinity
  #crashInChanges = Infinity
  #failures: Failure[] = []

  crashAt(k: number): void {
    this.#crashIn = this.count + k
  }

  crashAtChange(k: number): void {
    this.#crashInChanges = this.changes + k
  }

  failAt(k: number, code: string, options: { persistent?: boolean; kinds?: readonly OperationKind[] } = {}): void {
    this.#failures.push({
      left: k,
      code,
      persistent: options.persistent ?? false,
      kinds: options.kinds ? new Set(options.kinds) : null,
    })
  }

  heal(): void {
    this.before = null
    this.atChange = null
    this.#crashIn = Infinity
    this.#crashInChanges = Infinity
    this.#failures = []
  }

  enter(kind: OperationKind, path?: string, bytes?: number, to?: string): void {
    if (this.crashed) throw new SimCrash(`${kind} after the crash`)
    this.count++
    if (changing[kind]) {
      this.changes++
      this.atChange?.()
    }
    if (this.trace !== null || this.before !== null) this.#tell(kind, path, bytes, to)
    if (this.count >= this.#crashIn || this.changes >= this.#crashInChanges) {
      this.crashed = true
      throw new SimCrash(`crash at operation ${this.count}: ${kind}${path === undefined ? '' : ` ${path}`}`)
    }
    if (this.#failures.length > 0) this.#fail(kind, path, to)
  }

  #tell(kind: OperationKind, path?: string, bytes?: number, to?: string): void {
    const operation: Operation = {
      index: this.count,
      kind,
      ...(path !== undefined && { path }),
      ...(to !== undefined && { to }),
      ...(bytes !== undefined && { bytes }),
    }
    this.trace?.push(operation)
    try {
      this.before?.(operation)
    } catch (error) {
      if (error instanceof SimCrash) this.crashed = true
      throw error
    }
  }

  #fail(kind: OperationKind, path?: string, to?: string): void {
    let code: string | null = null
    for (const failure of this.#failures) {
      if (failure.left > 0) {
        if (failure.kinds !== null && !failure.kinds.has(kind)) continue
        if (--failure.left === 0) code ??= failure.code
      } else if (failure.persistent && (failure.kinds === null ? fails(kind, failure.code) : failure.kinds.has(kind))) {
        code ??= failure.code
      }
    }
    if (
      code === 'EIO' &&
      this.#failures.some(({ left, persistent, kinds }) => left === 0 && persistent && kinds === null)
    )
      this.dead = true
    if (code !== null) throw systemError(code, kind, path, to)
  }
}
