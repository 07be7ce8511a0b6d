import type { BlobStore } from '../content/blob-store.ts'
import { hashFile } from '../content/hash.ts'
import { reading } from '../disk/file.ts'
import { chainCommit, type Head } from '../entry/chain.ts'
import { encodeCommit } from '../entry/codec.ts'
import type { ChainedCommit, Commit, CommitKind, Meta } from '../entry/commit.ts'
import { encodeTerm } from '../entry/control.ts'
import { effectsOf } from '../entry/effects.ts'
import { changesOf, type Entry } from '../entry/entry.ts'
import { type FileState, hashOf, sameState } from '../entry/state.ts'
import { asJournalError, JournalError } from '../errors.ts'
import type { Durability, LogWriter, NewFrame } from '../log/log-writer.ts'
import type { Position } from '../log/position.ts'
import type { Change, Surprise } from '../workspace/change.ts'
import { Materialization, type Site } from '../workspace/materialization.ts'
import { NOTHING_OBSERVED } from '../workspace/observer.ts'
import { parentOf } from '../workspace/safe-path.ts'
import { mayBeSynced } from '../workspace/staged-file.ts'
import type { Draft } from './draft.ts'
import { Gate } from './gate.ts'
import { GatheredContents, type Gathering } from './gathered-contents.ts'
import type { FileReceipt, Receipt } from './receipt.ts'

export interface CommitRequest {
  readonly tx: string
  readonly kind: CommitKind
  readonly of?: string | undefined
  readonly meta: Meta
  readonly draft: Draft
  readonly durability: Durability
}

/** A commit that stands in the log and is not wholly in the workspace yet. */
interface InFlight {
  readonly start: Position
  readonly before: Head
}

export interface CommitterOptions {
  readonly site: Site
  readonly log: LogWriter
  readonly head: Head
  /** Facts of this writer, for the term frame before its first commit. */
  readonly writer: { readonly pid: number; readonly host: string }
  /** Contents up to this many bytes go into the log. */
  readonly inline: number
  readonly onConflict: (tx: string, path: string) => void
  /** Called with what a commit brings, before any of it is kept. @throws JournalError `NO_SPACE` */
  readonly admit?: Gathering['admit']
  /** Called when that was refused, before it is tried once more. */
  readonly makeRoom?: (needed: number) => Promise<void>
  /** Null, unless work in the background would never get its turn beside commits that follow each other without a pause. */
  readonly giveWay?: () => Promise<void> | null
}

/** A commit that has no place in the history yet. */
type Unplaced = Pick<Commit, 'tx' | 'kind' | 'entries'> & {
  readonly [K in keyof Meta | 'of']?: Commit[K] | undefined
}

