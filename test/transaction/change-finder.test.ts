import { expect, it } from 'vitest'
import { ancestorOf } from '../../src/transaction/change-finder.ts'

it('a content stands on few changes, whatever its number, and every base lies on the way of the one before', () => {
  const chain = (step: number): number[] => {
    const list = [step]
    for (let at = step; at > 0; ) {
      at = ancestorOf(at)
      list.push(at)
    }
    return list
  }
  expect(chain(4095)).toHaveLength(29)
  expect([1, 8, 9, 64, 72, 100, 512].map(ancestorOf)).toEqual([0, 0, 8, 0, 64, 99, 0])
  for (let step = 1; step < 4096; step += 1) {
    expect(chain(step).length).toBeLessThanOrEqual(29)
    expect(chain(step - 1)).toContain(ancestorOf(step))
  }
})
