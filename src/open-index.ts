import { HistoryIndex } from './history/history-index.ts'
import type { OpenOptions } from './options.ts'
import type { Store } from './store/opening.ts'
import type { Writer } from './writer.ts'

/** The index of a journal's history; it is opened when it is asked. `writer`: of this process, once there is one. */
export function openIndex(
  store: Store,
  options: Pick<OpenOptions, 'openDatabase' | 'onProgress'>,
  writer: () => Writer | null = () => null,
): HistoryIndex {
  const { disk, layout, format, reader, contents } = store
  const source = { disk, root: layout.root, directory: layout.directory, journalId: format.journal, reader, contents }
  const readable = () => writer()?.log.acknowledged ?? Number.POSITIVE_INFINITY
  const durable = () => writer()?.log.durable ?? 0
  const index: HistoryIndex = new HistoryIndex(
    { ...source, readable, durable },
    {
      ...(options.openDatabase === undefined ? {} : { openDatabase: options.openDatabase }),
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    },
  )
  contents.locateWith((hash) => index.locate(hash))
  return index
}
