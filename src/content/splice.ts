/** One place of a content, and what comes there. */
export interface Splice {
  readonly at: number
  /** Bytes that go. */
  readonly remove: number
  readonly insert: Uint8Array
}