/** Every key in the same order: all commits have one shape, however little is said of them. */
function commitOf(unplaced: Unplaced, seq: number, time: number, done: number): Writable<ChainedCommit> {
  const { tx, kind, of, actor, message, tags, parent, entries } = unplaced
  return { tx, seq, time, kind, of, actor, message, tags, parent, done, entries, chain: '' } as Writable<ChainedCommit>
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** More than an entry takes in the log besides its texts. */
const ENTRY_BYTES = 512

/** Fewer files than this are staged before the log is written: a blocking sync takes less time than another thread. */
const BESIDE_FILES = 4
const BESIDE_BYTES = 8 * 1024 * 1024
/** On the file system of the journal. */
const AMPLE_SPACE = 256 * 1024 * 1024

/** Where recovery may begin, and what a checkpoint must make durable first. */
export interface CheckpointBasis {
  readonly redo: Position
  readonly head: Head
  readonly files: ReadonlySet<string>
  readonly folders: ReadonlySet<string>
  readonly clean: boolean
}

/** Brings evaluated transactions into the log and then into the workspace. */
export class Committer {
  /** For work that needs all commits to stand still. */
  readonly gate = new Gate()
  readonly #options: CommitterOptions
  readonly #inFlight = new Map<number, InFlight>()
  #head: Head
  #files = new Set<string>()
  #folders = new Set<string>()
  /** Files that were made durable by what made them unreadable, since the last checkpoint began. */
  #lockedAway = new Set<string>()
  #termWritten = false
  #done: number
  #preparing = 0
  #horizon: string | null = null

  constructor(options: CommitterOptions) {
    this.#options = options
    this.#head = options.head
    this.#done = options.head.seq
  }

  get head(): Head {
    return this.#head
  }

  /** The next commit names this horizon: that is what the chain holds it by. */
  name(horizon: string | null): void {
    this.#horizon = horizon
  }

  /** Has anything been committed, or recovered, since it was made? */
  get touched(): boolean {
    return this.#termWritten || this.#files.size + this.#folders.size > 0
  }

  /**
   * The caller holds the locks, and the draft is fresh. Resolves when the transaction is durable and in the workspace; when it throws,
   * the workspace is as it was.
   */
  async commit(request: CommitRequest): Promise<Receipt> {
    this.#preparing += 1
    try {
      const turn = this.#options.giveWay?.() ?? null
      if (turn !== null) await turn
      return await this.gate.shared(() => this.#commit(request))
    } catch (error) {
      const needed = error instanceof JournalError && error.code === 'NO_SPACE' ? error.details?.needed : undefined
      if (typeof needed !== 'number' || this.#options.makeRoom === undefined) throw error
      // Outside of the gate, where nothing of it is begun.
      await this.#options.makeRoom(needed)
      return await this.gate.shared(() => this.#commit(request))
    } finally {
      this.#preparing -= 1
    }
  }

  /** How many transactions are on their way into the log, besides those that are there or wait for it. */
  get preparing(): number {
    return this.#preparing - 1
  }

  async #commit(request: CommitRequest): Promise<Receipt> {
    const { draft, tx } = request
    const { site } = this.#options
    const { entries } = draft
    const changes: Change[] = []
    for (const effect of effectsOf(entries)) {
      const observed = draft.base.get(effect.path) ?? NOTHING_OBSERVED
      // Adopting takes note of what is there already.
      if (!sameState(observed.state, effect.after)) changes.push({ ...effect, observed })
    }
    this.#checkFolders(changes, draft.folders)
    this.#checkSize(request)
    const gathered = await GatheredContents.gather(
      {
        tx,
        observer: site.observer,
        contents: site.contents,
        staging: site.staging,
        base: draft.base,
        source: (hash) => draft.source(hash),
        inline: this.#options.inline,
        admit: this.#options.admit,
      },
      entries,
      (path) => leaves(changes, path),
    )
    const materialization = new Materialization({ ...site, folders: draft.facts }, tx, changes, (hash) =>
      gathered.source(hash),
    )
    let placed: ChainedCommit
    let staging: Promise<void> | null = null
    const stageBeside = (): void => {
      staging = materialization.stage()
      staging.catch(() => undefined)
    }
    try {
      const beside = this.#stagesBeside(request, changes, gathered)
      if (!beside) await materialization.stage()
      placed = await this.#log(request, gathered, beside ? stageBeside : undefined)
    } catch (error) {
      await (staging as Promise<void> | null)?.catch(() => undefined)
      materialization.discard()
      throw asJournalError(error, 'committing')
    } finally {
      gathered.release()
    }
    try {
      await (staging as Promise<void> | null)?.catch((error: unknown) => {
        materialization.discard()
        throw error
      })
      await materialization.apply()
    } catch (error) {
      // What was taken back is another inode, or has its name anew.
      this.#dirty(changes.map((change) => ({ ...change, after: change.before })))
      await this.#compensate(request, placed, materialization, error)
    }
    await this.#keepSurprises(tx, materialization.surprises)
    // Done. What is left in staging of a transaction that is done, the next recovery drops.
    await materialization.finish().catch(() => undefined)
    this.#dirty(changes)
    this.#inFlight.delete(placed.seq)
    return { tx, seq: placed.seq, chain: placed.chain, files: receiptFiles(entries) }
  }

  /** Appends a commit that changes nothing in the workspace: what it says is there already. */
  async record(
    commit: Pick<Commit, 'tx' | 'kind' | 'entries'> & Meta & { readonly of?: string },
    contents: GatheredContents | null,
    durability: Durability = 'full',
  ): Promise<ChainedCommit> {
    const placed = await this.#append(commit, contents, durability)
    this.#inFlight.delete(placed.seq)
    return placed
  }

  /** Takes over what a recovery put into the workspace, so that the next checkpoint makes it durable. */
  dirty(files: Iterable<string>, folders: Iterable<string>): void {
    for (const file of files) if (!this.#lockedAway.has(file)) this.#files.add(file)
    for (const folder of folders) this.#folders.add(folder)
  }

  /** Is a file durable that a checkpoint, begun before it became unreadable, cannot open? */
  isLockedAway(file: string): boolean {
    return this.#lockedAway.has(file)
  }

  /** What a checkpoint begun now must cover. What is committed from now on belongs to the next one. */
  beginCheckpoint(): CheckpointBasis {
    const oldest = [...this.#inFlight.values()].reduce<InFlight | null>(
      (first, flight) => (first === null || flight.start < first.start ? flight : first),
      null,
    )
    const basis = {
      redo: oldest?.start ?? this.#options.log.end,
      head: oldest?.before ?? this.#head,
      files: this.#files,
      folders: this.#folders,
      clean: oldest === null,
    }
    this.#files = new Set()
    this.#folders = new Set()
    this.#lockedAway = new Set()
    return basis
  }

  /** `checked`: folders that were looked at just now. */
  #checkFolders(changes: readonly Change[], checked: ReadonlySet<string>): void {
    // The check that matters is made again, on the pinned folder, when the file is put in place.
    const { observer } = this.#options.site
    const unchecked = new Set<string>()
    for (const { path } of changes) {
      const folder = parentOf(path)
      if (folder !== '' && !checked.has(folder)) unchecked.add(folder)
    }
    for (const folder of unchecked) {
      if (changes.some(({ path, after }) => path === folder && after?.kind === 'dir')) continue
      const stat = observer.disk.lstat(observer.absolute(folder))
      if (stat === null || stat.kind === 'dir') continue
      throw new JournalError('CONFLICT', `${folder} is no folder any more`, { hint: 'Try again.', path: folder })
    }
  }

  /** Refuses what would not fit into a frame, while nothing is written. */
  #checkSize({ tx, kind, meta, draft }: CommitRequest): void {
    let texts = 0
    for (const entry of draft.entries) {
      texts += entry.path.length
      if (entry.op === 'edit')
        for (const { oldText, newText } of entry.edits ?? []) texts += oldText.length + newText.length
      if (entry.op === 'patch') texts += entry.patch?.length ?? 0
    }
    const { maxPayload } = this.#options.log
    if (draft.entries.length * ENTRY_BYTES + 4 * texts < maxPayload / 2) return
    const { body, words } = encodeCommit({ ...meta, tx, kind, seq: 0, time: 0, done: 0, entries: draft.entries })
    const size = words.reduce((sum, { byteLength }) => sum + byteLength + 8, body.byteLength)
    if (size + ENTRY_BYTES < maxPayload) return
    throw new JournalError(
      'INVALID',
      `transaction ${tx} takes ${size} bytes in the log without its contents, more than a frame holds`,
      {
        hint: 'Split it into smaller ones, or write whole files instead of editing texts of many megabytes.',
        tx,
      },
    )
  }

  /**
   * May the files be staged while the log is on its way to stable storage? Where that cannot fail for want of space, and there are enough of them that
   * it is worth another thread: a failure would have to be taken back in the log.
   */
  #stagesBeside({ durability }: CommitRequest, changes: readonly Change[], gathered: GatheredContents): boolean {
    if (durability !== 'full' || changes.length < BESIDE_FILES) return false
    let bytes = 0
    for (const { after } of changes) {
      if (after?.kind !== 'file') continue
      if (gathered.source(after.hash).at !== 'memory') return false
      bytes += after.size
    }
    const { staging, observer } = this.#options.site
    return bytes <= BESIDE_BYTES && observer.disk.freeSpace(staging) > AMPLE_SPACE
  }

  async #log(
    request: CommitRequest,
    gathered: GatheredContents,
    meanwhile: (() => void) | undefined,
  ): Promise<ChainedCommit> {
    const { tx, kind, of, meta, draft, durability } = request
    const { actor, message, tags, parent } = meta
    const { entries } = draft
    return this.#append({ tx, kind, of, actor, message, tags, parent, entries }, gathered, durability, meanwhile)
  }

  async #append(
    commit: Unplaced,
    contents: GatheredContents | null,
    durability: Durability,
    meanwhile?: () => void,
  ): Promise<ChainedCommit> {
    const { log, site, writer } = this.#options
    let placed: ChainedCommit | undefined
    const committer = this
    function* frames(): Generator<NewFrame> {
      let start: Position | null = null
      const first = (position: Position): void => {
        start ??= position
      }
      if (!committer.#termWritten) {
        const record = { term: log.term, time: site.observer.disk.now(), ...writer, boot: site.observer.disk.bootId }
        yield { kind: 'term', payload: encodeTerm(record), placed: first }
        committer.#termWritten = true
      }
      if (contents !== null) {
        for (const { kind, payload, placed: frame } of contents.frames()) {
          const both = (position: Position): void => {
            first(position)
            frame?.(position)
          }
          yield { kind, payload, placed: both }
        }
      }
      const before = committer.#head
      const seq = before.seq + 1
      const time = Math.max(before.time, Math.floor(site.observer.disk.now()))
      const whole = commitOf(commit, seq, time, committer.#settled(before.seq))
      if (committer.#horizon !== null) whole.horizon = committer.#horizon
      committer.#horizon = null
      const chained = chainCommit(before, whole)
      const settle = (position: Position): void => {
        first(position)
        committer.#inFlight.set(seq, { start: start ?? position, before })
      }
      yield { kind: 'commit', payload: chained.payload, placed: settle }
      committer.#head = chained.head
      whole.chain = chained.head.chain
      placed = whole
    }
    const size = (contents?.size ?? 0) + 512 + commit.entries.length * 256
    await log.append({ frames: frames(), size, durability, meanwhile })
    if (placed === undefined) throw new RangeError('the log took a commit that was never made')
    return placed
  }

  /** The batch is durable but could not be put in place, and the workspace is as it was: say so in the log too. */
  async #compensate(
    request: CommitRequest,
    placed: ChainedCommit,
    materialization: Materialization,
    error: unknown,
  ): Promise<never> {
    const failure = asJournalError(error, 'writing the workspace')
    if (materialization.rollBackFailure !== null) {
      const poison = new JournalError(
        'POISONED',
        `transaction ${request.tx} is half in the workspace: ${failure.message}`,
        {
          hint: 'Remove the cause, then open the journal again: recovery completes the transaction.',
          tx: request.tx,
          cause: materialization.rollBackFailure,
        },
      )
      this.#options.log.poisonWith(poison)
      throw poison
    }
    const entries = effectsOf(placed.entries).map(
      ({ path, before, after }): Entry => ({ op: 'put', path, before: after, after: before }),
    )
    const { actor } = request.meta
    try {
      await this.ownBlobs(entries)
      await this.record(
        {
          tx: `${request.tx.slice(0, 13)}rev`,
          kind: 'revert',
          of: request.tx,
          ...(actor === undefined ? {} : { actor }),
          message: `could not be written: ${failure.message}`,
          entries: entries.reverse(),
        },
        null,
      )
    } catch (cause) {
      // The log says that the transaction is there, and the workspace that it is not: nothing may build on that.
      const poison = new JournalError(
        'POISONED',
        `transaction ${request.tx} could neither be written nor be taken back in the log`,
        {
          hint: 'Remove the cause, then open the journal again: recovery completes the transaction.',
          tx: request.tx,
          cause,
        },
      )
      this.#options.log.poisonWith(poison)
      throw poison
    }
    await this.#keepSurprises(request.tx, materialization.surprises)
    this.#inFlight.delete(placed.seq)
    throw new JournalError(failure.code, failure.message, {
      hint: failure.hint,
      path: failure.path,
      tx: request.tx,
      cause: failure.cause ?? failure,
    })
  }

  /** Somebody's edits that were found where the transaction wrote: into the history with them. */
  async #keepSurprises(tx: string, surprises: readonly Surprise[]): Promise<void> {
    for (const [index, surprise] of surprises.entries()) {
      const { observer } = this.#options.site
      try {
        await this.preserve(
          `${tx.slice(0, 12)}k${String(index).padStart(3, '0')}`,
          surprise.path,
          surprise.file,
          `found while committing ${tx}`,
        )
        observer.disk.unlink(surprise.file)
      } catch (cause) {
        // It is safe in staging, and recovery takes it from there as long as no checkpoint passes the transaction.
        const poison = new JournalError(
          'POISONED',
          `an edit of ${surprise.path} by somebody else could not be kept in the history`,
          {
            hint: `It is in ${surprise.file}. Remove the cause, then open the journal again: recovery keeps it.`,
            path: surprise.path,
            tx,
            cause,
          },
        )
        this.#options.log.poisonWith(poison)
        throw poison
      }
      this.#options.onConflict(tx, surprise.path)
    }
  }

  /** Blobs kept by a second name of files that then stayed in the workspace become the journal's alone. */
  async ownBlobs(entries: readonly Entry[]): Promise<void> {
    const { contents, staging } = this.#options.site
    for (const entry of entries) {
      for (const { before, after } of changesOf(entry)) {
        for (const state of [before, after]) {
          if (state?.kind === 'file' && state.size > this.#options.inline)
            await contents.blobs.own(state.hash, `${staging}/own`)
        }
      }
    }
  }

  /** Takes the content of `file` into the history as something that was found at `path`. `file` itself stays. */
  async preserve(tx: string, path: string, file: string, message: string): Promise<void> {
    const { observer, contents, staging } = this.#options.site
    const { disk } = observer
    const stat = disk.lstat(file)
    if (stat === null) return
    if (stat.kind === 'symlink') {
      const state = { kind: 'symlink', target: disk.readLink(file) } as const
      await this.record(
        { tx, kind: 'recovery', message, entries: [{ op: 'preserve', path, before: state, after: state }] },
        null,
      )
      return
    }
    if (stat.kind !== 'file') return
    const state = await keepContent(disk, contents.blobs, file, `${staging}/${tx}.p`, stat.mode)
    await this.record(
      { tx, kind: 'recovery', message, entries: [{ op: 'preserve', path, before: state, after: state }] },
      null,
    )
  }

  /** The highest number up to which no transaction is in flight; `last` was the last one. */
  #settled(last: number): number {
    while (this.#done < last && !this.#inFlight.has(this.#done + 1)) this.#done += 1
    return this.#done
  }

  #dirty(changes: readonly Change[]): void {
    for (const { path, after, movedFrom } of changes) {
      if (after?.kind === 'file') this.#dirtyFile(path, after.mode)
      if (after?.kind === 'dir') this.#folders.add(path)
      this.#folders.add(parentOf(path))
      if (movedFrom !== undefined) this.#folders.add(parentOf(movedFrom))
    }
  }

  #dirtyFile(path: string, mode: number): void {
    if (mayBeSynced(this.#options.site.observer.disk, mode)) {
      this.#files.add(path)
      this.#lockedAway.delete(path)
      return
    }
    // It is durable, with all that was written to it before: a checkpoint could not open it.
    this.#files.delete(path)
    this.#lockedAway.add(path)
  }
}

