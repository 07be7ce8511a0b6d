import { chainCommit, type Head } from '../entry/chain.ts'
import type { ChainedCommit, Commit, CommitKind, Meta, Of } from '../entry/commit.ts'
import { encodeTerm } from '../entry/control.ts'
import { effectsOf } from '../entry/effects.ts'
import { changesOf, type Entry } from '../entry/entry.ts'
import { sameState } from '../entry/state.ts'
import { asJournalError, JournalError } from '../errors.ts'
import type { Durability, LogWriter, NewFrame } from '../log/log-writer.ts'
import type { Position } from '../log/position.ts'
import type { Change, Surprise } from '../workspace/change.ts'
import { Materialization, type Site } from '../workspace/materialization.ts'
import { NOTHING_OBSERVED } from '../workspace/observer.ts'
import { checkFolders, checkSize, leaves } from './commit-checks.ts'
import { DirtyPaths } from './dirty-paths.ts'
import type { Draft } from './draft.ts'
import { Gate } from './gate.ts'
import { GatheredContents, type Gathering } from './gathered-contents.ts'
import { InFlight } from './in-flight.ts'
import { preserved } from './preservation.ts'
import { type Receipt, receiptFiles } from './receipt.ts'
import { savedBy } from './revision.ts'
import { commitOf, type Unplaced } from './unplaced-commit.ts'

export interface CommitRequest {
  readonly tx: string
  readonly kind: CommitKind
  readonly of?: Of | undefined
  readonly meta: Meta
  readonly draft: Draft
  readonly durability: Durability
}

export interface CommitterOptions {
  readonly site: Site
  readonly log: LogWriter
  readonly head: Head
  /** Facts of this writer, for the term frame before its first commit. */
  readonly writer: { readonly pid: number; readonly host: string }
  /** Contents up to this many bytes go into the log. */
  readonly inline: number
  /** Called before an entry is written that older formats have not; null: nothing is to be done. */
  readonly allow?: (brought: 'revise' | 'note') => Promise<void> | null
  readonly onConflict: (tx: string, path: string) => void
  /** Called with what a commit brings, before any of it is kept. @throws JournalError `NO_SPACE` */
  readonly admit?: Gathering['admit']
  /** Called when that was refused, before it is tried once more. */
  readonly makeRoom?: (needed: number) => Promise<void>
  /** Null, unless work in the background would never get its turn beside commits that follow each other without a pause. */
  readonly giveWay?: () => Promise<void> | null
}

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
  readonly #inFlight: InFlight
  #head: Head
  readonly #dirty: DirtyPaths
  #termWritten = false
  #preparing = 0
  #horizon: string | null = null

  constructor(options: CommitterOptions) {
    this.#options = options
    this.#dirty = new DirtyPaths(options.site.observer.disk)
    this.#head = options.head
    this.#inFlight = new InFlight(options.head.seq)
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
    return this.#termWritten || this.#dirty.any
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
    checkFolders(site.observer, changes, draft.folders)
    checkSize(request, this.#options.log.maxPayload)
    for (const brought of ['revise', 'note'] as const)
      if (entries.some(({ op }) => op === brought)) await this.#options.allow?.(brought)
    const gathered = await GatheredContents.gather(
      {
        tx,
        observer: site.observer,
        contents: site.contents,
        staging: site.staging,
        mark: site.mark,
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
      // First of all: new files get the inodes that it frees, still warm.
      site.reaper.sweep()
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
      // The log looked at the fence behind its sync.
      await materialization.apply(staging === null)
    } catch (error) {
      // What was taken back is another inode, or has its name anew.
      this.#dirty.note(changes.map((change) => ({ ...change, after: change.before })))
      await this.#compensate(request, placed, materialization, error)
    }
    await this.#keepSurprises(tx, materialization.surprises)
    // Done. What is left in staging of a transaction that is done, the next recovery drops.
    await materialization.finish().catch(() => undefined)
    this.#dirty.note(changes)
    this.#inFlight.end(placed.seq)
    const { revisions } = draft
    const revised = revisions.length === 0 ? {} : { revisions, saved: savedBy(revisions) }
    return { tx, seq: placed.seq, chain: placed.chain, files: receiptFiles(entries), ...revised }
  }

  /** Appends a commit that changes nothing in the workspace: what it says is there already. */
  async record(
    commit: Pick<Commit, 'tx' | 'kind' | 'entries'> & Meta & { readonly of?: string },
    contents: GatheredContents | null,
    durability: Durability = 'full',
  ): Promise<ChainedCommit> {
    const placed = await this.#append(commit, contents, durability)
    this.#inFlight.end(placed.seq)
    return placed
  }

  /** Takes over what a recovery put into the workspace, so that the next checkpoint makes it durable. */
  dirty(files: Iterable<string>, folders: Iterable<string>): void {
    this.#dirty.add(files, folders)
  }

  /** Is a file durable that a checkpoint, begun before it became unreadable, cannot open? */
  isLockedAway(file: string): boolean {
    return this.#dirty.isLockedAway(file)
  }

  /** What a checkpoint begun now must cover. What is committed from now on belongs to the next one. */
  beginCheckpoint(): CheckpointBasis {
    const { oldest } = this.#inFlight
    return {
      redo: oldest?.start ?? this.#options.log.end,
      head: oldest?.before ?? this.#head,
      ...this.#dirty.take(),
      clean: oldest === null,
    }
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
      const whole = commitOf(commit, seq, time, committer.#inFlight.settled(before.seq))
      if (committer.#horizon !== null) whole.horizon = committer.#horizon
      committer.#horizon = null
      const chained = chainCommit(before, whole)
      const settle = (position: Position): void => {
        first(position)
        committer.#inFlight.begin(seq, { start: start ?? position, before })
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
    this.#inFlight.end(placed.seq)
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
    const state = await preserved(this.#options.site, tx, file)
    if (state === null) return
    await this.record(
      { tx, kind: 'recovery', message, entries: [{ op: 'preserve', path, before: state, after: state }] },
      null,
    )
  }
}
