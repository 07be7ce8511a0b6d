import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DigestTable } from '../../src/history/digest-table.ts'

const digest = (value: number): Buffer => createHash('sha256').update(String(value)).digest()

describe('the table of digests', () => {
  it('numbers many in the order of their coming, and knows each again', () => {
    const table = new DigestTable()
    const count = 20_000
    for (let value = 0; value < count; value += 1) {
      expect(table.find(digest(value), 0)).toBe(-1)
      expect(table.add(digest(value), 0)).toBe(value)
      table.setFlags(value, value & 0xff)
    }
    expect(table.size).toBe(count)
    for (let value = 0; value < count; value += 1) {
      const within = Buffer.concat([Buffer.alloc(5), digest(value), Buffer.alloc(5)])
      expect(table.add(within, 5)).toBe(value)
      expect(table.findHex(digest(value).toString('hex'))).toBe(value)
      expect(table.hex(value)).toBe(digest(value).toString('hex'))
      expect(table.flags(value)).toBe(value & 0xff)
    }
    expect(table.size).toBe(count)
  })

  it('tells apart what differs in one bit', () => {
    const table = new DigestTable()
    const first = digest(0)
    table.add(first, 0)
    for (let bit = 0; bit < 256; bit += 1) {
      const other = Buffer.from(first)
      other[bit >> 3] = (other[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(table.find(other, 0), `bit ${bit}`).toBe(-1)
      expect(table.add(other, 0)).toBe(bit + 1)
    }
  })

  it('counts by flags as a map does', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(40), fc.nat(7))), fc.nat(7), fc.nat(7), (marks, some, not) => {
        const table = new DigestTable()
        const model = new Map<number, number>()
        for (const [value, flags] of marks) {
          table.mark(digest(value), 0, flags)
          model.set(value, (model.get(value) ?? 0) | flags)
        }
        const counted = [...model.values()].filter((flags) => (flags & some) !== 0 && (flags & not) === 0).length
        expect(table.count(some, not)).toBe(counted)
      }),
    ))

  it('refuses what is no digest', () => {
    expect(() => new DigestTable().addHex('abc')).toThrow(RangeError)
  })
})
