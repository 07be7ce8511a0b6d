import { createHash } from 'node:crypto'
import { decodeContents, isHeld } from '../../src/content/content-frame.ts'
import { readCommit } from '../../src/entry/chain.ts'
import { effectsOf } from '../../src/entry/effects.ts'
import { Layout } from '../../src/store/layout.ts'
import { openStore } from '../../src/store/opening.ts'
import type { Operation, OperationKind } from './faults.ts'
import { ROOT } from './program.ts'
import { type Span, treeOf } from './rehearsal.ts'
import type { SimDisk } from './sim-disk.ts'
import { differences } from './tree.ts'

/** What would be left if the power went now and nothing were kept that was not synced. */
interface Durable {
  /** Paths that each commit names, by transaction. */
  readonly commits: ReadonlyMap<string, ReadonlySet<string>>
  readonly contents: ReadonlySet<string>
  readonly checkpoints: number
  readonly tree: ReturnType<typeof treeOf>
}

const NOTHING: Durable = { commits: new Map(), contents: new Set(), checkpoints: 0, tree: new Map() }

const CHANGING: ReadonlySet<OperationKind> = new Set([
  'create',
  'write',
  'truncate',
  'chown',
  'setAttribute',
  'makeDirectory',
  'removeDirectory',
  'rename',
  'exchange',
  'link',
  'unlink',
  'symlink',
  'chmod',
  'clone',
])

/**
 * Watches a disk, and says where the rules of a write-ahead log are broken: nothing in the workspace changes before the log that covers it is
 * durable, nothing is acknowledged before it, no content that was seen in the workspace is dropped or written over before the journal has it for good,
 * and a checkpoint is durable only after all that it covers.
 */
export class WriteAhead {
  readonly problems: string[] = []
  readonly #disk: SimDisk
  readonly #acknowledged = new Set<string>()
  /** Inodes that were ever in the workspace. */
  readonly #seen = new Set<number>()
  /** Inodes in the workspace that are being written to, write by write. */
  #writing = new Set<number>()
  #checkpoints = 0

  constructor(disk: SimDisk) {
    this.#disk = disk
    disk.faults.before = (operation) => this.#before(operation)
  }

  /** To be told of each span, so that it hears of its receipts. */
  begin(span: Span): void {
    // A checkpoint covers what was committed before it began, and not what is committed beside it.
    this.#beside = span.step.kind === 'retain' && span.step.calls.length > 0
    span.acknowledged.push = (...ids) => {
      const { commits } = this.#durable()
      for (const tx of ids) {
        if (!commits.has(tx)) this.problems.push(`${tx} was acknowledged and is not durable`)
        this.#acknowledged.add(tx)
      }
      return Array.prototype.push.apply(span.acknowledged, ids)
    }
  }

  #before({ kind, path = '', to }: Operation): void {
    if (kind !== 'write') this.#writing.clear()
    if (!CHANGING.has(kind)) return
    const durable = this.#durable()
    this.#checkpoint(durable)
    for (const ino of this.#disk.leavesBelow(ROOT, '.journal')) this.#seen.add(ino)
    for (const name of kind === 'link' || kind === 'symlink' || kind === 'clone' ? [to] : [path, to]) {
      const changed = name === undefined ? null : this.#inWorkspace(name)
      if (changed !== null && !this.#isCovered(changed, durable))
        this.problems.push(`${kind} ${changed} before a commit of it is durable`)
    }
    if (kind === 'write' || kind === 'truncate') this.#writtenOver(path, durable)
    if (kind === 'unlink') this.#dropped(path, durable)
    if (kind === 'rename' && to !== undefined) this.#dropped(to, durable)
  }

  /** A file that was seen in the workspace is changed in place. */
  #writtenOver(path: string, { contents }: Durable): void {
    const leaf = this.#inWorkspace(path) === null ? null : this.#disk.leafAt(path)
    if (leaf === null || leaf.content === null || !this.#seen.has(leaf.ino)) return
    const hash = createHash('sha256').update(leaf.content).digest('hex')
    if (!contents.has(hash) && !this.#writing.has(leaf.ino))
      this.problems.push(`${path} was written over before its content was kept`)
    if (leaf.names > 1) this.problems.push(`${path} was written over under all of its names`)
    this.#writing.add(leaf.ino)
  }

  #inWorkspace(name: string): string | null {
    const full = this.#disk.withoutPins(name)
    if (!full.startsWith(`${ROOT}/`)) return null
    const relative = full.slice(ROOT.length + 1)
    return relative === '.journal' || relative.startsWith('.journal/') ? null : relative
  }

  #isCovered(path: string, { commits }: Durable): boolean {
    for (const [tx, paths] of commits) if (!this.#acknowledged.has(tx) && paths.has(path)) return true
    return false
  }

  #dropped(path: string, { contents }: Durable): void {
    // Retention drops contents on purpose.
    if (path.endsWith('/.journal/staging/dropped')) return
    const leaf = this.#disk.leafAt(path)
    if (leaf === null || leaf.content === null || leaf.names > 1 || !this.#seen.has(leaf.ino)) return
    const hash = createHash('sha256').update(leaf.content).digest('hex')
    if (!contents.has(hash)) this.problems.push(`${path} was dropped before its content was kept`)
  }

  #checkpoint({ checkpoints, tree }: Durable): void {
    if (checkpoints <= this.#checkpoints) return
    this.#checkpoints = checkpoints
    if (this.#beside) return
    const lost = differences(treeOf(this.#disk), tree)
    if (lost.length > 0) this.problems.push(`a checkpoint is durable, and these are not: ${lost.join('; ')}`)
  }

  #beside = false
  readonly #commits = new Map<string, Set<string>>()
  readonly #contents = new Set<string>()

  #durable(): Durable {
    const left = this.#disk.crash('none')
    if (!left.exists(`${ROOT}/.journal/FORMAT`) || !left.exists(`${ROOT}/.journal/log`)) return NOTHING
    const { reader, contents: store } = openStore(left, new Layout(ROOT))
    const commits = new Map<string, Set<string>>()
    const contents = new Set<string>([...store.blobs.list()].map(({ hash }) => hash))
    let checkpoints = 0
    for (const { kind, payload } of reader.read(reader.start)) {
      if (kind === 'checkpoint') checkpoints += 1
      if (kind === 'content')
        for (const { hash, encoding } of decodeContents(payload).contents) if (isHeld(encoding)) contents.add(hash)
      if (kind !== 'commit') continue
      const { tx, entries } = readCommit(payload)
      commits.set(tx, new Set(effectsOf(entries).map(({ path }) => path)))
    }
    // What retention drops has been durable before.
    for (const [tx, paths] of commits) this.#commits.set(tx, paths)
    for (const hash of contents) this.#contents.add(hash)
    return { commits: this.#commits, contents: this.#contents, checkpoints, tree: treeOf(left) }
  }
}
