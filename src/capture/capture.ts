import { COLLECT, checked, WATCH } from '../arguments.ts'
import type { HistoryIndex } from '../history/history-index.ts'
import { checkedMeta } from '../meta.ts'
import type { OpenOptions } from '../options.ts'
import type { Store } from '../store/opening.ts'
import type { Collected, CollectRequest } from './collect-options.ts'
import type { Collector, CollectorHost } from './collector.ts'
import type { RunOptions, RunResult } from './run.ts'
import { announceCommand, isCommandRunning } from './running-commands.ts'
import type { Watch, WatchOptions } from './watch.ts'

export interface Watching {
  readonly watch: Watch
  /** What had changed before. */
  readonly found: Collected
}

export interface CaptureHost extends CollectorHost {
  /** Has whoever writes the journal do it: this process, by `here`, or another one. */
  readonly where: (request: CollectRequest, here: () => Promise<Collected>) => Promise<Collected>
}

/** What others do in the workspace, taken into the history. All of it is loaded when it is asked for. */
export class Capture {
  readonly #store: Store
  readonly #index: HistoryIndex
  readonly #options: OpenOptions
  readonly #host: CaptureHost
  readonly #watches = new Set<Watch>()
  #collector: Promise<Collector> | null = null

  constructor(store: Store, index: HistoryIndex, options: OpenOptions, host: CaptureHost) {
    this.#store = store
    this.#index = index
    this.#options = options
    this.#host = host
  }

  /** In the process that writes: its index knows what files looked like that were found to be as recorded. */
  async collect(request: CollectRequest): Promise<Collected> {
    this.#host.writing()
    checkedMeta(checked('the options', request, COLLECT))
    return this.#host.where(request, () => this.collectHere(request))
  }

  async collectHere(request: CollectRequest): Promise<Collected> {
    return (await this.#collecting()).collect(request)
  }

  async run(program: string, args: readonly string[], options: RunOptions): Promise<RunResult> {
    this.#host.writing()
    checkedMeta(checked('the options', options))
    const { JournaledRun, journaledRun } = await import('./run.ts')
    const run = new JournaledRun(this.#store.layout.root, program, args, options)
    const { disk, layout } = this.#store
    return journaledRun(
      run,
      (request) => this.collect(request),
      () => announceCommand(disk, layout),
    )
  }

  async watch(options: WatchOptions): Promise<Watching> {
    this.#host.writing()
    checkedMeta(checked('the options', options, WATCH))
    const [{ Watch }, collector] = await Promise.all([import('./watch.ts'), this.#collecting()])
    const { disk, layout } = this.#store
    const { watch, found } = await Watch.begin(
      {
        disk,
        root: layout.root,
        readRules: (path) => collector.readRules(path),
        collect: (request) => this.collect(request),
        isRunning: () => isCommandRunning(disk, layout),
        closed: (ended) => this.#watches.delete(ended),
      },
      options,
    )
    this.#watches.add(watch)
    return { watch, found }
  }

  get isWatching(): boolean {
    return this.#watches.size > 0
  }

  /** Ends all watching; what has changed until now is taken in. */
  async close(): Promise<void> {
    await Promise.all([...this.#watches].map((watch) => watch.close()))
  }

  #collecting(): Promise<Collector> {
    this.#collector ??= import('./collector.ts').then(
      ({ Collector }) => new Collector(this.#store, this.#index, this.#options, this.#host),
    )
    return this.#collector
  }
}
