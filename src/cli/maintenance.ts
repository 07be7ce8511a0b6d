import type { Meta } from '../entry/commit.ts'
import type { Journal } from '../journal.ts'
import type { Receipt } from '../transaction/receipt.ts'

/** What the library offers for upkeep. */
export interface Maintenance {
  compact(): Promise<{ readonly blobsRemoved: number; readonly bytesFreed: number }>
  purge(
    path: string,
    options?: Meta & { readonly dryRun?: boolean },
  ): Promise<{ readonly hashes: readonly string[]; readonly bytesFreed: number; readonly receipt: Receipt | null }>
}

export function maintenanceOf(journal: Journal): Journal & Maintenance {
  return journal as Journal & Maintenance
}
