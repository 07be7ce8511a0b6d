import { readSmallFile } from '../disk/file.ts'
import type { CommitKind, Meta } from '../entry/commit.ts'
import { isSystemError, JournalError, withJournalErrors } from '../errors.ts'
import { stampOf } from '../history/file-stamp.ts'
import type { HistoryIndex } from '../history/history-index.ts'
import { scopesOf } from '../history/path-scope.ts'
import type { TransactionOptions } from '../journal-types.ts'
import { maxPayloadOf } from '../log/log-writer.ts'
import { metaOf } from '../meta.ts'
import { type OpenOptions, progressOf } from '../options.ts'
import { relativePath } from '../relative-path.ts'
import type { ValidationLevel } from '../safety/validation/level.ts'
import type { Store } from '../store/opening.ts'
import type { AdoptOperation } from '../transaction/operation.ts'
import type { Receipt } from '../transaction/receipt.ts'
import type { Transaction } from '../transaction/transaction.ts'
import { timesTell } from '../workspace/observer.ts'
import { type Collected, type CollectRequest, MAX_FILE_BYTES, NAMES } from './collect-options.ts'
import { Comparison } from './comparison.ts'
import type { Difference } from './difference.ts'
import { hashTogether } from './hash-threads.ts'
import type { HashFiles } from './hashing.ts'
import { IgnoreRules, RULE_FILES } from './ignore-rules.ts'
import { type LeftOutReason, Tally } from './left-out.ts'
import { type Moves, movesAmong } from './moves.ts'

/** What collecting asks of the journal that it belongs to. */
export interface CollectorHost {
  /** @throws JournalError when the journal is closed, or open for reading only */
  readonly writing: () => unknown
  readonly begin: (meta: Meta, kind: CommitKind, of?: string, validation?: ValidationLevel) => Transaction
}

/** Of one transaction. */
const MOST_CHANGES = 100_000
/** A baseline is divided: nobody takes it back, and memory follows the size of a part. */
const BASELINE_CHANGES = 20_000
const BASELINE_BYTES = 64 * 1024 * 1024
/** About what an entry takes in the log besides its path. */
const ENTRY_BYTES = 200
/** How often a transaction is begun anew without the files that changed meanwhile. */
const ATTEMPTS = 10
/** Paths that were left out for what they were then, and are remembered. */
const REMEMBERED = 10_000
const MAX_RULES_BYTES = 16 * 1024 * 1024

