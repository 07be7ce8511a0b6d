import type { Meta } from '../entry/commit.ts'
import type { NoteEntry } from '../entry/entry.ts'
import type { Receipt } from '../transaction/receipt.ts'
import type { Claims } from './claims.ts'
import type { Machine } from './machine.ts'

/** What intents and leases need of the journal that they stand in. */
export interface TeamHost {
  readonly machine: Machine
  /** Where a path really leads. @throws JournalError `PATH_OUTSIDE`, `INVALID` */
  readonly locate: (path: string) => string
  /** Intents and leases as they stand now. */
  readonly claims: () => Promise<Claims>
  /** Puts a note into the history. `locked`: nobody else writes these paths meanwhile. */
  readonly say: (topic: string, value: NoteEntry['value'], meta: Meta, locked?: readonly string[]) => Promise<Receipt>
}
