/**
 * A point in the history: a transaction id (or an unambiguous beginning of one, at least 4 characters), a sequence number,
 * a Date, an ISO 8601 time, or an age (`10m`, `2h`, `3d`, `30s`, `1w`). 0 is before the first transaction; `head` the newest.
 */
export type At = string | number | Date

export interface HistoryQuery {
  /** A file, or a folder with everything below it. */
  readonly path?: string
  readonly actor?: string
  readonly tag?: string
  readonly parent?: string
  /** Only transactions after / up to these points. */
  readonly since?: At
  readonly until?: At
  readonly limit?: number
  /** Newest first unless `oldest`. */
  readonly order?: 'newest' | 'oldest'
}
