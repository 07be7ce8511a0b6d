import type { FSWatcher } from 'chokidar'
import type { Disk } from '../disk/disk.ts'
import { asJournalError, type JournalError } from '../errors.ts'
import type { TransactionOptions } from '../journal-types.ts'
import type { Collected, CollectRequest, ScopeOptions } from './collect-options.ts'
import { IgnoreRules, RULE_FILES } from './ignore-rules.ts'
import { PendingChanges } from './pending-changes.ts'

export interface WatchOptions extends ScopeOptions, TransactionOptions {
  /** Changes belong together until nothing has changed for so long. Default 1000. */
  readonly quietMs?: number
  /** But no longer than this. Default 10 000. A file that is being written all the time is waited for six times as long. */
  readonly maxWaitMs?: number
  /** How often all of the workspace is compared, for what was missed. Default 10 minutes; 0: never. */
  readonly compareMs?: number
  /** Look at all files again and again instead of asking the system for events: for network file systems. */
  readonly polling?: boolean
  /** Called with what was collected, when it was something. */
  readonly onCollected?: (collected: Collected) => void
  /** Called with what went wrong. It goes on watching; what was not recorded is found by the next look. */
  readonly onError?: (error: JournalError) => void
}

/** What watching asks of the journal that it belongs to. */
export interface WatchHost {
  readonly disk: Disk
  readonly root: string
  readonly readRules: (path: string) => string | null
  readonly collect: (request: CollectRequest) => Promise<Collected>
  /** Does a command run under the journal? What it changes is its own. */
  readonly isRunning: () => boolean
  readonly closed: (watch: Watch) => void
}

const QUIET_MS = 1000
const MAX_WAIT_MS = 10_000
const COMPARE_MS = 600_000
/** Between two looks at a file that must be alike. */
const STABLE_MS = 50
/** After a failure. */
const RETRY_MS = 5000

/** A workspace that is being watched: what anybody changes there becomes transactions as it comes. */
export class Watch implements AsyncDisposable {
  readonly #host: WatchHost
  readonly #options: WatchOptions
  readonly #pending: PendingChanges
  #watcher: FSWatcher | null = null
  #timer: NodeJS.Timeout | null = null
  #comparing: NodeJS.Timeout | null = null
  /** All of the workspace is to be compared. */
  #all = false
  /** The rules have changed: other folders are to be watched. */
  #stale = false
  #work: Promise<void> = Promise.resolve()
  #closing: Promise<void> | null = null

