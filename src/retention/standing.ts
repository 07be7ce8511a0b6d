import { CHANGED, decodeContents, isErased } from '../content/content-frame.ts'
import type { ContentStore } from '../content/content-store.ts'
import { createFile, dropFile, writeFully } from '../disk/file.ts'
import type { ContentHash } from '../entry/state.ts'
import type { LogReader } from '../log/log-reader.ts'
import type { Position } from '../log/position.ts'
import type { Store } from '../store/opening.ts'

/** Files that wait to become blobs together. */
const FILES_AT_ONCE = 64

/**
 * Contents that the log keeps as changes of contents to be erased, or of such contents: they must be kept whole elsewhere before anything is erased. A base
 * stands before what it is a base of, so one pass over the log in its order finds all.
 */
export class Standing {
  readonly #hashes: ReadonlySet<ContentHash>
  readonly found = new Set<ContentHash>()

  constructor(hashes: ReadonlySet<ContentHash>) {
    this.#hashes = hashes
  }

  /** To be told the payload of every content frame. */
  note(payload: Uint8Array): void {
    const erased = { hashes: this.#hashes, standing: this.found }
    for (const record of decodeContents(payload).contents) {
      if (record.encoding !== CHANGED || this.#hashes.has(record.hash)) continue
      if (isErased(record, erased)) this.found.add(record.hash)
    }
  }
}

/** What stands on `hashes` in the log before `until`. */
export function standingOn(
  reader: LogReader,
  hashes: ReadonlySet<ContentHash>,
  until: Position,
): ReadonlySet<ContentHash> {
  const standing = new Standing(hashes)
  for (const { kind, payload } of reader.read(reader.start, { until, skip: new Set(['commit']) }))
    if (kind === 'content') standing.note(payload)
  return standing.found
}

/**
 * Keeps contents as blobs, durably, so that nothing they are changes of is needed any more.
 * @throws JournalError `CORRUPT` when one cannot be read; blobs that were made by then are in nobody's way
 */
export async function makeWhole({ disk, layout, contents }: Store, hashes: Iterable<ContentHash>): Promise<void> {
  let files: { hash: ContentHash; file: string }[] = []
  const keep = async (): Promise<void> => {
    await contents.blobs.keep(files)
    files = []
  }
  try {
    for (const hash of hashes) {
      // What is lost in a gap stands on nothing.
      if ((await contents.blobs.has(hash)) || (await contents.purgedBy(hash)) !== null) continue
      const file = `${layout.staging}/whole-${files.length}`
      dropFile(disk, file)
      createFile(disk, file, new Uint8Array(0), 0o600)
      files.push({ hash, file })
      await copy(disk, contents, hash, file)
      if (files.length === FILES_AT_ONCE) await keep()
    }
    if (files.length > 0) await keep()
  } finally {
    for (const { file } of files) dropFile(disk, file)
  }
}

async function copy(disk: Store['disk'], contents: ContentStore, hash: ContentHash, file: string): Promise<void> {
  const handle = disk.open(file, 'write')
  try {
    let at = 0
    for await (const chunk of contents.stream(hash)) {
      writeFully(disk, handle, chunk, at)
      at += chunk.byteLength
    }
  } finally {
    disk.close(handle)
  }
}
