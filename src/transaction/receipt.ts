import { changesOf, type Entry } from '../entry/entry.ts'
import { type ContentHash, hashOf } from '../entry/state.ts'
import type { Revision, Saved } from './revision.ts'

export interface FileReceipt {
  readonly path: string
  /** Hash of the content before; null: there was no file. */
  readonly before: ContentHash | null
  readonly after: ContentHash | null
}

/** What a committed transaction did. */
export interface Receipt {
  readonly tx: string
  readonly seq: number
  /** The chain value after it, in hex. */
  readonly chain: string
  /** One a path that changed. */
  readonly files: readonly FileReceipt[]
  /** What edits, patches and the like did, in order; absent when there were none. */
  readonly revisions?: readonly Revision[]
  /** What it saved to do them at once; there when `revisions` is. */
  readonly saved?: Saved
}

/** Files and symbolic links that the entries name, with their contents before all of them and after. */
export function receiptFiles(entries: readonly Entry[]): FileReceipt[] {
  const files = new Map<string, { before: string | null; after: string | null }>()
  for (const entry of entries) {
    for (const { path, before, after } of changesOf(entry)) {
      if ((before ?? after)?.kind === 'dir' && (after ?? before)?.kind === 'dir') continue
      const known = files.get(path)
      if (known === undefined) files.set(path, { before: hashOf(before), after: hashOf(after) })
      else known.after = hashOf(after)
    }
  }
  return [...files].map(([path, hashes]) => Object.freeze({ path, ...hashes }))
}
