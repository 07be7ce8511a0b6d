import type { HistoryIndex } from '../history/history-index.ts'
import type { LogWriter } from '../log/log-writer.ts'
import type { Store } from '../store/opening.ts'
import type { Checkpointer } from '../transaction/checkpointer.ts'
import type { Committer } from '../transaction/committer.ts'
import type { Reaper } from '../workspace/reaper.ts'

/** The parts of an open journal that upkeep needs. */
export interface RetentionSite {
  readonly store: Store
  readonly log: LogWriter
  readonly committer: Committer
  readonly checkpointer: Checkpointer
  readonly reaper: Reaper
  readonly index: HistoryIndex
}
