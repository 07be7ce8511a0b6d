import { expect } from 'vitest'
import type { SimDisk } from '../sim/sim-disk.ts'
import { newDisk, openOn, ROOT } from './fixture.ts'

/**
 * The making of a journal fails at each sync in turn, and whoever opens it next goes on with what is there. Then the power is cut: what was acknowledged
 * is there. `tamper` does something to every disk before it is used.
 */
export async function failEverywhere(tamper?: (disk: SimDisk) => void): Promise<void> {
  for (const kind of ['sync', 'syncDirectory'] as const) {
    for (let at = 1; ; at += 1) {
      const disk = newDisk()
      tamper?.(disk)
      disk.faults.failAt(at, 'EIO', { kinds: [kind] })
      const opened = await openOn(disk).catch(() => null)
      disk.faults.heal()
      if (opened !== null) {
        await opened.close()
        break
      }
      const journal = await openOn(disk)
      await journal.write('a', 'acknowledged')
      const left = disk.crash('none')
      await journal.close()
      tamper?.(left)
      const again = await openOn(left)
      expect(again.head.seq, `${kind} ${at} failed`).toBe(1)
      await again.close()
      expect(left.readText(`${ROOT}/a`)).toBe('acknowledged')
    }
  }
}
