import { chmodSync, chownSync, createReadStream, lchownSync, linkSync, type Stats, unlinkSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import { JournalError } from '../../errors.ts'
import type { Journal } from '../../journal.ts'
import type { TransactionOptions } from '../../journal-types.ts'
import type { ContentInput } from '../../transaction/stager.ts'
import type { Transaction } from '../../transaction/transaction.ts'
import { canonical, checkParent, checkWritable, isEmptyFolder, linkedTo, standing, stateAt } from './found.ts'
import type { Content, Mutation, Mutator, Step } from './mutation.ts'
import { asRefusal, FsRefusal } from './node-error.ts'

type Of<O extends Mutation['op']> = Extract<Mutation, { op: O }>

const PERMISSIONS = 0o7777
/** How often folders are made anew because somebody else made one of them meanwhile. */
const ATTEMPTS = 20
const WINDOWS_OR_MAC = process.platform === 'win32' || process.platform === 'darwin'
const SYSCALLS: Readonly<Record<Exclude<Mutation['op'], 'batch'>, string>> = {
  write: 'open',
  append: 'open',
  truncate: 'open',
  unlink: 'unlink',
  rmdir: 'rmdir',
  rm: 'rm',
  mkdir: 'mkdir',
  rename: 'rename',
  copyFile: 'copyfile',
  symlink: 'symlink',
  link: 'link',
  chmod: 'chmod',
  chown: 'chown',
}

/** Carries mutations out as transactions: each is one. */
export class JournalMutator implements Mutator {
  readonly #journal: Journal
  readonly #meta: TransactionOptions

  constructor(journal: Journal, meta: TransactionOptions) {
    this.#journal = journal
    this.#meta = meta
  }

  covers(path: string): boolean {
    const { root } = this.#journal
    const named = canonical(path)
    return named === root || isBelow(root, named)
  }

  async perform(mutation: Mutation): Promise<unknown> {
    const syscall = mutation.op === 'batch' ? mutation.syscall : SYSCALLS[mutation.op]
    try {
      return await this.#carryOut(mutation, syscall)
    } catch (error) {
      throw asRefusal(error, syscall)
    }
  }

  #carryOut(mutation: Mutation, syscall: string): unknown {
    switch (mutation.op) {
      case 'write':
        return this.#write(mutation, syscall)
      case 'append':
        return this.#append(mutation, syscall)
      case 'truncate':
        return this.#truncate(mutation, syscall)
      case 'unlink':
        return this.#unlink(mutation.path, syscall)
      case 'rmdir':
        return this.#rmdir(mutation.path, syscall)
      case 'rm':
        return this.#rm(mutation, syscall)
      case 'mkdir':
        return mutation.recursive ? this.#mkdirs(mutation, syscall) : this.#mkdir(mutation, syscall)
      case 'rename':
        return this.#rename(mutation, syscall)
      case 'copyFile':
        return this.#copyFile(mutation, syscall)
      case 'symlink':
        return this.#symlink(mutation, syscall)
      case 'link':
        return this.#link(mutation)
      case 'chmod':
        return this.#chmod(mutation, syscall)
      case 'chown':
        return this.#chown(mutation)
      case 'batch':
        return this.#transact((tx) => this.#steps(tx, mutation.steps))
    }
  }

  async #write(mutation: Of<'write'>, syscall: string): Promise<void> {
    const { path, content, exclusive = false, existing = false, mode, chmod } = mutation
    const found = this.#fileAt(path, { exclusive, existing }, syscall)
    if (typeof found === 'string') return this.#write({ ...mutation, path: found }, syscall)
    const bits = chmod === undefined ? (found === null ? masked(mode) : undefined) : chmod & PERMISSIONS
    const expect = exclusive ? { expect: null } : {}
    try {
      await this.#transact((tx) =>
        tx.write(this.#named(path), inputOf(content), { ...expect, ...(bits === undefined ? {} : { mode: bits }) }),
      )
    } catch (error) {
      if (exclusive && error instanceof JournalError && error.code === 'CONFLICT') {
        throw new FsRefusal('EEXIST', syscall)
      }
      throw error
    }
  }

  async #append(mutation: Of<'append'>, syscall: string): Promise<void> {
    const { path, content, mode } = mutation
    const found = this.#fileAt(path, { exclusive: false, existing: false }, syscall)
    if (typeof found === 'string') return this.#append({ ...mutation, path: found }, syscall)
    const bits = masked(mode)
    await this.#transact(async (tx) => {
      await tx.append(this.#named(path), inputOf(content))
      if (found === null && bits !== undefined) await tx.chmod(this.#named(path), bits)
    })
  }

  async #truncate({ path, length }: Of<'truncate'>, syscall: string): Promise<void> {
    const found = this.#fileAt(path, { exclusive: false, existing: true }, syscall)
    if (found === null || typeof found === 'string') throw new FsRefusal('ENOENT', syscall)
    if (found.size === length) return
    const named = this.#named(path)
    if (length > found.size) await this.#transact((tx) => tx.append(named, zeros(length - found.size)))
    else await this.#transact((tx) => tx.write(named, firstBytes(path, length)))
  }

  /**
   * The file that is about to get a content; null when there is none yet, another path when it is where a link leads to.
   * @throws FsRefusal
   */
  #fileAt(path: string, how: { readonly exclusive: boolean; readonly existing: boolean }, syscall: string) {
    const state = stateAt(path, true)
    if (typeof state !== 'string') {
      if (how.exclusive) throw new FsRefusal('EEXIST', syscall)
      if (state.isDirectory()) throw new FsRefusal('EISDIR', syscall)
      if (!state.isFile()) throw new FsRefusal('EINVAL', syscall)
      checkWritable(path, syscall)
      return state
    }
    const isLink = typeof stateAt(path, false) !== 'string'
    if (isLink && how.exclusive) throw new FsRefusal('EEXIST', syscall)
    if (state !== 'ENOENT') throw new FsRefusal(state, syscall)
    if (isLink) return linkedTo(path)
    if (how.existing) throw new FsRefusal('ENOENT', syscall)
    checkParent(path, syscall)
    return null
  }

  async #unlink(path: string, syscall: string): Promise<void> {
    const state = standing(path, syscall, false)
    if (state.isDirectory()) throw new FsRefusal(WINDOWS_OR_MAC ? 'EPERM' : 'EISDIR', syscall)
    // Pipes and sockets have no content that could be kept.
    if (state.isFile() || state.isSymbolicLink()) await this.#transact((tx) => tx.remove(this.#named(path)))
    else unlinkSync(this.#inside(path, syscall))
  }

  async #rmdir(path: string, syscall: string): Promise<void> {
    if (!standing(path, syscall, false).isDirectory()) throw new FsRefusal('ENOTDIR', syscall)
    if (!isEmptyFolder(path)) throw new FsRefusal('ENOTEMPTY', syscall)
    await this.#transact((tx) => tx.rmdir(this.#named(path)))
  }

  async #rm({ path, recursive, force }: Of<'rm'>, syscall: string): Promise<void> {
    const state = stateAt(path, false)
    if (typeof state === 'string') {
      if (force && state === 'ENOENT') return
      throw new FsRefusal(state, 'lstat')
    }
    if (state.isDirectory() && !recursive) throw new FsRefusal('ERR_FS_EISDIR', syscall)
    if (!state.isDirectory()) return this.#unlink(path, syscall)
    try {
      await this.#transact((tx) => tx.remove(this.#named(path), { recursive: true }))
    } catch (error) {
      if (!force || stateAt(path, false) !== 'ENOENT') throw error
    }
  }

  async #mkdir({ path, mode }: Of<'mkdir'>, syscall: string): Promise<undefined> {
    const state = stateAt(path, false)
    if (typeof state !== 'string') throw new FsRefusal('EEXIST', syscall)
    if (state !== 'ENOENT') throw new FsRefusal(state, syscall)
    checkParent(path, syscall)
    await this.#transact((tx) => tx.mkdir(this.#named(path), modeOf(mode)))
    return undefined
  }

  /** The first folder that was made; undefined when all were there. */
  async #mkdirs({ path, mode }: Of<'mkdir'>, syscall: string): Promise<string | undefined> {
    for (let attempt = 0; ; attempt += 1) {
      const missing = missingFolders(path, syscall)
      if (missing.length === 0) return undefined
      try {
        await this.#transact(async (tx) => {
          for (const folder of missing) await tx.mkdir(this.#named(folder), modeOf(mode))
        })
        return missing[0]
      } catch (error) {
        const code = error instanceof JournalError ? error.code : ''
        if (attempt === ATTEMPTS || (code !== 'EXISTS' && code !== 'CONFLICT')) throw error
      }
    }
  }

  async #rename({ path, to }: Of<'rename'>, syscall: string): Promise<void> {
    checkParent(path, syscall)
    checkParent(to, syscall)
    const from = standing(path, syscall, false)
    const target = stateAt(to, false)
    if (typeof target === 'string' && target !== 'ENOENT') throw new FsRefusal(target, syscall)
    const [source, aim] = [canonical(path), canonical(to)]
    if (source === aim) return
    if (isBelow(source, aim)) throw new FsRefusal('EINVAL', syscall)
    if (isBelow(aim, source)) throw new FsRefusal('ENOTEMPTY', syscall)
    const replaced = typeof target === 'string' ? null : target
    if (from.isDirectory() && replaced !== null) {
      if (!replaced.isDirectory()) throw new FsRefusal('ENOTDIR', syscall)
      if (!isEmptyFolder(to)) throw new FsRefusal('ENOTEMPTY', syscall)
    } else if (replaced?.isDirectory()) throw new FsRefusal('EISDIR', syscall)
    await this.#transact(async (tx) => {
      if (replaced?.isDirectory()) await tx.rmdir(this.#named(to))
      await tx.rename(this.#named(path), this.#named(to))
    })
  }

  async #copyFile({ path, to, exclusive }: Of<'copyFile'>, syscall: string): Promise<void> {
    const from = standing(path, syscall)
    if (from.isDirectory()) {
      this.#fileAt(to, { exclusive, existing: false }, syscall)
      throw new FsRefusal('EISDIR', syscall)
    }
    const target = stateAt(to, true)
    if (!exclusive && typeof target !== 'string' && target.ino === from.ino && target.dev === from.dev) return
    checkReadable(path, syscall)
    const content = { file: path }
    await this.#write({ op: 'write', path: to, content, exclusive, chmod: from.mode & PERMISSIONS }, syscall)
  }

  async #symlink({ path, target }: Of<'symlink'>, syscall: string): Promise<void> {
    const state = stateAt(path, false)
    if (typeof state !== 'string') throw new FsRefusal('EEXIST', syscall)
    if (state !== 'ENOENT') throw new FsRefusal(state, syscall)
    checkParent(path, syscall)
    await this.#transact((tx) => tx.symlink(this.#named(path), target))
  }

  /** A second name cannot be told from a file of its own in the history, so it is made first and taken in then. */
  async #link({ path, existing }: Of<'link'>): Promise<void> {
    linkSync(existing, this.#inside(path, 'link'))
    await this.#transact(async (tx) => {
      await tx.perform({ op: 'adopt', path: this.#named(path), recorded: null })
    })
  }

  async #chmod({ path, mode }: Of<'chmod'>, syscall: string): Promise<void> {
    const state = standing(path, syscall)
    if (canonical(path) === this.#journal.root) chmodSync(path, mode)
    else if ((state.mode & PERMISSIONS) !== (mode & PERMISSIONS)) {
      await this.#transact((tx) => tx.chmod(this.#named(path), mode & PERMISSIONS))
    }
  }

  async #chown({ path, uid, gid, follow }: Of<'chown'>): Promise<void> {
    if (follow) chownSync(this.#inside(path, 'chown'), uid, gid)
    else lchownSync(this.#inside(path, 'lchown'), uid, gid)
    const named = this.#named(path)
    if (named !== this.#journal.root) await this.#journal.adopt([named], this.#meta)
  }

  async #steps(tx: Transaction, steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      const named = this.#named(step.path)
      switch (step.op) {
        case 'write':
          await tx.write(named, inputOf(step.content), modeOf(step.mode, PERMISSIONS))
          break
        case 'mkdir':
          await tx.mkdir(named, modeOf(step.mode, PERMISSIONS))
          break
        case 'symlink':
          await tx.symlink(named, step.target)
          break
        case 'remove':
          await tx.remove(named, { recursive: true })
          break
        case 'rename':
          await tx.rename(named, this.#named(step.to))
          break
      }
    }
  }

  /** A path as the journal takes it. What leads out of the workspace it refuses. */
  #named(path: string): string {
    return canonical(path)
  }

  /** A path that is about to be changed without a transaction. @throws FsRefusal */
  #inside(path: string, syscall: string): string {
    const named = canonical(path)
    const inside = named === this.#journal.root || isBelow(this.#journal.root, named)
    if (!inside || named.slice(this.#journal.root.length).split(sep).includes('.journal')) {
      throw new FsRefusal('EACCES', syscall)
    }
    return named
  }

  #transact(change: (tx: Transaction) => Promise<unknown>): Promise<unknown> {
    return this.#journal.transact(this.#meta, change)
  }
}

