import type { ContentStore } from '../content/content-store.ts'
import { readChunks } from '../content/hash.ts'
import type { Entry } from '../entry/entry.ts'
import { isJournalName } from '../entry/path.ts'
import { type ContentHash, type FileState, hashOf, type Owner, type State, sameState } from '../entry/state.ts'
import { asJournalError, JournalError, shown } from '../errors.ts'
import type { Folders } from '../workspace/folders.ts'
import type { Glance, Observation, Observer } from '../workspace/observer.ts'
import { type ResolveOptions, resolvePath, type Waypoint } from '../workspace/resolver.ts'
import { ancestorsOf, joinPath, nameOf, parentOf } from '../workspace/safe-path.ts'
import type { ContentSource, Operation, StagedContent } from './operation.ts'
import type { Stager } from './stager.ts'
import { applyEdits, BOM, decodeText, MAX_TEXT_BYTES } from './text.ts'

/** A transaction makes no more entries than this. */
export const MAX_ENTRIES = 200_000
const PERMISSIONS = 0o7777

export interface DraftSite {
  readonly observer: Observer
  readonly contents: ContentStore
  readonly folders: Folders
  /** Names that differ only in case are the same file here. */
  readonly foldsCase: boolean
  /** Of new files; recorded when the journal runs as the superuser. */
  readonly owner: Owner | null
}

/**
 * What a list of operations makes of the workspace, worked out without touching it: a view that sees its own changes, and the entries that will
 * stand in the history. It remembers what it looked at, so that a commit can tell whether that is still so.
 */
export class Draft {
  /** Every path whose state was looked at, as it was found. */
  readonly base = new Map<string, Observation>()
  /** Folders that must go on being folders. */
  readonly folders = new Set<string>()
  /** Paths whose content the caller read. */
  readonly reads = new Set<string>()
  readonly entries: Entry[] = []
  readonly #site: DraftSite
  readonly #stager: Stager
  readonly #now = new Map<string, State>()
  readonly #sources = new Map<ContentHash, ContentSource>()
  readonly #spellings = new Map<string, string>()
  /** Folders whose names were asked for, with what they held. */
  readonly #listings = new Map<string, string>()
  #pending = new Map<string, State>()
  #pendingEntries: Entry[] = []
  /** The last path that was looked at while finding the way. */
  #glance: Glance | null = null

  constructor(site: DraftSite, stager: Stager) {
    this.#site = site
    this.#stager = stager
  }

  /** Paths that the entries change. */
  get touched(): Iterable<string> {
    return this.#now.keys()
  }

  /** What stands in the end at the paths that the entries change. */
  get changes(): ReadonlyMap<string, State> {
    return this.#now
  }

  /** Facts about the folders that it looked at. */
  get facts(): Folders {
    return this.#site.folders
  }

  /** Where the bytes of a content are; `stored` when this transaction did not bring them. */
  source(hash: ContentHash): ContentSource {
    return this.#sources.get(hash) ?? { at: 'stored' }
  }

