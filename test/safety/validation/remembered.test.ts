import { expect, test } from 'vitest'
import type { Findings } from '../../../src/safety/validation/findings.ts'
import { Remembered } from '../../../src/safety/validation/remembered.ts'

function findings(parts: number): Findings {
  return { flaws: [], omitted: 0, references: [], anchors: Array.from({ length: parts }, (_, index) => `a${index}`) }
}

test('holds no more parts than it may, and the newest of them', () => {
  const known = new Remembered(1000)
  for (let index = 0; index < 500; index += 1) known.set(`${index}`, findings(6))
  const held = Array.from({ length: 500 }, (_, index) => known.get(`${index}`)).filter((found) => found !== undefined)
  expect(held.length).toBeLessThanOrEqual(100)
  expect(known.get('499')).toBeDefined()
  expect(known.get('0')).toBeUndefined()
})

test('what is asked for stays, what is too large never comes in', () => {
  const known = new Remembered(1000)
  known.set('kept', findings(6))
  known.set('large', findings(600))
  for (let index = 0; index < 500; index += 1) {
    known.set(`${index}`, findings(6))
    expect(known.get('kept')).toBeDefined()
  }
  expect(known.get('large')).toBeUndefined()
})
