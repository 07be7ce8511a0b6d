import type { BlobStore } from '../content/blob-store.ts'
import type { Commit } from '../entry/commit.ts'
import type { CommitOutline } from '../entry/commit-outline.ts'
import type { Entry } from '../entry/entry.ts'
import type { BaseState } from '../entry/horizon.ts'
import { type ContentHash, hashOf, type State } from '../entry/state.ts'
import { offsetOf, type Position, segmentOf } from '../log/position.ts'
import { DigestTable } from './digest-table.ts'
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

/** What is known of a content. Of the three about a blob it has one at most. */
const IN_LOG = 1
const BLOB_RIGHT = 2
const BLOB_WRONG = 4
const BLOB_NAMED = 8
const PURGED = 16
const LOST = 32
const BLOB = BLOB_RIGHT | BLOB_WRONG | BLOB_NAMED

/** Which contents there are, and which are named. A content counts when the log or a blob has it and it hashes to its name. */
export class ContentCensus {
  readonly #store: BlobStore
  readonly #findings: Findings
  readonly #known = new DigestTable()
  readonly #bad = new Map<ContentHash, Bad>()
  /** By number in the table. */
  readonly #wanted = new Map<number, Wanted>()

  constructor(store: BlobStore, findings: Findings) {
    this.#store = store
    this.#findings = findings
  }

  get blobs(): number {
    return this.#known.count(BLOB)
  }

  get orphans(): number {
    return this.#known.count(BLOB_RIGHT | BLOB_WRONG)
  }

  /** How many contents a purge erased that did not come back. */
  get purged(): number {
    return this.#known.count(PURGED, IN_LOG | BLOB)
  }

  async checkBlobs(onProgress: OnHistoryProgress | undefined): Promise<void> {
    let total = 0
    for (const { size } of this.#store.list()) total += size
    let done = 0
    for (const { hash, size } of this.#store.list()) {
      const number = this.#known.findHex(hash)
      if (number >= 0 && this.#has(number, BLOB)) continue
      const state = await this.#store.check(hash)
      if (state !== 'missing') this.#mark(hash, state === 'right' ? BLOB_RIGHT : BLOB_WRONG)
      done += size
      onProgress?.({ phase: 'hashing blobs', done, total })
    }
  }

  /** Known to be gone: a gap in the log says so. */
  lost(hash: ContentHash): void {
    this.#mark(hash, LOST)
  }

  /** Named by what is kept, and known not to be there since before the horizon; `by`: as in `MissingContent`. */
  missed(hash: ContentHash, by: number): void {
    this.#mark(hash, by === 0 ? LOST : PURGED)
  }

  /** What was at paths at the horizon. */
  stated(states: readonly BaseState[]): void {
    for (const { path, seq, state } of states) {
      const hash = hashOf(state)
      if (hash !== null) this.#want(this.#known.addHex(hash), { tx: `number ${seq}`, path })
    }
  }

  /** How many contents are gone for good that did not come back. */
  get gone(): number {
    return this.#known.count(LOST, IN_LOG | BLOB)
  }

  /** Can it be had, or is it known why not? */
  accounted(hash: ContentHash): boolean {
    const number = this.#known.findHex(hash)
    return number >= 0 && this.#has(number, IN_LOG | BLOB_RIGHT | BLOB_NAMED | PURGED | LOST)
  }

  found(hash: ContentHash): void {
    this.#mark(hash, IN_LOG)
  }

  /** The same for a hash that stands at `at`. */
  foundAt(bytes: Uint8Array, at: number): void {
    this.#known.mark(bytes, at, IN_LOG)
  }

  bad(hash: ContentHash, bad: Bad): void {
    if (!this.#bad.has(hash)) this.#bad.set(hash, bad)
  }

  named(commit: Commit): void {
    for (const entry of commit.entries) {
      if (entry.op === 'purge') for (const hash of entry.hashes) this.#mark(hash, PURGED)
      for (const { path, state } of statesOf(entry)) {
        const hash = hashOf(state)
        if (hash !== null) this.#want(this.#known.addHex(hash), { tx: commit.tx, path })
      }
    }
  }

  /** The same for a commit that was not decoded: of no purge. */
  namedIn(payload: Uint8Array, outline: CommitOutline): void {
    const { count } = outline
    for (let index = 0; index < count; index += 1) {
      const number = this.#known.add(payload, outline.hashAt(index))
      if (!this.#isThere(number)) this.#want(number, { tx: outline.tx(), path: outline.path(index) })
    }
  }

  #want(number: number, { tx, path }: { readonly tx: string; readonly path: string }): void {
    if (this.#isThere(number)) return
    const wanted = this.#wanted.get(number)
    if (wanted === undefined) this.#wanted.set(number, { tx, path, more: 0 })
    else wanted.more += 1
  }

  /** Is it known to be there? Then its blob, if it has one, is one that is named. */
  #isThere(number: number): boolean {
    const flags = this.#known.flags(number)
    if ((flags & BLOB_RIGHT) !== 0) this.#known.setFlags(number, (flags & ~BLOB) | BLOB_NAMED)
    return (flags & (IN_LOG | BLOB_RIGHT | BLOB_NAMED)) !== 0
  }

  #mark(hash: ContentHash, flag: number): void {
    const number = this.#known.addHex(hash)
    this.#known.setFlags(number, this.#known.flags(number) | flag)
  }

  #has(number: number, flags: number): boolean {
    return (this.#known.flags(number) & flags) !== 0
  }

  /** Contents that transactions name and that cannot be had, when the whole log was read: one may stand anywhere in it. */
  *missing(): Generator<{
    readonly hash: ContentHash
    readonly tx: string
    readonly path: string
    readonly more: number
  }> {
    for (const [number, { tx, path, more }] of this.#wanted) {
      const flags = this.#known.flags(number)
      if ((flags & IN_LOG) !== 0 || ((flags & BLOB) === 0 && (flags & (PURGED | LOST)) !== 0)) continue
      if ((flags & BLOB_RIGHT) !== 0) this.#isThere(number)
      else yield { hash: this.#known.hex(number), tx, path, more }
    }
  }

  /** Blobs that do not hash to their names. */
  *wrongBlobs(): Generator<ContentHash> {
    for (let number = 0; number < this.#known.size; number += 1)
      if (this.#has(number, BLOB_WRONG)) yield this.#known.hex(number)
  }

  conclude(): void {
    for (const { hash, tx, path, more } of this.missing()) {
      const number = this.#known.findHex(hash)
      const wrong = this.#has(number, BLOB_WRONG)
      const bad = this.#bad.get(hash)
      const why = bad?.why ?? (wrong ? 'its blob is damaged' : 'it is neither in the log nor among the blobs')
      const others = more === 0 ? '' : ` (and ${more} more entries)`
      this.#findings.add({
        kind: 'content',
        message: `the content ${hash} of ${path}${others} cannot be read: ${why}`,
        tx,
        path,
        ...placeOf(bad),
      })
      this.#bad.delete(hash)
      if (wrong) this.#known.setFlags(number, (this.#known.flags(number) & ~BLOB) | BLOB_NAMED)
    }
    for (const [hash, bad] of this.#bad) {
      const number = this.#known.findHex(hash)
      if (number >= 0 && this.#has(number, IN_LOG | PURGED | LOST)) continue
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
  if (entry.op === 'note') return []
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
