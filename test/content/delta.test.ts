import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  applied,
  composed,
  type Delta,
  DeltaBuilder,
  decodeDelta,
  encodeDelta,
  MAX_PIECES,
  makes,
  sizeOf,
} from '../../src/content/delta.ts'
import { difference } from '../../src/content/difference.ts'
import { VarintReader } from '../../src/content/varint.ts'
import { JournalError } from '../../src/errors.ts'

/** Few values, so that parts repeat; long enough for blocks. */
const text = fc
  .array(fc.stringMatching(/^[ab]{0,9}\n$/), { maxLength: 120 })
  .map((lines) => Buffer.from(lines.join('')) as Uint8Array)
/** Long lines, no two alike unless they were copied. */
const source = fc
  .array(fc.nat(60), { maxLength: 60 })
  .map((lines) =>
    Buffer.from(lines.map((n) => `function number${n * 7919}(x) { return x * ${n} + ${n * n} }\n`).join('')),
  )
const bytes = fc.oneof(text, source, fc.uint8Array({ maxLength: 600 }))

interface Edit {
  readonly at: number
  readonly remove: number
  readonly insert: Uint8Array
}
const edits = fc.array(fc.record({ at: fc.nat(2000), remove: fc.nat(90), insert: fc.uint8Array({ maxLength: 40 }) }), {
  maxLength: 8,
})

function edited(before: Uint8Array, list: readonly Edit[]): Uint8Array {
  let now = before
  for (const { at, remove, insert } of list) {
    const from = now.byteLength === 0 ? 0 : at % (now.byteLength + 1)
    now = Buffer.concat([now.subarray(0, from), insert, now.subarray(from + remove)])
  }
  return now
}

/** Any change that fits `before`. */
function changeOf(before: Uint8Array, list: readonly Edit[]): Delta {
  const builder = new DeltaBuilder()
  let rest = before.byteLength
  for (const { at, remove, insert } of list) {
    const keep = at % (rest + 1)
    const skip = remove % (rest - keep + 1)
    builder.keep(keep)
    builder.skip(skip)
    builder.insert(insert)
    rest -= keep + skip
  }
  return builder.finish()
}

const decoded = (data: Uint8Array) => decodeDelta(new VarintReader(data, 0))
const copyOf = (delta: Delta) => decoded(encodeDelta([], delta))

describe('a change', () => {
  it('of any content to any other makes that one, when one is found', () => {
    fc.assert(
      fc.property(bytes, bytes, fc.boolean(), (before, after, searching) => {
        const delta = difference(before, after, searching)
        if (delta === null) return
        expect(Buffer.compare(applied(copyOf(delta), before), after)).toBe(0)
        expect(makes(delta, before, after)).toBe(true)
        for (const other of [Buffer.concat([after, Buffer.from('x')]), after.subarray(1), Buffer.from(after).reverse()])
          expect(makes(delta, before, other)).toBe(Buffer.compare(other, after) === 0)
      }),
    )
  })

  it('of an edited content is found, and no longer than what was edited', () => {
    fc.assert(
      fc.property(fc.oneof(text, source), edits, (before, list) => {
        const after = edited(before, list)
        const delta = difference(before, after)
        if (delta === null) return
        expect(Buffer.compare(applied(copyOf(delta), before), after)).toBe(0)
        expect(delta.length).toBe(after.byteLength)
        expect(encodeDelta([], delta).byteLength).toBeLessThanOrEqual(sizeOf(delta) + 8 * delta.pieces.length)
      }),
    )
  })

  it('in many places of a long text takes little more than what was put there', () => {
    const lines = Array.from({ length: 4000 }, (_, n) => `line ${n} of ${n * 7919} ${'x'.repeat(n % 40)}\n`)
    const before = Buffer.from(lines.join(''))
    for (let n = 50; n < 4000; n += 400) lines[n] = `another line ${n}\n`
    lines.splice(1000, 3)
    lines.splice(3000, 0, 'one more\n', 'and one more\n')
    const after = Buffer.from(lines.join(''))
    const delta = difference(before, after)
    expect(Buffer.compare(applied(delta as Delta, before), after)).toBe(0)
    expect(sizeOf(delta as Delta)).toBeLessThan(2000)
  })

  it('finds a part that moved only where it is the smaller one', () => {
    const parts = [1, 2, 3, 4].map((part) =>
      Array.from({ length: 100 }, (_, n) => `part ${part} has a line ${n * 31 + part}\n`).join(''),
    )
    const [a, b, c, d] = parts as [string, string, string, string]
    const delta = difference(Buffer.from(a + b + c + d), Buffer.from(d + a + b + c)) as Delta
    expect(Buffer.from(applied(delta, Buffer.from(a + b + c + d))).toString()).toBe(d + a + b + c)
    expect(sizeOf(delta)).toBeLessThan(d.length + 100)
  })

  it('is not looked for in what has nothing in common', () => {
    const one = Buffer.alloc(200_000).map((_, n) => (n * 7919) >> 3)
    const other = Buffer.alloc(200_000).map((_, n) => (n * 104_729 + 13) >> 2)
    expect(difference(one, other)).toBe(null)
  })

  it('after a change is one change: the same as both in a row', () => {
    fc.assert(
      fc.property(bytes, edits, edits, edits, (a, first, second, third) => {
        const ab = changeOf(a, first)
        const b = applied(ab, a)
        const bc = changeOf(b, second)
        const c = applied(bc, b)
        const cd = changeOf(c, third)
        const d = applied(cd, c)
        for (const all of [composed(composed(ab, bc), cd), composed(ab, composed(bc, cd))]) {
          expect(Buffer.compare(applied(all, a), d)).toBe(0)
          expect(all.pieces.length).toBeLessThanOrEqual(ab.pieces.length + bc.pieces.length + cd.pieces.length + 1)
        }
      }),
    )
  })

  it('of any bytes is refused, or makes no more than its base and it have', () => {
    const likely = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.array(fc.constantFrom(0, 1, 2, 3, 0x80, 0xff, 0x7f), { maxLength: 40 }).map((list) => Uint8Array.from(list)),
    )
    fc.assert(
      fc.property(likely, bytes, (data, base) => {
        try {
          const delta = decoded(data)
          expect(applied(delta, base).byteLength).toBeLessThanOrEqual(base.byteLength + data.byteLength)
          applied(composed(delta, delta), base)
        } catch (error) {
          expect(error).toBeInstanceOf(JournalError)
          expect((error as JournalError).code).toBe('CORRUPT')
        }
      }),
      { numRuns: 500 },
    )
  })

  it('has a limited number of pieces, and fits what it changes', () => {
    const piece = { skip: 0, keep: 1, insert: new Uint8Array(0) }
    const many = (count: number): Delta => ({ length: count, extent: count, pieces: Array(count).fill(piece) })
    expect(copyOf(many(MAX_PIECES)).pieces).toHaveLength(MAX_PIECES)
    expect(() => copyOf(many(MAX_PIECES + 1))).toThrow(/malformed/)
    expect(() => applied(many(9), Buffer.alloc(8))).toThrow(/beyond the end/)
    expect(() => composed(many(8), many(9))).toThrow(/beyond the end/)
    expect(() => decoded(encodeDelta([], { ...many(3), length: 4 }))).toThrow(/not 4/)
    expect(() => decoded(Uint8Array.from([1, 0, 1]))).toThrow(/in the middle/)
    expect(() => decoded(Uint8Array.from([1, 0, 0, 5, 1]))).toThrow(/too early/)
    expect(() => decoded(Uint8Array.from([...Array(8).fill(0xff), 1]))).toThrow(/too large/)
  })
})
