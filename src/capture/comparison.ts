import type { Disk, FileStat } from '../disk/disk.ts'
import { breathe } from '../disk/file.ts'
import { JOURNAL_FOLDER } from '../entry/path.ts'
import type { Owner, State } from '../entry/state.ts'
import { isSystemError } from '../errors.ts'
import { stampOf } from '../history/file-stamp.ts'
import { Finder } from '../history/found-state.ts'
import type { HistoryIndex } from '../history/history-index.ts'
import type { Stamped } from '../history/index-query.ts'
import type { CurrentRecord } from '../history/index-record.ts'
import type { OnHistoryProgress } from '../history/source.ts'
import { timesTell } from '../workspace/observer.ts'
import { parentOf } from '../workspace/safe-path.ts'
import type { Difference } from './difference.ts'
import { type Hashed, type HashFiles, hashAlone } from './hashing.ts'
import type { IgnoreRules } from './ignore-rules.ts'
import type { LeftOutReason, Tally } from './left-out.ts'
import { comesBefore, type Standing, TreeWalk } from './tree-walk.ts'

const NS_A_MS = 1_000_000n
/** Paths looked at between two turns of the event loop. */
const PATHS_A_TURN = 4096
const DOUBTFUL_AT_ONCE = 8192

export interface ComparisonParts {
  readonly index: HistoryIndex
  readonly disk: Disk
  readonly root: string
  readonly rules: IgnoreRules
  readonly tally: Tally
  /** Files of more bytes are left out. */
  readonly maxFileBytes: number
  readonly hashFiles?: HashFiles
  readonly onProgress?: OnHistoryProgress
}

interface Known extends CurrentRecord {
  readonly path: string
}

/** A file that only its content can tell from what is recorded. */
interface Doubtful {
  readonly known: Known
  readonly stat: FileStat
  readonly stamp: string
  readonly seenNs: bigint
}

/**
 * The workspace against the journal's newest record of it: what is there and what should be, gone through side by side in the order of paths. A file that has the
 * stamp which it had when it was last found to be as recorded is not read (git's racily-clean rule: a time within the clock's granularity of the look at it proves
 * nothing). Memory does not grow with the tree.
 */
export class Comparison {
  readonly #parts: ComparisonParts
  readonly #closed = new Set<string>()
  #differences: Difference[] = []
  #doubtful: Doubtful[] = []
  #stamped: Stamped[] = []
  #looked = 0

  constructor(parts: ComparisonParts) {
    this.#parts = parts
  }

  /** How many paths were looked at. */
  get looked(): number {
    return this.#looked
  }

  /** What differs within `scopes`, sorted paths none of which is in another; [''] is everything. In the order of paths, but for files whose content tells. */
  async *differences(scopes: readonly string[]): AsyncGenerator<Difference> {
    const { index } = this.#parts
    await index.head()
    const parents = new Set<string>()
    for (const scope of scopes) {
      for (let folder = parentOf(scope); folder !== ''; folder = parentOf(folder)) {
        if (parents.has(folder)) break
        parents.add(folder)
      }
    }
    for (const folder of [...parents].sort((a, b) => (comesBefore(a, b) ? -1 : 1))) {
      await this.#folderAbove(folder)
    }
    yield* this.#flush()
    for (const scope of scopes) yield* this.#within(scope)
    yield* this.#flush(true)
  }