/** Takes what is different from the journal's record into the history. */
export class Collector {
  readonly #store: Store
  readonly #index: HistoryIndex
  readonly #options: OpenOptions
  readonly #host: CollectorHost
  readonly #hashFiles: HashFiles
  /** Was there when it was last looked at, and was left out: it is not made by whoever comes next. */
  readonly #refused = new Set<string>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(store: Store, index: HistoryIndex, options: OpenOptions, host: CollectorHost, hashFiles = hashTogether) {
    this.#store = store
    this.#index = index
    this.#options = options
    this.#host = host
    this.#hashFiles = hashFiles
  }

  /** One after another: two that look at the same time would find the same. */
  collect(request: CollectRequest): Promise<Collected> {
    const turn = this.#turn.then(() =>
      withJournalErrors('collecting', () => {
        this.#host.writing()
        return this.#collect(request)
      }),
    )
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #collect(request: CollectRequest): Promise<Collected> {
    const { disk, layout } = this.#store
    const { root } = layout
    const head = await this.#index.head()
    const baseline = request.baseline ?? head.seq === 0
    const tally = new Tally(request.names ?? NAMES)
    const rules = new IgnoreRules((path) => this.readRules(path), {
      patterns: request.ignore ?? [],
      gitignore: request.gitignore !== false,
      defaults: request.defaults !== false,
    })
    const comparison = new Comparison({
      index: this.#index,
      disk,
      root,
      rules,
      tally: this.#remembering(tally),
      maxFileBytes: request.maxFileBytes ?? MAX_FILE_BYTES,
      hashFiles: this.#hashFiles,
      ...progressOf(this.#options),
    })
    const run: Run = { request: withMessage(request, baseline), baseline, tally, receipts: [] }
    const scopes = scopesOf(request.paths?.map((path) => relativePath(root, path)))
    const limit = partLimit(baseline, this.#options.segmentSize)
    let part: Difference[] = []
    let bytes = 0
    let record = 0
    for await (const difference of comparison.differences(scopes)) {
      part.push(difference)
      bytes += difference.stat?.kind === 'file' ? difference.stat.size : 0
      record += ENTRY_BYTES + 3 * difference.path.length
      if (part.length < limit.changes && bytes < limit.bytes && record < limit.record) continue
      await this.#record(part, run)
      part = []
      bytes = 0
      record = 0
    }
    await this.#record(part, run)
    const { receipts } = run
    return { receipt: receipts.at(-1) ?? null, receipts, leftOut: tally.summary(), looked: comparison.looked }
  }

  /** Counts, and remembers what may become something that is not left out. */
  #remembering(tally: Tally): Tally {
    const add = tally.add.bind(tally)
    tally.add = (reason: LeftOutReason, path: string): void => {
      add(reason, path)
      if (!['size', 'kind', 'unreadable', 'name', 'busy'].includes(reason)) return
      if (this.#refused.size < REMEMBERED) this.#refused.add(path)
    }
    return tally
  }

  /** The rules in a file of the workspace; null when there are none. */
  readRules(path: string): string | null {
    const { disk, layout } = this.#store
    try {
      const file = `${layout.root}/${path}`
      const stat = disk.lstat(file)
      if (stat?.kind !== 'file' || stat.size > MAX_RULES_BYTES) return null
      const bytes = readSmallFile(disk, file)
      return bytes === null ? null : Buffer.from(bytes).toString('utf8')
    } catch (error) {
      // As in git, rules that cannot be read are none.
      if (isSystemError(error)) return null
      throw error
    }
  }

  /** Brings differences into the history. What changes under its hands is left for the next time, and reported. */
  async #record(part: readonly Difference[], run: Run): Promise<void> {
    let wanted = part
    for (let attempt = 1; wanted.length > 0; attempt += 1) {
      const moves = run.baseline
        ? NO_MOVES
        : await movesAmong(wanted, this.#store.disk, this.#store.layout.root, this.#hashFiles)
      const standing = run.baseline ? null : await this.#formerlyIgnored(wanted, run.request)
      const { request } = run
      const transaction = this.#host.begin(metaOf(request), 'adopt', undefined, request.validation)
      const refused = new Map<string, LeftOutReason>()
      try {
        for (const operation of this.#operations(wanted, moves, run, standing)) {
          await transaction.perform(operation).catch((error: unknown) => {
            const reason = reasonOf(error)
            if (reason === null) throw error
            refused.set(operation.path, reason)
          })
        }
        for (const [path, reason] of refused) run.tally.add(reason, path)
        wanted = wanted.filter(({ path }) => !refused.has(path))
        if (transaction.size === 0) return await transaction.abort()
        const receipt = await transaction.commit()
        run.receipts.push(receipt)
        for (const { path } of wanted) this.#refused.delete(path)
        await this.#stamp(wanted, receipt)
        return
      } catch (error) {
        await transaction.abort()
        if (error instanceof JournalError && error.details?.nothing === true) return
        const busy = this.#busy(wanted, error)
        if (busy.size === 0 || attempt === ATTEMPTS) throw error
        for (const path of busy) run.tally.add('busy', path)
        wanted = wanted.filter(({ path }) => !busy.has(path))
      }
    }
  }

  *#operations(
    differences: readonly Difference[],
    moves: Moves,
    { baseline }: Run,
    ignored: ReadonlySet<string> | null,
  ): Generator<AdoptOperation> {
    const sources = new Set([...moves.values()].map(({ path }) => path))
    for (const difference of differences) {
      const { path, recorded } = difference
      const source = moves.get(difference)
      if (source !== undefined) {
        const moved = { from: source.path, recorded: source.recorded ?? null }
        yield { op: 'adopt', path, recorded: recorded ?? null, moved }
        continue
      }
      if (sources.has(path)) continue
      if (recorded === undefined && (baseline || this.#refused.has(path) || ignored?.has(path) === true))
        yield { op: 'adopt', path, recorded: null, standing: true }
      else yield { op: 'adopt', path, recorded: recorded ?? null }
    }
  }

  /**
   * Paths that the rules took in only since they were changed: `dist` was there all the time, when somebody took it out of `.gitignore`. What is among the
   * differences tells which rules those are.
   */
  async #formerlyIgnored(
    differences: readonly Difference[],
    request: CollectRequest,
  ): Promise<ReadonlySet<string> | null> {
    const files = request.gitignore === false ? RULE_FILES.slice(1) : RULE_FILES
    const before = new Map<string, string | null>()
    for (const { path, recorded } of differences) {
      if (!files.some((name) => path === name || path.endsWith(`/${name}`))) continue
      before.set(path, recorded?.kind === 'file' ? await this.#recordedText(recorded.hash) : null)
    }
    if (before.size === 0) return null
    const rules = new IgnoreRules((path) => (before.has(path) ? (before.get(path) ?? null) : this.readRules(path)), {
      patterns: request.ignore ?? [],
      gitignore: request.gitignore !== false,
      defaults: request.defaults !== false,
    })
    const ignored = differences.filter(
      ({ path, recorded, stat }) => recorded === undefined && rules.reasonBelow(path, stat?.kind === 'dir') !== null,
    )
    return new Set(ignored.map(({ path }) => path))
  }

  async #recordedText(hash: string): Promise<string | null> {
    try {
      return Buffer.from(await this.#store.contents.read(hash)).toString('utf8')
    } catch (error) {
      // It was purged.
      if (error instanceof JournalError && error.code === 'NOT_FOUND') return null
      throw error
    }
  }

  /** Which of them are not as they were when they were found: it is they that were in the way. */
  #busy(differences: readonly Difference[], error: unknown): ReadonlySet<string> {
    const busy = new Set<string>()
    if (!(error instanceof JournalError) || error.code !== 'CONFLICT') return busy
    const { disk, layout } = this.#store
    for (const { path, stat } of differences) {
      if (path === error.path) busy.add(path)
      const now = disk.lstat(`${layout.root}/${path}`)
      if (now === null || stat === null ? now !== stat : now.kind !== 'dir' && stampOf(now) !== stampOf(stat))
        busy.add(path)
    }
    return busy
  }

  /** What is just recorded need not be read again by the next look: it was found between two looks at which it was the same. */
  async #stamp(differences: readonly Difference[], { seq }: Receipt): Promise<void> {
    const { disk, layout } = this.#store
    const found: { path: string; stamp: string }[] = []
    for (const { path, stat, seenNs } of differences) {
      if (stat?.kind !== 'file' || !timesTell(stat, seenNs)) continue
      const stamp = stampOf(stat)
      const now = disk.lstat(`${layout.root}/${path}`)
      if (now !== null && stampOf(now) === stamp) found.push({ path, stamp })
    }
    await this.#index.stampNew(seq, found)
  }
}

interface Run {
  readonly request: CollectRequest
  readonly baseline: boolean
  readonly tally: Tally
  readonly receipts: Receipt[]
}

const NO_MOVES: Moves = new Map()

function partLimit(
  baseline: boolean,
  segmentSize: number | undefined,
): { changes: number; bytes: number; record: number } {
  const record = 0.8 * maxPayloadOf(segmentSize)
  return baseline
    ? { changes: BASELINE_CHANGES, bytes: BASELINE_BYTES, record }
    : { changes: MOST_CHANGES, bytes: Infinity, record }
}

function withMessage(request: CollectRequest, baseline: boolean): CollectRequest & TransactionOptions {
  const { message = baseline ? 'baseline: as found in the workspace' : 'collected from the workspace' } = request
  return { ...request, message }
}

/** Why a path cannot be taken in; null for what concerns all of them. */
function reasonOf(error: unknown): LeftOutReason | null {
  if (!(error instanceof JournalError)) return null
  switch (error.code) {
    case 'CONFLICT':
      return 'busy'
    case 'PERMISSION':
      return 'unreadable'
    case 'INVALID':
      return 'kind'
    case 'PATH_OUTSIDE':
      return 'journal'
    default:
      return null
  }
}
