import { expect } from 'vitest'
import { newDisk, openOn, ROOT } from '../journal/fixture.ts'
import type { SimDisk } from '../sim/sim-disk.ts'

/** Power cuts at the same moment: each leaves another part of what was not synced. */
const CUTS = 8

/**
 * A process is killed when a commit stands in the log and is not synced yet; the next one recovers, and the power goes at some moment of that: what recovery
 * has put into the workspace must not be there without the commit that it rests on. `tamper` does something to every disk before it is used.
 */
export async function cutInRecovery(tamper?: (disk: SimDisk) => void): Promise<void> {
  for (let at = 1; ; at += 1) {
    const killed = await killedBeforeSync(tamper)
    tamper?.(killed)
    killed.faults.crashAtChange(at)
    const recovered = await openOn(killed).then(
      () => true,
      () => false,
    )
    for (let seed = 1; seed <= CUTS; seed += 1) {
      const left = killed.crash('any', { seed: seed + 100 * at })
      tamper?.(left)
      const again = await openOn(left)
      expect(again.recovery.conflicts).toEqual([])
      expect(left.readText(`${ROOT}/a`), `change ${at}, seed ${seed}`).toBe(again.head.seq === 1 ? 'first' : 'second')
      await again.close()
    }
    if (recovered) return
  }
}

async function killedBeforeSync(tamper?: (disk: SimDisk) => void): Promise<SimDisk> {
  const disk = newDisk()
  const journal = await openOn(disk)
  await journal.write('a', 'first')
  await journal.checkpoint()
  disk.settle()
  tamper?.(disk)
  disk.faults.before = ({ kind, path }) => {
    if (kind === 'sync' && path?.endsWith('.wal') === true) disk.faults.crashAt(0)
  }
  await journal.write('a', 'second').catch(() => undefined)
  expect(disk.faults.crashed).toBe(true)
  return disk.crash('process')
}
