/** What a verification says, and how. */
import type { ChainedCommit } from '../entry/commit.ts'
import type { DropReason } from '../entry/horizon.ts'
import { JournalError, shown } from '../errors.ts'
import type { Problem } from './findings.ts'
import type { HistoryIndex } from './history-index.ts'
import type { OnHistoryProgress } from './source.ts'
import type { ExternalChange } from './status.ts'

export interface VerifyReport {
  /** False when anything that was acknowledged does not read back right. */
  readonly ok: boolean
  readonly transactions: number
  readonly frames: number
  readonly blobs: number
  /** Blobs that no transaction names: left over from transactions that were never committed. No problem. */
  readonly orphans: number
  /** Contents that were erased on purpose. No problem. */
  readonly purged: number
  /** Bytes of a write that never finished at the end of the log. No problem: the next writer cuts them off. */
  readonly tornBytes: number
  /** At most 1000; `problemsOmitted` says how many more there were. */
  readonly problems: readonly Problem[]
  /** Places where a salvage left a gap: what is lost there is known, and is no problem any more. Absent when there are none. */
  readonly gaps?: readonly Gap[]
  /** Up to where retention dropped the history. Absent when it did not. */
  readonly horizon?: VerifiedHorizon
  readonly problemsOmitted: number
  /** What differs in the workspace, when asked for; has no part in `ok`. */
  readonly changed?: readonly ExternalChange[]
}

/** What was lost at one place of the history. */
export interface Gap {
  readonly position: readonly [segment: number, offset: number]
  /** Numbers of the first and the last transaction lost here; null: none. */
  readonly lost: { readonly from: number; readonly to: number } | null
  /** How many contents are lost. */
  readonly contents: number
}

/** The last transaction that was dropped, and why. */
export interface VerifiedHorizon {
  readonly seq: number
  readonly chain: string
  /** Of that transaction, milliseconds since 1970. */
  readonly time: number
  /** When it was dropped. */
  readonly written: number
  readonly reason: DropReason
  /** How many paths were there then. */
  readonly states: number
}

export interface VerifyOptions {
  /** Compare the workspace with the recorded states too; needs `index`. */
  readonly workspace?: boolean
  readonly index?: HistoryIndex
  /** A chain value that was the head once, 64 hex digits, kept where nobody who can change the journal can change it. */
  readonly head?: string
  readonly onProgress?: OnHistoryProgress
}

export function told({ seq, chain, time, written, reason, states }: VerifiedHorizon): VerifiedHorizon {
  return { seq, chain, time, written, reason, states }
}

export function anchoredHead(head: string | undefined): string | null {
  if (head === undefined) return null
  if (typeof head === 'string' && /^[0-9a-f]{64}$/i.test(head)) return head.toLowerCase()
  throw new JournalError('INVALID', `${shown(head)} is not the head of a history`, {
    hint: "Give the 64 hex digits that 'journal head' printed.",
  })
}

export function lostTransactions(due: number, next: ChainedCommit, position: [number, number]): Problem {
  const which =
    next.seq - due === 1 ? `transaction number ${due} is` : `transactions number ${due} to ${next.seq - 1} are`
  return { kind: 'lost', message: `${which} lost in the damage before ${next.tx}`, position }
}