  /** Works one operation in. When it throws, nothing of it is left. */
  async apply(operation: Operation): Promise<void> {
    this.#glance = null
    this.#pending = new Map()
    this.#pendingEntries = []
    await this.#evaluate(operation)
    if (this.entries.length + this.#pendingEntries.length > MAX_ENTRIES) {
      throw new JournalError('INVALID', `a transaction makes at most ${MAX_ENTRIES} entries`, {
        hint: 'Split it into smaller ones.',
      })
    }
    for (const [path, state] of this.#pending) this.#now.set(path, state)
    for (const entry of this.#pendingEntries) this.entries.push(Object.freeze(entry))
  }

  /** Where a path leads, as this transaction sees it. */
  locate(given: string): string {
    return this.#resolve(given, { follow: true, folder: true })
  }

  /** The content of a file as this transaction sees it. */
  async read(given: string): Promise<Uint8Array> {
    this.#pending = new Map()
    const path = this.#resolve(given, { follow: true })
    const state = await this.#state(path)
    this.reads.add(path)
    if (state === null) throw notFound(given)
    if (state.kind !== 'file') throw notAFile(given)
    return this.#bytes(path, state)
  }

  /** Is everything that was looked at still as it was? */
  async isFresh(): Promise<boolean> {
    for (const path of this.folders) {
      if (this.#site.observer.disk.lstat(this.#site.observer.absolute(path))?.kind !== 'dir') return false
    }
    for (const [folder, names] of this.#listings) if (this.#names(folder).join('/') !== names) return false
    for (const [path, observation] of this.base) {
      if (this.#site.observer.looksSame(path, observation)) continue
      const { state } = observation
      const again = await this.#site.observer.observe(path)
      if (!sameState(again.state, state)) return false
      this.base.set(path, again)
    }
    return true
  }

  async #evaluate(operation: Operation): Promise<void> {
    switch (operation.op) {
      case 'write':
        return this.#write(operation)
      case 'append':
        return this.#append(operation)
      case 'edit':
      case 'patch':
        return this.#rewrite(operation)
      case 'remove':
        return this.#remove(operation)
      case 'rename':
        return this.#rename(operation)
      case 'mkdir':
        return this.#mkdir(operation)
      case 'rmdir':
        return this.#rmdir(operation)
      case 'chmod':
        return this.#chmod(operation)
      case 'symlink':
        return this.#symlink(operation)
      case 'put':
        return this.#put(operation)
      case 'adopt':
        return this.#adopt(operation)
    }
  }

  async #write(operation: Extract<Operation, { op: 'write' }>): Promise<void> {
    const path = this.#resolve(operation.path, { follow: true })
    // Whoever expects a content wants it looked at.
    const before = await this.#state(path, operation.expect === undefined)
    this.#expect(operation.path, before, operation.expect)
    if (before?.kind === 'dir') throw notAFile(operation.path)
    const after = await this.#newFile(path, before, operation.content, operation.mode)
    this.#set(path, after, { op: 'write', path, ...this.#alias(path, operation.path), before, after })
  }

  async #append(operation: Extract<Operation, { op: 'append' }>): Promise<void> {
    const path = this.#resolve(operation.path, { follow: true })
    const before = await this.#state(path)
    this.#expect(operation.path, before, operation.expect)
    if (before !== null && before.kind !== 'file') throw notAFile(operation.path)
    const { content } = operation
    this.#note(content)
    const whole =
      before === null || before.size === 0 ? content : await this.#stager.take(this.#joined(path, before, content))
    const after = await this.#newFile(path, before, whole)
    const entry = {
      op: 'append',
      path,
      ...this.#alias(path, operation.path),
      before,
      after,
      length: content.size,
    } as const
    this.#set(path, after, entry)
  }

  async *#joined(path: string, state: FileState, added: StagedContent): AsyncGenerator<Uint8Array> {
    yield* this.#chunks(path, state)
    yield* this.#chunksOf(added.hash, added.source)
  }

  async #rewrite(operation: Extract<Operation, { op: 'edit' | 'patch' }>): Promise<void> {
    const path = this.#resolve(operation.path, { follow: true })
    const before = await this.#state(path)
    this.#expect(operation.path, before, operation.expect)
    if (before === null) throw notFound(operation.path)
    if (before.kind !== 'file') throw notAFile(operation.path)
    if (before.size > MAX_TEXT_BYTES) decodeText({ byteLength: before.size } as Uint8Array, path)
    const text = decodeText(await this.#bytes(path, before), path)
    const alias = this.#alias(path, operation.path)
    if (operation.op === 'edit') {
      const changed = this.#stager.keep(Buffer.from(applyEdits(text, operation.edits, path), 'utf8'))
      const after = await this.#newFile(path, before, changed)
      this.#set(path, after, { op: 'edit', path, ...alias, before, after, edits: operation.edits })
      return
    }
    const { applyPatch, parsePatch } = await import('diff')
    let patched: string | false
    const bom = text.startsWith(BOM) ? BOM : ''
    try {
      const parsed = parsePatch(operation.patch)
      if (parsed.length !== 1 || !parsed[0]?.hunks.some(({ lines }) => lines.length > 0))
        throw new RangeError(`it has ${parsed.length} files, or no hunks`)
      const fitted = applyPatch(text.slice(bom.length), operation.patch, { autoConvertLineEndings: true })
      patched = fitted === false ? applyPatch(text, operation.patch, { autoConvertLineEndings: true }) : bom + fitted
    } catch (cause) {
      throw new JournalError('INVALID', `the patch for ${path} cannot be read`, {
        hint: 'Give a unified diff of one file.',
        path,
        cause,
      })
    }
    if (patched === false) {
      throw new JournalError('CONFLICT', `the patch does not fit ${path} as it is now`, {
        hint: 'Read the file again and make the patch anew.',
        path,
      })
    }
    const after = await this.#newFile(path, before, this.#stager.keep(Buffer.from(patched, 'utf8')))
    this.#set(path, after, { op: 'patch', path, ...alias, before, after, patch: operation.patch })
  }

  async #remove(operation: Extract<Operation, { op: 'remove' }>): Promise<void> {
    const path = this.#resolve(operation.path, { follow: false, folder: operation.recursive === true })
    const before = await this.#state(path)
    this.#expect(operation.path, before, operation.expect)
    if (before === null) throw notFound(operation.path)
    if (before.kind === 'dir' && operation.recursive !== true) {
      throw new JournalError('INVALID', `${operation.path} is a folder`, {
        hint: 'Use rmdir for an empty folder, or remove it recursively.',
        path: operation.path,
      })
    }
    await this.#removeTree(path, before)
  }

