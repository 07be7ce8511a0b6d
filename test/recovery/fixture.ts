import { expect } from 'vitest'
import type { Operation } from '../sim/faults.ts'
import type { SimDisk } from '../sim/sim-disk.ts'

/** What is left of a process that is killed just before the first operation that fits. */
export async function killedBefore(
  disk: SimDisk,
  fits: (operation: Operation) => boolean,
  run: () => Promise<unknown>,
): Promise<SimDisk> {
  disk.faults.before = (operation) => {
    if (fits(operation)) disk.faults.crashAt(0)
  }
  await run().catch(() => undefined)
  expect(disk.faults.crashed, 'nothing fitted').toBe(true)
  return disk.crash('process')
}

/** The machine starts anew, and all is as it was. */
export function restarted(disk: SimDisk): SimDisk {
  disk.settle()
  const left = disk.crash('ordered', { seed: 1 })
  expect(left.bootId).not.toBe(disk.bootId)
  return left
}
