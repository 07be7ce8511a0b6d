import { COLLECT, checked } from '../arguments.ts'
import type { HistoryIndex } from '../history/history-index.ts'
import { checkedMeta } from '../meta.ts'
import type { OpenOptions } from '../options.ts'
import type { Store } from '../store/opening.ts'
import type { Collected, CollectRequest } from './collect-options.ts'
import type { Collector, CollectorHost } from './collector.ts'

/** What others do in the workspace, taken into the history. All of it is loaded when it is asked for. */
export class Capture {
  readonly #store: Store
  readonly #index: HistoryIndex
  readonly #options: OpenOptions
  readonly #host: CollectorHost
  #collector: Promise<Collector> | null = null

  constructor(store: Store, index: HistoryIndex, options: OpenOptions, host: CollectorHost) {
    this.#store = store
    this.#index = index
    this.#options = options
    this.#host = host
  }

  async collect(request: CollectRequest): Promise<Collected> {
    this.#host.writing()
    checkedMeta(checked('the options', request, COLLECT))
    return (await this.#collecting()).collect(request)
  }

  #collecting(): Promise<Collector> {
    this.#collector ??= import('./collector.ts').then(
      ({ Collector }) => new Collector(this.#store, this.#index, this.#options, this.#host),
    )
    return this.#collector
  }
}