  /** A folder of a scope that is not one itself: only it, not what is in it. */
  async #folderAbove(folder: string): Promise<void> {
    const { disk, root, index, rules, tally } = this.#parts
    if (!isReached(disk, root, folder)) return
    const stat = disk.lstat(`${root}/${folder}`)
    const record = await index.current(folder)
    if (record !== null) this.#known({ path: folder, stat, leftOut: null, closed: null }, { path: folder, ...record })
    else if (stat?.kind === 'dir') {
      const reason = rules.reasonBelow(folder, true)
      if (reason === null) this.#differs(folder, undefined, stat)
      else tally.add(reason, `${folder}/`)
    }
  }

  async *#within(scope: string): AsyncGenerator<Difference> {
    const { index, disk, root, rules, tally } = this.#parts
    let walk: TreeWalk | null = null
    if (scope === '') walk = new TreeWalk(disk, root, rules, '')
    else if (isReached(disk, root, parentOf(scope))) {
      const reason = this.#reasonAt(scope)
      if (reason === null) walk = new TreeWalk(disk, root, rules, scope)
      else {
        this.#closed.add(scope)
        if ((await index.current(scope)) === null) tally.add(reason, scope)
      }
    }
    let standing = walk?.next() ?? null
    let after: string | null = null
    do {
      const page: Awaited<ReturnType<HistoryIndex['currents']>> = await index.currents(scope, after)
      for (const known of page.items) {
        while (standing !== null && standing.path !== known.path && comesBefore(standing.path, known.path)) {
          this.#unknown(standing)
          standing = walk?.next() ?? null
          if (this.#looked % PATHS_A_TURN === 0) yield* this.#turn()
        }
        if (standing?.path === known.path) {
          this.#known(standing, known)
          standing = walk?.next() ?? null
        } else this.#absent(known)
        if (this.#looked % PATHS_A_TURN === 0) yield* this.#turn()
      }
      yield* this.#flush()
      after = page.next
    } while (after !== null)
    for (; standing !== null; standing = walk?.next() ?? null) {
      this.#unknown(standing)
      if (this.#looked % PATHS_A_TURN === 0) yield* this.#turn()
    }
    yield* this.#flush()
  }

  /** Why a path whose folders are real ones is left out with all that is in it. */
  #reasonAt(path: string): LeftOutReason | null {
    const { disk, root, rules } = this.#parts
    try {
      for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder))
        if (disk.lstat(`${root}/${folder}/${JOURNAL_FOLDER}`) !== null) return 'journal'
      return rules.reasonBelow(path, disk.lstat(`${root}/${path}`)?.kind === 'dir')
    } catch (error) {
      if (isSystemError(error)) return 'unreadable'
      throw error
    }
  }

  async *#turn(): AsyncGenerator<Difference> {
    this.#parts.onProgress?.({ phase: 'comparing', done: this.#looked, total: 0 })
    await breathe()
    yield* this.#flush()
  }

  /** Something that the journal does not know. */
  #unknown(standing: Standing): void {
    this.#looked += 1
    const { rules, tally } = this.#parts
    const { path, stat, leftOut, closed } = standing
    this.#close(standing)
    if (leftOut !== null) {
      tally.add(leftOut, stat?.kind === 'dir' ? `${path}/` : path)
      return
    }
    if (closed !== null) tally.add(closed, `${path}/`)
    if (stat === null) return
    const reason = stat.kind === 'dir' ? null : (rules.reason(path, false) ?? this.#unfit(path, stat))
    if (reason === null) this.#differs(path, undefined, stat)
    else tally.add(reason, path)
  }

  /** Why a file or link cannot, or should not, be kept. */
  #unfit(path: string, { kind, size }: FileStat): LeftOutReason | null {
    if (kind === 'file' && size > this.#parts.maxFileBytes) return 'size'
    return kind === 'symlink' && !this.#isText(path) ? 'name' : null
  }

  #close({ path, closed }: Standing): void {
    if (closed !== null) this.#closed.add(path)
  }

  /** Something that the journal knows: it is followed whatever the rules say. */
  #known(standing: Standing, known: Known): void {
    this.#looked += 1
    const { tally, rules } = this.#parts
    const { path, stat, leftOut, closed } = standing
    this.#close(standing)
    const { state } = known
    if (closed !== null && stat?.kind === 'dir') tally.add(closed, `${path}/`)
    if (state === null) {
      // It is gone by the journal: what is there now is as good as unknown, for the rules.
      const reason = leftOut ?? (stat?.kind === 'dir' ? null : rules.reasonBelow(path, false))
      if (reason !== null) {
        if (closed === null) tally.add(reason, path)
        return
      }
    }
    this.#judge(path, stat, leftOut, known)
  }

  /** Something that the walk did not come across: it is gone, or it stands where the walk did not go. */
  #absent(known: Known): void {
    this.#looked += 1
    const { disk, root } = this.#parts
    const { path, state } = known
    if (!this.#isClosed(path)) {
      if (state !== null) this.#differs(path, state, null)
      return
    }
    if (state === null) return
    let stat: FileStat | null
    try {
      stat = isReached(disk, root, parentOf(path)) ? disk.lstat(`${root}/${path}`) : null
    } catch (error) {
      if (!isSystemError(error)) throw error
      this.#parts.tally.add('unreadable', path)
      return
    }
    this.#judge(path, stat, stat?.kind === 'other' ? 'kind' : null, known)
  }

  #judge(path: string, stat: FileStat | null, leftOut: Standing['leftOut'], known: Known): void {
    const { disk, tally } = this.#parts
    const { state } = known
    if (stat === null || stat.kind === 'other') {
      if (leftOut !== null) tally.add(leftOut, path)
      else if (state !== null) this.#differs(path, state, null)
      return
    }
    const seenNs = BigInt(disk.now()) * NS_A_MS
    const stamp = stampOf(stat)
    if (state?.kind === 'file' && stamp === known.stamp) return
    const unfit = this.#unfit(path, stat)
    if (unfit !== null) tally.add(unfit, path)
    else if (state?.kind !== stat.kind || !this.#looksSame(path, stat, state)) this.#differs(path, state, stat, seenNs)
    else if (stat.kind === 'file') this.#doubtful.push({ known, stat, stamp, seenNs })
  }

  /** Short of reading it, and of the same kind. */
  #looksSame(path: string, stat: FileStat, state: NonNullable<State>): boolean {
    if (state.kind === 'symlink') return state.target === this.#target(path)
    if (state.mode !== stat.mode || !this.#isOwner(stat, state)) return false
    return state.kind === 'dir' || state.size === stat.size
  }

  #isOwner(stat: FileStat, { owner }: { readonly owner?: Owner }): boolean {
    if (!this.#parts.disk.superuser || owner === undefined) return true
    return owner.uid === stat.uid && owner.gid === stat.gid
  }

  #target(path: string): string | null {
    const { disk, root } = this.#parts
    try {
      return disk.readLink(`${root}/${path}`)
    } catch {
      // It is gone again: what is there now is looked at when it is taken in.
      return null
    }
  }

  /** Can the target of a link be held? */
  #isText(path: string): boolean {
    const target = this.#target(path)
    return target === null || (!target.includes('\uFFFD') && target.isWellFormed())
  }

  /** Does it stand in a folder that was not gone into? */
  #isClosed(path: string): boolean {
    if (this.#closed.size === 0) return false
    for (let folder = parentOf(path); folder !== ''; folder = parentOf(folder))
      if (this.#closed.has(folder)) return true
    return this.#closed.has(path)
  }

  #differs(path: string, recorded: State | undefined, stat: FileStat | null, seenNs?: bigint): void {
    this.#differences.push({
      path,
      recorded,
      stat,
      seenNs: seenNs ?? BigInt(this.#parts.disk.now()) * NS_A_MS,
    })
  }

  /** Reads what only its content can tell, notes what is as recorded, and hands out what differs. */
  async *#flush(last = false): AsyncGenerator<Difference> {
    // Many at once can be shared among threads.
    if (this.#doubtful.length >= DOUBTFUL_AT_ONCE || (last && this.#doubtful.length > 0)) {
      const doubtful = this.#doubtful
      this.#doubtful = []
      await this.#settle(doubtful)
    }
    const stamped = this.#stamped
    this.#stamped = []
    await this.#parts.index.stamp(stamped)
    const found = this.#differences
    this.#differences = []
    yield* found
  }

  async #settle(doubtful: readonly Doubtful[]): Promise<void> {
    const { disk, root, tally, hashFiles = hashAlone } = this.#parts
    const hashed = await hashFiles(
      disk,
      root,
      doubtful.map(({ known, stat }) => ({ path: known.path, size: stat.size })),
    )
    const finder = new Finder(disk, root)
    for (const [at, { known, stat, stamp, seenNs }] of doubtful.entries()) {
      const { path, state } = known
      const found = hashed[at] as Hashed
      if (found === 'unreadable') {
        tally.add('unreadable', path)
        continue
      }
      const now = finder.stat(path)
      const isSame = now !== null && stampOf(now) === stamp
      if (found !== 'gone' && state?.kind === 'file' && found.hash === state.hash && isSame) {
        if (timesTell(stat, seenNs)) this.#stamped.push({ path, current: currentOf(known), stamp })
      } else this.#differs(path, state, now ?? disk.lstat(`${root}/${path}`))
    }
  }
}

function currentOf({ seq, state, stamp }: Known): CurrentRecord {
  return stamp === undefined ? { seq, state } : { seq, state, stamp }
}

/** Is a folder a real one, all the way down from the workspace? */
function isReached(disk: Disk, root: string, folder: string): boolean {
  if (folder === '') return true
  let at = root
  for (const name of folder.split('/')) {
    at = `${at}/${name}`
    try {
      if (disk.lstat(at)?.kind !== 'dir') return false
    } catch (error) {
      if (isSystemError(error)) return false
      throw error
    }
  }
  return true
}
