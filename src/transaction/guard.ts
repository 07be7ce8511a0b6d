import { hashBytes, readChunks } from '../content/hash.ts'
import type { Disk } from '../disk/disk.ts'
import { changesOf } from '../entry/entry.ts'
import { type ContentHash, type FileState, hashOf, type State } from '../entry/state.ts'
import { isSystemError, JournalError } from '../errors.ts'
import { resolvePath, type Waypoint } from '../workspace/resolver.ts'
import { ancestorsOf } from '../workspace/safe-path.ts'
import type { Draft } from './draft.ts'
import type { DraftSite } from './view.ts'

/**
 * Looks at what a transaction is about to make, before anything of it is kept.
 * @throws JournalError; then nothing is changed
 */
export type Guard = (proposal: Proposal) => Promise<void>

/** A content, and the path whose name says what it is. */
export interface ProposedContent {
  readonly path: string
  readonly state: FileState
}

/** A file that a transaction would give a new content, or a new name. */
export interface ProposedFile {
  readonly path: string
  readonly after: FileState
  /** What the file was before, where it was before; null: there was none. */
  readonly before: ProposedContent | null
}

/** A look at paths, as they are or as they are going to be. */
export interface Sight {
  readonly root: string
  /** What a path leads to, through symbolic links; null: nothing, or nothing in the workspace. */
  look(path: string): { readonly path: string; readonly kind: 'file' | 'dir' | 'other' } | null
  /** The content of the file that a path leads to; null when there is none, or it has more than `limit` bytes. */
  read(path: string, limit: number): Promise<Uint8Array | null>
}

/** What a transaction has come to, and the workspace as it would leave it. */
export class Proposal {
  readonly tx: string
  readonly signal: AbortSignal | undefined
  readonly draft: Draft
  readonly site: DraftSite
  /** The workspace as the transaction would leave it. */
  readonly after: Sight
  /** The workspace as it is. */
  readonly before: Sight

  constructor(tx: string, draft: Draft, site: DraftSite, signal?: AbortSignal) {
    this.tx = tx
    this.signal = signal
    this.draft = draft
    this.site = site
    this.after = new WorkspaceSight(site, draft)
    this.before = new WorkspaceSight(site, null)
  }

  /** Files with a content that was not there before, in the order of their paths. */
  files(): ProposedFile[] {
    const origins = originsOf(this.draft)
    const earlier = earlierStates(this.draft)
    const files: ProposedFile[] = []
    for (const [path, after] of this.draft.changes) {
      if (after?.kind !== 'file') continue
      const own = earlier.get(path) ?? null
      if (hashOf(own) === after.hash) continue
      const from = own?.kind === 'file' ? path : (origins.get(path) ?? path)
      const state = earlier.get(from) ?? null
      files.push({ path, after, before: state?.kind === 'file' ? { path: from, state } : null })
    }
    return files.sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  /** Paths at which something stood that is gone in the end, or is of another kind. */
  removed(): string[] {
    const paths: string[] = []
    for (const [path, before] of earlierStates(this.draft)) {
      if (before !== null && this.draft.changes.get(path)?.kind !== before.kind) paths.push(path)
    }
    return paths.sort()
  }

  /** Bytes of a content that the transaction brings, that it found, or that the journal has. @throws JournalError `CONFLICT` */
  content(state: FileState): Promise<Uint8Array> {
    return contentOf(state, this.draft, this.site)
  }
}

/** The workspace as it is. */
export function sightOf(site: DraftSite): Sight {
  return new WorkspaceSight(site, null)
}

class WorkspaceSight implements Sight {
  readonly #site: DraftSite
  readonly #draft: Draft | null

  /** `draft` null: nothing is changed. */
  constructor(site: DraftSite, draft: Draft | null) {
    this.#site = site
    this.#draft = draft
  }

  get root(): string {
    return this.#site.observer.root
  }

