import type { BlobStore } from '../content/blob-store.ts'
import type { Commit } from '../entry/commit.ts'
import type { Entry } from '../entry/entry.ts'
import type { BaseState } from '../entry/horizon.ts'
import { type ContentHash, hashOf, type State } from '../entry/state.ts'
import { offsetOf, type Position, segmentOf } from '../log/position.ts'
import type { Findings } from './findings.ts'
import type { OnHistoryProgress } from './source.ts'

interface Bad {
  readonly tx: string
  readonly position: Position
  readonly why: string
  /** Then a blob of it is as good: it was erased here, or what it is a change of is lost. */
  readonly replaceable: boolean
}

/** The content's first naming, and how many came after. */
interface Wanted {
  readonly tx: string
  readonly path: string
  more: number
}

/** Half the size of the hex digits, as a text of one byte a character. */
function compact(hash: ContentHash): string {
  return Buffer.from(hash, 'hex').toString('latin1')
}

/** Which contents there are, and which are named. A content counts when the log or a blob has it and it hashes to its name. */
export class ContentCensus {
  readonly #store: BlobStore
  readonly #findings: Findings
  readonly #inLog = new Set<string>()
  readonly #blobs = new Map<string, 'right' | 'wrong' | 'named'>()
  readonly #purged = new Set<string>()
  readonly #lost = new Set<string>()
  readonly #bad = new Map<ContentHash, Bad>()
  readonly #wanted = new Map<ContentHash, Wanted>()

  constructor(store: BlobStore, findings: Findings) {
    this.#store = store
    this.#findings = findings
  }

  get blobs(): number {
    return this.#blobs.size
  }

  get orphans(): number {
    let count = 0
    for (const state of this.#blobs.values()) if (state !== 'named') count += 1
    return count
  }

  /** How many contents a purge erased that did not come back. */
  get purged(): number {
    let count = 0
    for (const key of this.#purged) if (!this.#inLog.has(key) && !this.#blobs.has(key)) count += 1
    return count
  }

  async checkBlobs(onProgress: OnHistoryProgress | undefined): Promise<void> {
    let total = 0
    for (const { size } of this.#store.list()) total += size
    let done = 0
    for (const { hash, size } of this.#store.list()) {
      if (this.#blobs.has(compact(hash))) continue
      const state = await this.#store.check(hash)
      if (state !== 'missing') this.#blobs.set(compact(hash), state)
      done += size
      onProgress?.({ phase: 'hashing blobs', done, total })
    }
  }

  /** Known to be gone: a gap in the log says so. */
  lost(hash: ContentHash): void {
    this.#lost.add(compact(hash))
  }

  /** Named by what is kept, and known not to be there since before the horizon; `by`: as in `MissingContent`. */
  missed(hash: ContentHash, by: number): void {
    if (by === 0) this.#lost.add(compact(hash))
    else this.#purged.add(compact(hash))
  }

  /** What was at paths at the horizon. */
  stated(states: readonly BaseState[]): void {
    for (const { path, seq, state } of states) {
      const hash = hashOf(state)
      if (hash !== null) this.#want(hash, `number ${seq}`, path)
    }
  }

  /** How many contents are gone for good that did not come back. */
  get gone(): number {
    let count = 0
    for (const key of this.#lost) if (!this.#inLog.has(key) && !this.#blobs.has(key)) count += 1
    return count
  }

  /** Can it be had, or is it known why not? */
  accounted(hash: ContentHash): boolean {
    const key = compact(hash)
    const blob = this.#blobs.get(key)
    return this.#inLog.has(key) || blob === 'right' || blob === 'named' || this.#purged.has(key) || this.#lost.has(key)
  }

  found(hash: ContentHash): void {
    this.#inLog.add(compact(hash))
  }

  bad(hash: ContentHash, bad: Bad): void {
    if (!this.#bad.has(hash)) this.#bad.set(hash, bad)
  }

  named(commit: Commit): void {
    for (const entry of commit.entries) {
      if (entry.op === 'purge') for (const hash of entry.hashes) this.#purged.add(compact(hash))
      for (const { path, state } of statesOf(entry)) {
        const hash = hashOf(state)
        if (hash !== null) this.#want(hash, commit.tx, path)
      }
    }
  }

  #want(hash: ContentHash, tx: string, path: string): void {
    const key = compact(hash)
    const blob = this.#blobs.get(key)
    if (blob === 'right') this.#blobs.set(key, 'named')
    if (blob === 'right' || blob === 'named' || this.#inLog.has(key)) return
    const wanted = this.#wanted.get(hash)
    if (wanted === undefined) this.#wanted.set(hash, { tx, path, more: 0 })
    else wanted.more += 1
  }

  /** Contents that transactions name and that cannot be had, when the whole log was read: one may stand anywhere in it. */
  *missing(): Generator<{
    readonly hash: ContentHash
    readonly tx: string
    readonly path: string
    readonly more: number
  }> {
    for (const [hash, { tx, path, more }] of this.#wanted) {
      const key = compact(hash)
      const blob = this.#blobs.get(key)
      if (this.#inLog.has(key) || (blob === undefined && (this.#purged.has(key) || this.#lost.has(key)))) continue
      if (blob === 'right') this.#blobs.set(key, 'named')
      else yield { hash, tx, path, more }
    }
  }

  /** Blobs that do not hash to their names. */
  *wrongBlobs(): Generator<ContentHash> {
    for (const [key, state] of this.#blobs) if (state === 'wrong') yield Buffer.from(key, 'latin1').toString('hex')
  }

  conclude(): void {
    for (const { hash, tx, path, more } of this.missing()) {
      const key = compact(hash)
      const blob = this.#blobs.get(key)
      const bad = this.#bad.get(hash)
      const why =
        bad?.why ?? (blob === 'wrong' ? 'its blob is damaged' : 'it is neither in the log nor among the blobs')
      const others = more === 0 ? '' : ` (and ${more} more entries)`
      this.#findings.add({
        kind: 'content',
        message: `the content ${hash} of ${path}${others} cannot be read: ${why}`,
        tx,
        path,
        ...placeOf(bad),
      })
      this.#bad.delete(hash)
      if (blob === 'wrong') this.#blobs.set(key, 'named')
    }
    for (const [hash, bad] of this.#bad) {
      const key = compact(hash)
      if (this.#inLog.has(key) || this.#purged.has(key) || this.#lost.has(key)) continue
      if (bad.replaceable && this.accounted(hash)) continue
      this.#findings.add({
        kind: 'content',
        message: `the content ${hash} cannot be read: ${bad.why}`,
        tx: bad.tx,
        ...placeOf(bad),
      })
    }
    for (const hash of this.wrongBlobs()) {
      this.#findings.add({
        kind: 'blob',
        message: `the blob ${hash} does not hash to its name; no transaction needs it`,
      })
    }
  }
}

function placeOf(bad: Bad | undefined): { readonly position?: readonly [number, number] } {
  return bad === undefined ? {} : { position: [segmentOf(bad.position), offsetOf(bad.position)] }
}

/** Every state that an entry names, with the path it is about. */
export function statesOf(entry: Entry): readonly { readonly path: string; readonly state: State }[] {
  if (entry.op !== 'rename') {
    return [
      { path: entry.path, state: entry.before },
      { path: entry.path, state: entry.after },
    ]
  }
  return [
    { path: entry.path, state: entry.before },
    { path: entry.to, state: entry.replaced },
    { path: entry.to, state: entry.after },
  ]
}
