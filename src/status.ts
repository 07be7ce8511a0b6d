import type { HistoryIndex } from './history/history-index.ts'
import { type ExternalChange, externalChanges } from './history/status.ts'
import type { Status } from './journal-types.ts'
import type { Progress } from './options.ts'
import type { Store } from './store/opening.ts'
import { WriterLock } from './store/writer-lock.ts'

export interface StatusSite {
  readonly store: Store
  readonly index: HistoryIndex
  /** Is this process the writer? */
  readonly writing: boolean
  /** Transactions that a recovery would finish. Asked when nobody writes. */
  readonly inFlight: () => Promise<readonly string[]>
  readonly onProgress?: (progress: Progress) => void
}

/** Where a journal stands, and what in the workspace is not as it recorded. */
export async function statusOf({ store, index, writing, inFlight: find, onProgress }: StatusSite): Promise<Status> {
  const { disk, layout, format } = store
  const head = await index.head()
  const changed: ExternalChange[] = []
  const walk = externalChanges(index, disk, layout.root, {
    stamps: true,
    ...(onProgress === undefined ? {} : { onProgress }),
  })
  let step = await walk.next()
  for (; !step.done; step = await walk.next()) changed.push(step.value)
  const writer = writing ? { pid: process.pid } : WriterLock.holder(disk, layout.lock)
  const inFlight = writer === null ? await find() : []
  return {
    journal: format.journal,
    root: layout.root,
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
