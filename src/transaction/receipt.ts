import type { ContentHash } from '../entry/state.ts'

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
}
