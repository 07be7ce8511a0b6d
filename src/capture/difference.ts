import type { FileStat } from '../disk/disk.ts'
import type { State } from '../entry/state.ts'

/** A path that is not as the journal has it. */
export interface Difference {
  readonly path: string
  /** By the journal; undefined: it does not know the path. */
  readonly recorded: State | undefined
  /** As it looked when the difference was found; null: nothing is there. */
  readonly stat: FileStat | null
  /** When that was, in nanoseconds since 1970. */
  readonly seenNs: bigint
}
