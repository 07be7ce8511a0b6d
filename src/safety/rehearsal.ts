import { tmpdir } from 'node:os'
import type { Disk } from '../disk/disk.ts'
import { asJournalError, JournalError } from '../errors.ts'
import { WriterLock } from '../store/writer-lock.ts'
import type { Committer } from '../transaction/committer.ts'
import type { Proposal } from '../transaction/guard.ts'
import { type LockMode, PathLocks } from '../transaction/path-locks.ts'
import { Stager, StagingLimits } from '../transaction/stager.ts'
import { Transaction } from '../transaction/transaction.ts'
import { newTransactionId } from '../transaction/transaction-id.ts'
import type { DraftSite } from '../transaction/view.ts'
import { ancestorsOf } from '../workspace/safe-path.ts'
import { examineSafety } from './checks/examine.ts'
import type { SafetyReport } from './checks/report.ts'
import type { ValidationLevel } from './validation/level.ts'
import type { Validation } from './validation/validation.ts'

/** Contents that are held in memory; what is beyond waits in the folder for temporary files of the machine. */
const HELD_BYTES = 256 * 1024 * 1024

export interface RehearsalHost {
  readonly disk: Disk
  readonly site: () => DraftSite
  /** Those of the journal; null: this process does not write. */
  readonly locks: PathLocks | null
  /** Of the writer of another process. */
  readonly lockFile: string
  readonly validation: Validation
  /** The level at which a commit would be validated. */
  readonly enforced: ValidationLevel
  readonly signal: AbortSignal | undefined
  readonly usable: () => void
}

/** Not a failure: the rehearsal is over before anything happens. */
class Over extends Error {}

/**
 * Works a transaction out as far as a commit would, looks at it, and drops it. Neither the workspace nor the journal is written.
 * What `run` throws is part of the report (of an AggregateError, each); the rest of the transaction is looked at all the same.
 */
export async function rehearse(host: RehearsalHost, run: (tx: Transaction) => unknown): Promise<SafetyReport> {
  const { disk, signal, usable, validation, enforced } = host
  const failures: JournalError[] = []
  let report: SafetyReport | null = null
  const guard = async (proposal: Proposal): Promise<never> => {
    failures.push(...(await lockFailures(host, proposal)))
    report = await examineSafety({ proposal, validation, enforced, failures })
    throw new Over()
  }
  const id = newTransactionId()
  const transaction = new Transaction(
    {
      site: host.site,
      stager: () => new Stager(disk, `${tmpdir()}/journal-check-${id}`, heldInMemory()),
      // The guard never lets a commit come to it.
      local: { committer: undefined as unknown as Committer, locks: new PathLocks() },
      lockTimeoutMs: 0,
      durability: 'full',
      signal,
      guard,
      ended: () => undefined,
      usable,
    },
    { id, meta: {} },
  )
  try {
    await run(transaction)
  } catch (error) {
    const errors = error instanceof AggregateError ? (error.errors as unknown[]) : [error]
    failures.push(...errors.map((one) => asJournalError(one, 'preparing the transaction')))
  }
  await transaction.commit().catch((error: unknown) => {
    if (report === null) failures.push(asJournalError(error, 'rehearsing the transaction'))
  })
  const aborted = failures.find(({ code }) => code === 'ABORTED')
  if (aborted !== undefined) throw aborted
  return report ?? examineSafety({ proposal: null, validation, enforced, failures })
}

function heldInMemory(): StagingLimits {
  return new StagingLimits({ inline: HELD_BYTES, memory: HELD_BYTES })
}

/** Who is in the way now: another process that writes, another transaction of this one. */
async function lockFailures({ disk, locks, lockFile }: RehearsalHost, proposal: Proposal): Promise<JournalError[]> {
  if (locks === null) {
    const holder = WriterLock.holder(disk, lockFile)
    if (holder === null) return []
    const who = holder.pid === null ? 'another process' : `process ${holder.pid}`
    return [
      new JournalError('LOCKED', `${who} is writing through the journal`, {
        hint: 'Wait for it to end.',
        details: { holder },
      }),
    ]
  }
  const wanted = new Map<string, LockMode>()
  for (const path of proposal.draft.changes.keys()) {
    for (const folder of ancestorsOf(path)) if (!wanted.has(folder)) wanted.set(folder, 'shared')
    wanted.set(path, 'exclusive')
  }
  const owner = { id: proposal.tx }
  try {
    await locks.acquire(owner, wanted, { timeoutMs: 0 })
    return []
  } catch (error) {
    return [asJournalError(error, 'looking at the locks')]
  } finally {
    locks.release(owner)
  }
}
