import { JournalError } from '../errors.ts'
import type { Draft } from '../transaction/draft.ts'
import type { TransactionRequest } from '../transaction/transaction-host.ts'
import type { Claim, Claims } from './claims.ts'
import { timeText } from './life.ts'

/**
 * Does a transaction keep out of what others have leased, and do the leases stand that it says it has?
 * @throws JournalError `LOCKED`
 */
export function checkLeases(claims: Claims, { id, lease = [] }: TransactionRequest, draft: Draft): void {
  for (const token of lease) if (claims.standing(token) === null) throw staleError(token, id)
  if (claims.leases.size === 0) return
  const refuse = (path: string, claim: Claim | null): void => {
    if (claim !== null && !lease.includes(claim.token)) throw leasedError(claims, claim, path, id)
  }
  for (const path of draft.touched) refuse(path, claims.over(path))
  // What takes a folder away takes what is leased in it, be it there yet or not.
  for (const [path, state] of draft.changes) {
    if (state?.kind === 'dir') continue
    for (const claim of claims.near(path))
      refuse(claim.paths.find((leased) => leased.startsWith(`${path}/`)) ?? path, claim)
  }
}

/** @throws JournalError `LOCKED` when somebody holds a lease on any of these paths, above, or below them */
export function checkFree(claims: Claims, paths: readonly string[], tx: string): void {
  for (const path of paths) {
    for (const claim of claims.near(path)) throw leasedError(claims, claim, path, tx)
  }
}

export function leasedError(claims: Claims, claim: Claim, path: string, tx: string): JournalError {
  const { actor, life, token, paths } = claim
  const left = claims.left(claim)
  const who = actor ?? 'somebody'
  const process = life.process === undefined ? '' : ` (process ${life.process.pid} on ${life.host})`
  return new JournalError(
    'LOCKED',
    `${path} is leased by ${who}${process} for ${timeText(left)} more, with lease ${token}`,
    {
      hint: `Wait until then, or ask ${who} to release it. If the lease is yours, give its token: { lease: ${token} }, or --lease ${token}.`,
      path,
      tx,
      details: {
        holder: {
          ...(actor === undefined ? {} : { actor }),
          ...(life.process === undefined ? {} : { pid: life.process.pid }),
          host: life.host,
        },
        lease: { token, paths, expiresInMs: left },
      },
    },
  )
}

export function staleError(token: number, tx?: string): JournalError {
  return new JournalError('LOCKED', `lease ${token} does not stand any more: it ended, was released, or never was`, {
    hint: 'Somebody else may have written there since. Acquire a lease anew, look at the files again, and work on what is there now.',
    tx,
    details: { lease: { token } },
  })
}
