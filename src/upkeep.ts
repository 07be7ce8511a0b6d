import { JournalError } from './errors.ts'
import type { HistoryIndex } from './history/history-index.ts'
import { scopesOf } from './history/path-scope.ts'
import type { CompactOptions, PurgeOptions } from './journal-types.ts'
import { checkedMeta, metaOf } from './meta.ts'
import type { OpenOptions } from './options.ts'
import { relativePath } from './relative-path.ts'
import { BROKEN_DAYS, type CompactResult, compact, planCompact, redoOf } from './retention/compact.ts'
import { isLimited } from './retention/policy.ts'
import { type PurgeResult, purge, purgeResult } from './retention/purge.ts'
import { survey } from './retention/survey.ts'
import type { Store } from './store/opening.ts'
import type { Receipt } from './transaction/receipt.ts'
import type { Writer } from './writer.ts'

/** What upkeep asks of the journal that it belongs to. */
export interface UpkeepHost {
  /** @throws JournalError when the journal is closed, or open for reading only */
  readonly writer: () => Writer
  /** Null for a reader. @throws JournalError `CLOSED` */
  readonly reading: () => Writer | null
  /** Ids of open transactions. */
  readonly open: () => ReadonlySet<string>
  readonly committed: (receipt: Receipt) => void
}

/** Purge and compaction of an open journal. */
export class Upkeep {
  readonly #store: Store
  readonly #index: HistoryIndex
  readonly #options: OpenOptions
  readonly #host: UpkeepHost

  constructor(store: Store, index: HistoryIndex, options: OpenOptions, host: UpkeepHost) {
    this.#store = store
    this.#index = index
    this.#options = options
    this.#host = host
  }

  async purge(given: readonly string[], options: PurgeOptions): Promise<PurgeResult> {
    const { layout, reader, contents, format } = this.#store
    const scopes = given.length === 0 ? [''] : scopesOf(given.map((path) => relativePath(layout.root, path)))
    if (scopes.includes('')) {
      throw new JournalError('INVALID', 'a purge needs the path of a file or folder', {
        hint: 'To erase a whole history, remove .journal.',
      })
    }
    if (options.dryRun === true) {
      const until = this.#host.reading()?.log.acknowledged
      const source = { reader, journalId: format.journal, contents, ...(until === undefined ? {} : { until }) }
      return purgeResult(await survey(source, scopes), null)
    }
    const writer = this.#host.writer()
    const { actor = this.#options.actor } = options
    const meta = checkedMeta(actor === undefined ? options : { ...metaOf(options), actor })
    const result = await writer.keeper.alone(() =>
      purge(writer.retention, { paths: scopes, meta, open: this.#host.open }),
    )
    // Commits look into it for what the journal has.
    await this.#index.head()
    if (result.receipt !== null) this.#host.committed(result.receipt)
    return result
  }

  async compact(options: CompactOptions): Promise<CompactResult> {
    const { brokenDays = BROKEN_DAYS, dryRun, keepTransactions, keepDays, maxBytes } = options
    const asked = {
      ...(keepTransactions === undefined ? {} : { keepTransactions }),
      ...(keepDays === undefined ? {} : { keepDays }),
      ...(maxBytes === undefined ? {} : { maxBytes }),
    }
    const limits = isLimited(asked) ? asked : (this.#options.retention ?? {})
    if (dryRun === true) {
      const writer = this.#host.reading()
      const { seq: newest } = await this.#index.head()
      const ends = writer === null ? {} : { until: writer.log.acknowledged }
      const redo = writer === null ? redoOf(this.#store) : writer.log.end
      return planCompact(this.#store, limits, { newest, redo, ...ends })
    }
    const writer = this.#host.writer()
    return compact(writer.retention, writer.keeper, { limits, brokenDays, open: this.#host.open })
  }
}
