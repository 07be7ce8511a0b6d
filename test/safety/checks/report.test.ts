import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CheckName, checkOf, reportOf, WEIGHTS } from '../../../src/safety/checks/report.ts'
import { checkSpace } from '../../../src/safety/checks/space.ts'

test('the weights add up to 1', () => {
  expect(Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 10)
})

test('a check scores the share of what nothing speaks against', () => {
  const reason = (path: string) => ({ path, message: 'x', refuses: false })
  expect(checkOf('encoding', 4, []).score).toBe(1)
  expect(checkOf('encoding', 4, [reason('a'), reason('a'), reason('b')]).score).toBe(0.5)
  expect(checkOf('encoding', 1, [reason('a')]).score).toBe(0)
  expect(checkOf('encoding', 0, []).score).toBe(1)
  expect(checkOf('path', 0, [reason('a')]).score).toBe(0)
})

test('the whole is the weighted mean, from 0 to 1, and 0 when a commit would be refused', () => {
  const names = Object.keys(WEIGHTS) as CheckName[]
  const reasons = fc.array(
    fc.record({ path: fc.constantFrom('a', 'b', 'c'), message: fc.string(), refuses: fc.boolean() }),
  )
  fc.assert(
    fc.property(fc.array(reasons, { minLength: names.length, maxLength: names.length }), (lists) => {
      const checks = names.map((name, index) => checkOf(name, 3, lists[index] ?? []))
      const report = reportOf(checks, 3, 0)
      const refused = lists.flat().some(({ refuses }) => refuses)
      expect(report.ok).toBe(!refused)
      expect(report.score).toBeGreaterThanOrEqual(0)
      expect(report.score).toBeLessThanOrEqual(1)
      if (refused) expect(report.score).toBe(0)
      else {
        const mean = checks.reduce((sum, { weight, score }) => sum + weight * score, 0)
        expect(report.score).toBeCloseTo(mean, 2)
        expect(report.score === 1).toBe(lists.every((list) => list.length === 0))
      }
    }),
  )
})

test('room: enough, hardly enough, too little', () => {
  const GIB = 1024 ** 3
  expect(checkSpace(0, 0)).toEqual({ score: 1, reasons: [] })
  expect(checkSpace(1000, GIB)).toEqual({ score: 1, reasons: [] })
  expect(checkSpace(GIB, GIB)).toMatchObject({ score: 0.5, reasons: [{ refuses: false }] })
  expect(checkSpace(GIB + 1, GIB)).toMatchObject({ score: 0, reasons: [{ refuses: true, details: { free: GIB } }] })
})