/** Copies a file among the blobs, durably. */
async function keepContent(
  disk: Site['observer']['disk'],
  blobs: BlobStore,
  file: string,
  copy: string,
  mode: number,
): Promise<FileState> {
  if (disk.lstat(copy) !== null) disk.unlink(copy)
  reading(disk, file, () => disk.clone(file, copy, 0o600))
  const handle = disk.open(copy, 'read')
  const { hash, size } = await hashFile(disk, handle).finally(() => disk.close(handle))
  if (await blobs.has(hash)) disk.unlink(copy)
  else await blobs.keep([{ hash, file: copy }])
  return { kind: 'file', hash, size, mode }
}

/** Does the file at a path leave it, for no other path? */
function leaves(changes: readonly Change[], path: string): boolean {
  const change = changes.find((other) => other.path === path)
  if (change?.before?.kind !== 'file' || changes.some(({ movedFrom }) => movedFrom === path)) return false
  return change.after?.kind !== 'file' || change.before.hash !== change.after.hash
}

/** Files and symbolic links that the entries name, with their contents before all of them and after. */
export function receiptFiles(entries: readonly Entry[]): FileReceipt[] {
  const files = new Map<string, { before: string | null; after: string | null }>()
  for (const entry of entries) {
    for (const { path, before, after } of changesOf(entry)) {
      if ((before ?? after)?.kind === 'dir' && (after ?? before)?.kind === 'dir') continue
      const known = files.get(path)
      if (known === undefined) files.set(path, { before: hashOf(before), after: hashOf(after) })
      else known.after = hashOf(after)
    }
  }
  return [...files].map(([path, hashes]) => Object.freeze({ path, ...hashes }))
}