  private constructor(host: WatchHost, options: WatchOptions) {
    this.#host = host
    this.#options = options
    this.#pending = new PendingChanges({
      quietMs: options.quietMs ?? QUIET_MS,
      maxWaitMs: options.maxWaitMs ?? MAX_WAIT_MS,
    })
  }

  /** Begins to watch, and takes in what has changed before. */
  static async begin(
    host: WatchHost,
    options: WatchOptions,
  ): Promise<{ readonly watch: Watch; readonly found: Collected }> {
    const watch = new Watch(host, options)
    try {
      await watch.#listen()
      // Nothing is between this look and the events that come from now on.
      const found = await host.collect({
        ...watch.#scope(),
        baseline: true,
        message: options.message ?? 'baseline: as found when watching began',
      })
      watch.#compareLater()
      return { watch, found }
    } catch (error) {
      await watch.#watcher?.close()
      throw error
    }
  }

  /** Takes in what has changed until now, without waiting for quiet. */
  async flush(): Promise<void> {
    // Events may be on their way: what they would tell, a comparison tells.
    this.#all = true
    await this.#look(true)
  }

  /** Stops watching; what has changed until now is taken in. Closing twice is no error. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#comparing !== null) clearTimeout(this.#comparing)
    const watcher = this.#watcher
    this.#watcher = null
    await watcher?.close()
    await this.flush()
    this.#host.closed(this)
  }

  async #listen(): Promise<void> {
    const { watch } = await import('chokidar')
    const { root } = this.#host
    const rules = this.#rules()
    const watcher = watch(root, {
      ignored: (path, stats) => isLeftOut(rules, root, path, stats?.isDirectory()),
      ignoreInitial: true,
      followSymlinks: false,
      atomic: false,
      ignorePermissionErrors: true,
      usePolling: this.#options.polling === true,
    })
    this.#watcher = watcher
    watcher.on('all', (_event, path) => this.#changed(path))
    watcher.on('error', (error) => this.#failed(asJournalError(error, 'watching'), true))
    await new Promise<void>((resolve) => watcher.once('ready', () => resolve()))
  }

  #rules(): IgnoreRules {
    const { ignore = [], gitignore, defaults } = this.#options
    return new IgnoreRules(this.#host.readRules, {
      patterns: ignore,
      gitignore: gitignore !== false,
      defaults: defaults !== false,
    })
  }

  #changed(absolute: string): void {
    const { root } = this.#host
    if (absolute !== root && !absolute.startsWith(`${root}/`)) return
    const path = absolute.slice(root.length + 1)
    if (RULE_FILES.some((name) => path === name || path.endsWith(`/${name}`))) this.#stale = true
    if (path !== '') this.#pending.add(path, performance.now())
    this.#wake()
  }

  #wake(): void {
    if (this.#closing !== null) return
    const wait = this.#pending.wait(performance.now())
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = wait === null ? null : setTimeout(() => void this.#look(false), wait)
  }

  #compareLater(): void {
    const { compareMs = COMPARE_MS } = this.#options
    if (compareMs === 0 || this.#closing !== null) return
    this.#comparing = setTimeout(() => {
      this.#all = true
      void this.#look(false).then(() => this.#compareLater())
    }, compareMs).unref()
  }

  #failed(error: JournalError, compare: boolean): void {
    this.#options.onError?.(error)
    if (!compare || this.#closing !== null) return
    // Events may have been lost.
    this.#all = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(false), RETRY_MS)
  }

  /** One after another. `now`: without waiting for quiet. */
  #look(now: boolean): Promise<void> {
    const work = this.#work.then(() => this.#take(now))
    this.#work = work.catch(() => undefined)
    return work
  }

  async #take(now: boolean): Promise<void> {
    if (!now && this.#host.isRunning()) {
      this.#timer = setTimeout(() => void this.#look(false), STABLE_MS)
      return
    }
    const taken = now || this.#pending.isFull ? this.#pending.takeAll() : this.#pending.takeQuiet(performance.now())
    const all = this.#all || taken === null
    this.#all = false
    const moving = now || all || taken === null ? new Set<string>() : await this.#moving(taken)
    for (const path of moving) this.#pending.add(path, performance.now())
    const paths = (taken ?? []).filter((path) => !moving.has(path))
    try {
      if (all || paths.length > 0) await this.#collect(all ? undefined : paths)
      if (this.#stale) await this.#listenAnew()
    } catch (error) {
      for (const path of paths) this.#pending.add(path, performance.now())
      this.#all ||= all
      const failure = asJournalError(error, 'watching')
      if (this.#closing !== null) throw failure
      this.#failed(failure, true)
      return
    }
    this.#wake()
  }

  async #collect(paths: readonly string[] | undefined): Promise<void> {
    const { message = 'changed in the workspace', onCollected } = this.#options
    const collected = await this.#host.collect({
      ...this.#scope(),
      baseline: false,
      message,
      ...(paths === undefined ? {} : { paths }),
    })
    const { leftOut } = collected
    for (const { reason, paths: busy } of leftOut.groups) {
      if (reason === 'busy') for (const path of busy) this.#pending.add(path, performance.now())
    }
    if (collected.receipt !== null) onCollected?.(collected)
  }

  /** Which files are being written: they are not the same at two looks. Those that have been waited for long enough are none. */
  async #moving(paths: readonly string[]): Promise<ReadonlySet<string>> {
    const first = paths.map((path) => this.#glance(path))
    await new Promise((resolve) => setTimeout(resolve, STABLE_MS))
    return new Set(paths.filter((path, at) => this.#glance(path) !== first[at] && this.#pending.mayWait(path)))
  }

  #glance(path: string): string {
    const { disk, root } = this.#host
    try {
      const stat = disk.lstat(`${root}/${path}`)
      return stat?.kind === 'file' ? `${stat.ino}:${stat.size}:${stat.mtimeNs}` : ''
    } catch {
      // Whoever looks closer gets the error.
      return ''
    }
  }

  /** What the rules leave out now is not watched any more, and the other way round. */
  async #listenAnew(): Promise<void> {
    this.#stale = false
    const watcher = this.#watcher
    if (watcher === null) return
    await this.#listen()
    await watcher.close()
    this.#all = true
    await this.#collect(undefined)
  }

  #scope(): ScopeOptions & TransactionOptions {
    const { quietMs, maxWaitMs, compareMs, polling, onCollected, onError, ...scope } = this.#options
    return scope
  }
}

/** Not to be watched: what no rule takes in. Of what it is not known whether it is a folder, nothing is said. */
function isLeftOut(rules: IgnoreRules, root: string, absolute: string, isFolder: boolean | undefined): boolean {
  if (isFolder === undefined || absolute.length <= root.length + 1) return false
  const path = absolute.slice(root.length + 1)
  if (path === '.journal' || path.startsWith('.journal/')) return true
  return rules.reasonBelow(path, isFolder) !== null
}
