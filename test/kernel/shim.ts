import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { constants } from 'node:os'

/** Kinds of calls, as in shim.c. */
export const KIND = {
  write: 1,
  create: 2,
  sync: 4,
  rename: 8,
  link: 16,
  remove: 32,
  folder: 64,
  mode: 128,
  size: 256,
  attribute: 512,
  copy: 1024,
  open: 2048,
  read: 4096,
} as const

/** All that change a file system. */
export const CHANGES = 0x7ff

const ACTS = {
  'kill before': 1,
  'kill after': 2,
  once: 3,
  'from there on': 4,
  short: 5,
  'short, then full': 6,
} as const
export type Act = keyof typeof ACTS

/** What shall happen, and at which calls. */
export interface Strike {
  readonly act: Act
  /** Name of an errno. */
  readonly error?: 'EIO' | 'ENOSPC' | 'EROFS' | 'EPERM' | 'EMFILE'
  /** Kinds of calls that are counted; default all that change something. */
  readonly mask?: number
}

const SIZE = 4096
const AT = { count: 0, at: 8, act: 16, error: 20, mask: 24, struck: 28, what: 32, under: 512, boot: 2048 } as const

/** Compiles shim.c into `folder`. @throws when there is no C compiler */
export function compileShim(folder: string): string {
  const library = `${folder}/shim.so`
  const source = `${import.meta.dirname}/shim.c`
  execFileSync('cc', ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-Werror', '-o', library, source, '-ldl'])
  return library
}

/** The page through which a test tells the shim in its children what to do, and sees what it did. */
export class ShimPage {
  readonly file: string
  readonly #library: string

  /** Only calls below `under` count. */
  constructor(library: string, file: string, under: string) {
    this.#library = library
    this.file = file
    const page = Buffer.alloc(SIZE)
    page.write(under, AT.under)
    page.writeUInt32LE(CHANGES, AT.mask)
    writeFileSync(file, page)
  }

  /** For the environment of a child. */
  get env(): Readonly<Record<string, string>> {
    return { LD_PRELOAD: this.#library, WJ_SHIM: this.file }
  }

  /** Strikes at the call number `at` from now on; 0: never. */
  arm(at: number, { act, error = 'EIO', mask = CHANGES }: Strike): void {
    const page = Buffer.alloc(AT.under)
    page.writeBigUInt64LE(BigInt(at), AT.at)
    page.writeUInt32LE(ACTS[act], AT.act)
    page.writeUInt32LE(constants.errno[error], AT.error)
    page.writeUInt32LE(mask, AT.mask)
    this.#write(page, 0)
  }

  disarm(): void {
    this.arm(0, { act: 'once' })
  }

  /** From now on children read this text as the kernel's boot id: as if the machine had been started anew. */
  restart(bootId: string): void {
    writeFileSync(`${this.file}.boot`, `${bootId}\n`)
    this.#write(Buffer.from(`${this.file}.boot\0`), AT.boot)
  }

  get count(): number {
    return Number(this.#read().readBigUInt64LE(AT.count))
  }

  get struck(): number {
    return this.#read().readUInt32LE(AT.struck)
  }

  /** The call that was struck first. */
  get what(): string {
    const page = this.#read()
    return page.toString('utf8', AT.what, page.indexOf(0, AT.what))
  }

  #write(bytes: Buffer, position: number): void {
    const file = openSync(this.file, 'r+')
    writeSync(file, bytes, 0, bytes.byteLength, position)
    closeSync(file)
  }

  #read(): Buffer {
    const page = Buffer.alloc(SIZE)
    const file = openSync(this.file, 'r')
    readSync(file, page, 0, SIZE, 0)
    closeSync(file)
    return page
  }
}