function isBelow(folder: string, path: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

/** Permission bits of something new, as the kernel would have them. Undefined: whatever is usual in its folder. */
function masked(mode: number | undefined): number | undefined {
  return mode === undefined ? undefined : mode & ~process.umask() & PERMISSIONS
}

function modeOf(mode: number | undefined, bits?: number): { readonly mode?: number } {
  const given = bits === undefined ? masked(mode) : mode === undefined ? undefined : mode & bits
  return given === undefined ? {} : { mode: given }
}

/** Folders to be made for a path, outermost first. @throws FsRefusal */
function missingFolders(path: string, syscall: string): string[] {
  const missing: string[] = []
  for (let folder = path; ; folder = dirname(folder)) {
    const state: Stats | string = stateAt(folder, true)
    if (typeof state !== 'string') {
      if (state.isDirectory()) return missing.reverse()
      throw new FsRefusal(missing.length === 0 ? 'EEXIST' : 'ENOTDIR', syscall)
    }
    if (state !== 'ENOENT') throw new FsRefusal(state, syscall)
    if (typeof stateAt(folder, false) !== 'string') {
      throw new FsRefusal(missing.length === 0 ? 'ENOENT' : 'ENOTDIR', syscall)
    }
    missing.push(folder)
  }
}

function checkReadable(path: string, syscall: string): void {
  const state = standing(path, syscall)
  if (!state.isFile()) throw new FsRefusal('EINVAL', syscall)
}

function inputOf(content: Content): ContentInput {
  if (content instanceof Uint8Array) return content
  if ('fd' in content) return createReadStream('', { fd: content.fd, start: content.from, autoClose: false })
  return createReadStream(content.file)
}

function firstBytes(path: string, length: number): ContentInput {
  return length === 0 ? new Uint8Array() : createReadStream(path, { end: length - 1 })
}

const ZEROS = new Uint8Array(64 * 1024)

async function* zeros(count: number): AsyncGenerator<Uint8Array> {
  for (let rest = count; rest > 0; rest -= ZEROS.length) yield ZEROS.subarray(0, Math.min(rest, ZEROS.length))
}