  async #removeTree(path: string, before: State): Promise<void> {
    if (before?.kind !== 'dir') return this.#set(path, null, { op: 'remove', path, before, after: null })
    for (const child of this.#journaledChildren(path)) await this.#removeTree(child, await this.#state(child))
    this.#set(path, null, { op: 'rmdir', path, before, after: null })
  }

  async #rename(operation: Extract<Operation, { op: 'rename' }>): Promise<void> {
    const path = this.#resolve(operation.path, { follow: false, folder: true })
    const to = this.#resolve(operation.to, { follow: false, folder: true })
    const before = await this.#state(path)
    this.#expect(operation.path, before, operation.expect)
    if (before === null) throw notFound(operation.path)
    if (to === path || to.startsWith(`${path}/`)) {
      throw new JournalError(
        'INVALID',
        `${operation.path} cannot be moved to ${operation.to}, which is ${to === path ? 'itself' : 'inside it'}`,
        {
          hint: 'Choose another destination.',
          path: operation.path,
        },
      )
    }
    const replaced = await this.#state(to)
    if (replaced !== null && (replaced.kind === 'dir' || before.kind === 'dir')) {
      throw new JournalError('EXISTS', `${operation.to} is there already`, {
        hint: 'Remove it first, or name a path inside it.',
        path: operation.to,
      })
    }
    await this.#parents(to)
    await this.#moveTree(path, to, before, replaced)
  }

  async #moveTree(path: string, to: string, before: State, replaced: State): Promise<void> {
    if (before?.kind !== 'dir') {
      this.#pending.set(path, null)
      this.#set(to, before, { op: 'rename', path, to, before, replaced, after: before })
      return
    }
    this.#set(to, before, { op: 'mkdir', path: to, before: replaced, after: before })
    for (const child of this.#journaledChildren(path)) {
      await this.#moveTree(
        child,
        joinPath(to, nameOf(child)),
        await this.#state(child),
        await this.#state(joinPath(to, nameOf(child))),
      )
    }
    this.#set(path, null, { op: 'rmdir', path, before, after: null })
  }

  async #mkdir(operation: Extract<Operation, { op: 'mkdir' }>): Promise<void> {
    const path = this.#resolve(operation.path, { follow: false, folder: true })
    const before = await this.#state(path)
    if (before !== null) {
      throw new JournalError('EXISTS', `${operation.path} is there already`, {
        hint: 'Choose another name.',
        path: operation.path,
      })
    }
    await this.#parents(path)
    const after = this.#newFolder(path, operation.mode)
    this.#set(path, after, { op: 'mkdir', path, before, after })
  }

  async #rmdir(operation: Extract<Operation, { op: 'rmdir' }>): Promise<void> {
    const path = this.#resolve(operation.path, { follow: false, folder: true })
    const before = await this.#state(path)
    if (before === null) throw notFound(operation.path)
    if (before.kind !== 'dir') {
      throw new JournalError('INVALID', `${operation.path} is not a folder`, {
        hint: 'Use remove.',
        path: operation.path,
      })
    }
    if (this.#children(path).length > 0) {
      throw new JournalError('INVALID', `the folder ${operation.path} is not empty`, {
        hint: 'Remove what is in it first, or remove it recursively.',
        path: operation.path,
      })
    }
    this.#set(path, null, { op: 'rmdir', path, before, after: null })
  }

  async #chmod(operation: Extract<Operation, { op: 'chmod' }>): Promise<void> {
    const mode = checkedMode(operation.mode, operation.path)
    const path = this.#resolve(operation.path, { follow: true, folder: true })
    const before = await this.#state(path)
    if (before === null) throw notFound(operation.path)
    if (before.kind === 'symlink') throw notAFile(operation.path)
    const after = { ...before, mode }
    this.#set(path, after, { op: 'chmod', path, ...this.#alias(path, operation.path), before, after })
  }

  async #symlink(operation: Extract<Operation, { op: 'symlink' }>): Promise<void> {
    const { target } = operation
    if (
      typeof target !== 'string' ||
      target === '' ||
      target.includes('\0') ||
      !target.isWellFormed() ||
      Buffer.byteLength(target) > 4095
    ) {
      throw new JournalError(
        'INVALID',
        'the target of a symbolic link must be well-formed text of 1 to 4095 bytes without NUL',
        {
          hint: 'Give a path.',
          path: operation.path,
        },
      )
    }
    const path = this.#resolve(operation.path, { follow: false })
    const before = await this.#state(path)
    if (before !== null) {
      throw new JournalError('EXISTS', `${operation.path} is there already`, {
        hint: 'Remove it first.',
        path: operation.path,
      })
    }
    await this.#parents(path)
    const after: State = { kind: 'symlink', target }
    this.#set(path, after, { op: 'symlink', path, before, after })
  }

  async #put(operation: Extract<Operation, { op: 'put' }>): Promise<void> {
    const path = this.#resolve(operation.path, { follow: false, folder: true })
    const before = await this.#state(path)
    const { state: after, from } = operation
    // A folder that an undo spared, or that somebody made since, is there already: nothing of it was changed, so nothing is said of it.
    if (before?.kind === 'dir' && sameState(before, after)) return
    if (from !== undefined && !sameState(before, from)) {
      throw new JournalError('CONFLICT', `${path} is not as the history left it`, {
        hint: `Look at 'journal diff', and adopt or take back the change first; or force it (what is there is kept in the history).`,
        path,
        details: { conflicts: [{ path, expected: from, found: before }] },
      })
    }
    if (sameState(before, after)) return
    // A folder with things in it that this transaction does not remove stays: they are not the journal's to delete.
    if (before?.kind === 'dir' && after?.kind !== 'dir' && this.#children(path).length > 0) {
      if (after === null) return
      throw new JournalError('CONFLICT', `the folder ${path} is not empty`, { hint: 'Move away what is in it.', path })
    }
    if (after !== null) await this.#parents(path)
    this.#set(path, after, { op: 'put', path, before, after })
  }

  async #adopt(operation: Extract<Operation, { op: 'adopt' }>): Promise<void> {
    const path = this.#resolve(operation.path, { follow: false, folder: true })
    const found = await this.#state(path)
    if (sameState(found, operation.recorded)) return
    this.#set(path, found, { op: 'put', path, before: operation.recorded, after: found })
  }

  #set(path: string, state: State, entry: Entry): void {
    this.#pending.set(path, state)
    this.#pendingEntries.push(entry)
  }

  #note(content: StagedContent): void {
    this.#sources.set(content.hash, content.source)
  }

  async #newFile(path: string, before: State, content: StagedContent, mode?: number): Promise<FileState> {
    await this.#parents(path)
    this.#note(content)
    const base = { kind: 'file', hash: content.hash, size: content.size } as const
    if (before?.kind === 'file') {
      return { ...before, ...base, ...(mode === undefined ? {} : { mode: checkedMode(mode, path) }) }
    }
    const { inheritance } = this.#site.folders.facts(parentOf(path))
    const owner = this.#site.owner === null ? {} : { owner: { ...this.#site.owner, ...groupOf(inheritance.gid) } }
    return { ...base, mode: mode === undefined ? inheritance.fileMode : checkedMode(mode, path), ...owner }
  }

  #newFolder(path: string, mode?: number): State {
    const { inheritance } = this.#site.folders.facts(parentOf(path))
    const owner = this.#site.owner === null ? {} : { owner: { ...this.#site.owner, ...groupOf(inheritance.gid) } }
    return { kind: 'dir', mode: mode === undefined ? inheritance.folderMode : checkedMode(mode, path), ...owner }
  }

  /** Makes the missing folders above a path part of the transaction. */
  async #parents(path: string): Promise<void> {
    for (const folder of ancestorsOf(path).reverse()) {
      if (this.#look(folder) !== null) continue
      const before = await this.#state(folder)
      const after = this.#newFolder(folder)
      this.#set(folder, after, { op: 'mkdir', path: folder, before, after, implied: true })
    }
  }

  #expect(path: string, state: State, expected: ContentHash | null | undefined): void {
    if (expected === undefined) return
    if (expected !== null && (typeof expected !== 'string' || !/^[0-9a-f]{64}$/i.test(expected))) {
      throw new JournalError(
        'INVALID',
        `what ${path} is expected to hold must be a SHA-256 in hex, or null for no file`,
        {
          hint: 'Take the hash from a receipt, or from sha256sum.',
          path,
        },
      )
    }
    const found = hashOf(state)
    if (found === (expected === null ? null : expected.toLowerCase())) return
    throw new JournalError('CONFLICT', `${path} does not have the expected content`, {
      hint: 'Read it again and decide anew.',
      path,
      details: { expected, found },
    })
  }

  #alias(path: string, given: string): { as?: string } {
    return given === path ||
      !given.isWellFormed() ||
      given.replace(/^\.\//, '') === path ||
      given === this.#site.observer.absolute(path)
      ? {}
      : { as: given }
  }

  /** Paths below a folder, one level, as this transaction sees them. */
  #children(folder: string): string[] {
    const found = new Set<string>()
    const absolute = this.#site.observer.absolute(folder)
    if (this.#site.observer.disk.lstat(absolute)?.kind === 'dir') {
      const names = this.#names(folder)
      this.#listings.set(folder, names.join('/'))
      for (const name of names) found.add(joinPath(folder, name))
    }
    for (const layer of [this.#now, this.#pending]) {
      for (const [path, state] of layer) {
        if (parentOf(path) !== folder) continue
        if (state === null) found.delete(path)
        else found.add(path)
      }
    }
    return [...found].sort()
  }

  #names(folder: string): string[] {
    const { disk } = this.#site.observer
    const absolute = this.#site.observer.absolute(folder)
    return disk.lstat(absolute)?.kind === 'dir' ? disk.readDirectory(absolute).map(({ name }) => name) : []
  }

  /** The same for a folder that goes away with all in it; a workspace inside the workspace keeps its journal. */
  #journaledChildren(folder: string): string[] {
    const children = this.#children(folder)
    const journal = children.find((child) => isJournalName(nameOf(child)))
    if (journal === undefined) return children
    throw new JournalError('PATH_OUTSIDE', `${journal} is the journal of another workspace`, {
      hint: 'A folder with a journal of its own is neither moved nor removed by this one.',
      path: journal,
    })
  }

  #overlay(path: string): State | undefined {
    const state = this.#pending.get(path)
    return state === undefined ? this.#now.get(path) : state
  }

  /**
   * A path below something that this transaction took away, turned into a file, or made a folder of, is not what the disk says: there, a symbolic link
   * may still lead elsewhere.
   */
  #hidden(path: string): boolean {
    if (this.#now.size + this.#pending.size === 0) return false
    return ancestorsOf(path).some((folder) => {
      const state = this.#overlay(folder)
      if (state === undefined) return false
      return state?.kind !== 'dir' || this.base.get(folder)?.state?.kind !== 'dir'
    })
  }

  /** `replacing`: only to be replaced, see `Observer.observe`. */
  async #state(path: string, replacing = false): Promise<State> {
    const own = this.#overlay(path)
    if (own !== undefined) return own
    const known = this.base.get(path)
    if (known !== undefined) return known.state
    if (this.#hidden(path)) return null
    // Nothing awaits between finding a path and looking at what is there.
    const glance = this.#glance?.path === path ? this.#glance : undefined
    this.#glance = null
    const found = await this.#site.observer.observe(path, replacing, glance).catch((error: unknown) => {
      throw asJournalError(error, 'reading', path)
    })
    if (this.#site.foldsCase) this.#checkSpelling(path, found.state !== null)
    this.base.set(path, found)
    return found.state
  }

  #look(path: string): Waypoint {
    const own = this.#overlay(path)
    if (own !== undefined) return own?.kind === 'symlink' ? { kind: 'symlink', target: own.target } : own
    if (this.#hidden(path)) return null
    if (this.folders.has(path)) return { kind: 'dir' }
    const { disk } = this.#site.observer
    const absolute = this.#site.observer.absolute(path)
    const glance = this.#site.observer.glance(path)
    this.#glance = glance
    const { stat } = glance
    if (stat === null) return null
    if (this.#site.foldsCase) this.#checkSpelling(path, true)
    if (stat.kind === 'symlink') return { kind: 'symlink', target: disk.readLink(absolute) }
    if (stat.kind === 'dir') {
      this.folders.add(path)
      this.#site.folders.note(path, stat)
    }
    return { kind: stat.kind }
  }

  #resolve(given: string, options: ResolveOptions): string {
    try {
      return resolvePath(this.#site.observer.root, given, (path) => this.#look(path), options)
    } catch (error) {
      throw asJournalError(error, 'finding the path', given)
    }
  }

  /** On a file system that folds case, two spellings of one name would be taken for two files. */
  #checkSpelling(path: string, exists: boolean): void {
    const key = path.normalize('NFC').toLowerCase()
    const seen = this.#spellings.get(key)
    const folder = this.#site.observer.absolute(parentOf(path))
    const names = exists ? this.#site.observer.disk.readDirectory(folder).map(({ name }) => name) : []
    const other =
      seen !== undefined && seen !== path
        ? seen
        : exists && !names.includes(nameOf(path))
          ? names.find((name) => name.normalize('NFC').toLowerCase() === nameOf(path).normalize('NFC').toLowerCase())
          : undefined
    if (other !== undefined) {
      throw new JournalError(
        'INVALID',
        `${path} differs from ${other} only in case, and this file system takes them for one`,
        {
          hint: `Use the spelling ${other}, or rename that file first.`,
          path,
        },
      )
    }
    this.#spellings.set(key, path)
  }

  async #bytes(path: string, state: FileState): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    for await (const chunk of this.#chunks(path, state)) parts.push(Uint8Array.prototype.slice.call(chunk))
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
  }

  async *#chunks(path: string, state: FileState): AsyncGenerator<Uint8Array> {
    const source = this.#sources.get(state.hash)
    if (source !== undefined) {
      yield* this.#chunksOf(state.hash, source)
      return
    }
    // The file that was observed, wherever this transaction moved it meanwhile.
    const origin = hashOf(this.base.get(path)?.state ?? null) === state.hash ? path : this.#originOf(state.hash)
    if (origin === undefined) {
      yield* this.#site.contents.stream(state.hash)
      return
    }
    const { disk } = this.#site.observer
    const handle = disk.open(this.#site.observer.absolute(origin), 'read')
    try {
      yield* readChunks(disk, handle)
    } finally {
      disk.close(handle)
    }
  }

  #originOf(hash: ContentHash): string | undefined {
    for (const [path, { state }] of this.base) if (hashOf(state) === hash) return path
    return undefined
  }

  async *#chunksOf(hash: ContentHash, source: ContentSource): AsyncGenerator<Uint8Array> {
    if (source.at === 'memory') yield source.bytes
    else if (source.at === 'stored') yield* this.#site.contents.stream(hash)
    else {
      const { disk } = this.#site.observer
      const handle = disk.open(source.file, 'read')
      try {
        yield* readChunks(disk, handle)
      } finally {
        disk.close(handle)
      }
    }
  }
}

function groupOf(gid: number | null): { gid?: number } {
  return gid === null ? {} : { gid }
}

function checkedMode(mode: number, path: string): number {
  if (!Number.isInteger(mode) || mode < 0 || mode > PERMISSIONS) {
    throw new JournalError('INVALID', `${shown(mode)} is not a file mode`, {
      hint: 'Give permission bits, 0o000 to 0o7777.',
      path,
    })
  }
  return mode
}

function notFound(path: string): JournalError {
  return new JournalError('NOT_FOUND', `there is no ${path}`, {
    hint: 'Check the spelling; paths are relative to the workspace.',
    path,
  })
}

function notAFile(path: string): JournalError {
  return new JournalError('INVALID', `${path} is not a file`, { hint: 'Name a file.', path })
}
