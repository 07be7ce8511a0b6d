import { checked, checkedPaths, checkedPoint, DIFF, HISTORY } from './arguments.ts'
import { purgedError } from './content/blob-store.ts'
import type { ChainedCommit } from './entry/commit.ts'
import { hashOf, type State } from './entry/state.ts'
import { eachWithJournalErrors, JournalError, withJournalErrors } from './errors.ts'
import { type DiffQuery, diff, type FileDiff } from './history/diff.ts'
import type { HistoryIndex } from './history/history-index.ts'
import { history } from './history/log.ts'
import { resolvePoint, resolveTransaction } from './history/point.ts'
import type { At, HistoryQuery } from './history/query.ts'
import { type ExternalChange, externalChanges } from './history/status.ts'
import type { Status } from './journal-types.ts'
import { type OpenOptions, progressOf } from './options.ts'
import { examine } from './recovery/recovery.ts'
import { NOTHING_RECOVERED, type RecoveryReport } from './recovery/report.ts'
import { relativePath } from './relative-path.ts'
import type { Store } from './store/opening.ts'
import { WriterLock } from './store/writer-lock.ts'
import { recoverySite, scanStore, type Writer } from './writer.ts'

export const READING = 'reading the history'

/** What reading asks of the journal that it belongs to. */
export interface PastHost {
  /** @throws JournalError `CLOSED` */
  readonly usable: () => void
  /** Null for a reader. */
  readonly writer: () => Writer | null
  /** Edits made behind the journal's back were found. */
  readonly external: (changes: readonly ExternalChange[]) => void
}

/** What an open journal tells of its history, and of the workspace as it is now. */
export class Past {
  readonly #store: Store
  readonly #index: HistoryIndex
  readonly #options: OpenOptions
  readonly #host: PastHost

  constructor(store: Store, index: HistoryIndex, options: OpenOptions, host: PastHost) {
    this.#store = store
    this.#index = index
    this.#options = options
    this.#host = host
  }

  history(query: HistoryQuery = {}): AsyncIterable<ChainedCommit> {
    this.#host.usable()
    const asked = checked('the query', query, HISTORY)
    return eachWithJournalErrors(READING, history(this.#index, asked, this.#store.disk.now()))
  }

  async show(tx: string | number): Promise<ChainedCommit> {
    this.#host.usable()
    return withJournalErrors(READING, async () => this.#index.commit(await resolveTransaction(this.#index, tx)))
  }

  async resolve(at: At): Promise<number> {
    this.#host.usable()
    return withJournalErrors(READING, () => resolvePoint(this.#index, checkedPoint(at), this.#store.disk.now()))
  }

  async stateAt(path: string, at: At = 'head'): Promise<State> {
    const seq = await this.resolve(at)
    const [given] = checkedPaths([path])
    const relative = relativePath(this.#store.layout.root, given as string)
    return (await withJournalErrors(READING, () => this.#index.stateAt(relative, seq))).state
  }

  async readAt(path: string, at: At = 'head'): Promise<Uint8Array> {
    return withJournalErrors(READING, async () => this.#store.contents.read(await this.#contentAt(path, at)))
  }

  async streamAt(path: string, at: At = 'head'): Promise<AsyncIterable<Uint8Array>> {
    const hash = await withJournalErrors(READING, () => this.#contentAt(path, at))
    return eachWithJournalErrors(READING, this.#store.contents.stream(hash))
  }

  diff(query: DiffQuery = {}): AsyncIterable<FileDiff> {
    this.#host.usable()
    const { disk, contents } = this.#store
    const asked = checked('the query', query, DIFF)
    return eachWithJournalErrors(READING, diff(this.#index, { disk, root: this.#store.layout.root, contents }, asked))
  }

  async status(): Promise<Status> {
    this.#host.usable()
    return withJournalErrors('looking at the workspace', () => this.#status())
  }

  async #status(): Promise<Status> {
    const { disk, layout, format } = this.#store
    const head = await this.#index.head()
    const changed: ExternalChange[] = []
    const walk = externalChanges(this.#index, disk, this.#store.layout.root, progressOf(this.#options))
    let step = await walk.next()
    for (; !step.done; step = await walk.next()) changed.push(step.value)
    const writer = this.#host.writer() === null ? WriterLock.holder(disk, layout.lock) : { pid: process.pid }
    const inFlight = this.#host.writer() === null && writer === null ? (await this.planRecovery('replay')).replayed : []
    if (changed.length > 0) this.#host.external(changed)
    return {
      journal: format.journal,
      root: this.#store.layout.root,
      seq: head.seq,
      chain: head.chain,
      time: head.time,
      writer,
      needsRecovery: inFlight.length > 0,
      inFlight,
      changed,
      tracked: step.value,
    }
  }

  async planRecovery(mode: 'replay' | 'revert'): Promise<RecoveryReport> {
    this.#host.usable()
    if (this.#host.writer() !== null) return NOTHING_RECOVERED
    return withJournalErrors('planning a recovery', async () => {
      const scan = scanStore(this.#store, this.#options)
      const { plan } = await examine(recoverySite(this.#store, this.#index, process.umask(), false), scan, mode)
      return plan.report
    })
  }

  async #contentAt(path: string, at: At): Promise<string> {
    const state = await this.stateAt(path, at)
    if (state?.kind === 'file') {
      await this.refusePurged(path, state)
      return state.hash
    }
    throw new JournalError('NOT_FOUND', `the journal has no file ${path} at ${String(at)}`, {
      hint: `'journal log ${path}' shows when it was written.`,
      path,
    })
  }

  /** @throws JournalError for a content that was purged */
  async refusePurged(path: string, state: State): Promise<void> {
    const hash = hashOf(state)
    const by = hash === null ? null : await this.#store.contents.purgedBy(hash)
    if (hash !== null && by !== null) throw purgedError(hash, by, path)
  }
}