  look(given: string): { path: string; kind: 'file' | 'dir' | 'other' } | null {
    if (given === '') return { path: '', kind: 'dir' }
    try {
      const path = resolvePath(this.root, given, (at) => this.#waypoint(at), { follow: true, folder: true })
      const found = this.#waypoint(path)
      return found === null || found.kind === 'symlink' ? null : { path, kind: found.kind }
    } catch (error) {
      // A name that no file can have, a path that leads out, a loop of links.
      if (error instanceof JournalError || isSystemError(error)) return null
      throw error
    }
  }

  async read(given: string, limit: number): Promise<Uint8Array | null> {
    const found = this.look(given)
    if (found?.kind !== 'file') return null
    const own = this.#draft?.changes.get(found.path)
    if (own?.kind === 'file') return own.size > limit ? null : contentOf(own, this.#draft, this.#site)
    const { observer } = this.#site
    const absolute = observer.absolute(found.path)
    if ((observer.disk.lstat(absolute)?.size ?? 0) > limit) return null
    const parts: Uint8Array[] = []
    for await (const chunk of fileChunks(observer.disk, absolute)) parts.push(Uint8Array.prototype.slice.call(chunk))
    return Buffer.concat(parts)
  }

  #waypoint(path: string): Waypoint {
    const own = this.#draft?.changes.get(path)
    if (own !== undefined) return own
    for (const folder of ancestorsOf(path)) {
      const above = this.#draft?.changes.get(folder)
      if (above === undefined) continue
      // Below what it took away, turned into a file, or made a folder of, there is only what it made itself.
      if (above?.kind !== 'dir' || this.#draft?.base.get(folder)?.state?.kind !== 'dir') return null
    }
    const { disk } = this.#site.observer
    const absolute = this.#site.observer.absolute(path)
    const stat = disk.lstat(absolute)
    if (stat === null) return null
    return stat.kind === 'symlink' ? { kind: 'symlink', target: disk.readLink(absolute) } : { kind: stat.kind }
  }
}

async function contentOf({ hash, size }: FileState, draft: Draft | null, site: DraftSite): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(size)
  let length = 0
  for await (const chunk of chunksOf(hash, draft, site)) {
    if (length + chunk.byteLength > size) throw changed()
    bytes.set(chunk, length)
    length += chunk.byteLength
  }
  // What is examined goes by its hash from now on, so it must be what the hash says, not what somebody made of the file meanwhile.
  if (length < size || hashBytes(bytes) !== hash) throw changed()
  return bytes
}

async function* chunksOf(hash: ContentHash, draft: Draft | null, { observer, contents }: DraftSite) {
  const source = draft?.source(hash) ?? { at: 'stored' }
  if (source.at === 'memory') {
    yield source.bytes
    return
  }
  if (source.at === 'changed') {
    yield* contents.changed(hash, source.change.base, source.change.delta)
    return
  }
  let file = source.at === 'staged' ? source.file : null
  if (file === null) {
    for (const [path, { state }] of draft?.base ?? []) if (hashOf(state) === hash) file = observer.absolute(path)
  }
  if (file === null) yield* contents.stream(hash)
  else yield* fileChunks(observer.disk, file)
}

async function* fileChunks(disk: Disk, file: string): AsyncGenerator<Uint8Array> {
  const handle = disk.open(file, 'read')
  try {
    yield* readChunks(disk, handle)
  } finally {
    disk.close(handle)
  }
}

/** What stood at each path before the first entry that names it: as it was found, or as the history has it where somebody changed it since. */
function earlierStates({ entries }: Draft): Map<string, State> {
  const states = new Map<string, State>()
  for (const entry of entries) {
    for (const { path, before } of changesOf(entry)) if (!states.has(path)) states.set(path, before)
  }
  return states
}

/** Where files that were moved came from, by where they are in the end. */
function originsOf({ entries }: Draft): Map<string, string> {
  const origins = new Map<string, string>()
  for (const entry of entries) {
    if (entry.op !== 'rename') continue
    origins.set(entry.to, origins.get(entry.path) ?? entry.path)
    origins.delete(entry.path)
  }
  return origins
}

function changed(): JournalError {
  return new JournalError('CONFLICT', 'a file was changed while it was being looked at', { hint: 'Try again.' })
}
