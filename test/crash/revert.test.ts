import { expect, test } from 'vitest'
import { Random } from '../sim/random.ts'
import { SEED } from './built.ts'
import { besiege, type Siege } from './siege.ts'

const ROUNDS = Math.ceil(Number(process.env.CRASH_ROUNDS ?? 24) / 2)

/**
 * What the transactions since `before` that recovery took back must be: none of them acknowledged, and none with a later one that stays,
 * so that what remains is a prefix of the history.
 */
function revertFaults(siege: Siege, before: number): string[] {
  const faults: string[] = []
  const acknowledged = new Set(siege.told.filter(({ kind }) => kind === 'ack').map(({ tx }) => tx))
  const fresh = siege.ledger.commits.slice(before)
  const takenBack = new Map<string, number>()
  for (const { kind, of, seq, message } of fresh) {
    if (kind === 'revert' && of !== undefined && message === 'taken back by recovery') takenBack.set(of, seq)
  }
  for (const [tx, by] of takenBack) {
    if (acknowledged.has(tx)) faults.push(`acknowledged ${tx} was taken back by ${by}`)
    const seq = siege.ledger.byTx.get(tx) ?? 0
    for (const later of fresh) {
      const stays = later.seq > seq && later.kind !== 'revert' && !takenBack.has(later.tx)
      if (stays && later.seq < by)
        faults.push(`${seq} was taken back, ${later.seq} after it stays (acknowledged: ${acknowledged.has(later.tx)})`)
    }
  }
  return faults
}

test(
  'recovery that reverts takes whole transactions back, from the end of the history, and no acknowledged one',
  async () => {
    console.log(`CRASH_SEED=${SEED}`)
    const reverted = { transactions: 0 }
    const deaths = await besiege(new Random(SEED), ROUNDS, {
      recover: 'revert',
      check: (siege, before) => {
        reverted.transactions += siege.ledger.commits.slice(before).filter(({ kind }) => kind === 'revert').length
        return revertFaults(siege, before)
      },
    })
    console.log(`killed: ${JSON.stringify(deaths)}, taken back: ${reverted.transactions}`)
    expect(Object.keys(deaths).length).toBeGreaterThan(0)
  },
  60_000 + ROUNDS * 10_000,
)
