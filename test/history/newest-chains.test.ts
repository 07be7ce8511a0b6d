import { expect, it } from 'vitest'
import { NewestChains } from '../../src/history/newest-chains.ts'

const chain = (seq: number): string => seq.toString(16).padStart(64, '0')

it('the newest chain values are known, and those before them are not', () => {
  const chains = new NewestChains(10)
  expect(chains.get(0)).toBeUndefined()
  for (let seq = 1; seq <= 25; seq += 1) {
    if (seq % 2 === 0) chains.set(seq, chain(seq))
    else chains.setAt(seq, Buffer.concat([Buffer.alloc(3), Buffer.from(chain(seq), 'hex')]), 3)
    for (let asked = 0; asked <= 30; asked += 1)
      expect(chains.get(asked)).toBe(asked <= seq && asked > Math.max(0, seq - 10) ? chain(asked) : undefined)
  }
})
