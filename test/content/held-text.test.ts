import fc from 'fast-check'
import { expect, it } from 'vitest'
import { HeldText } from '../../src/content/held-text.ts'

const WORDS = ['alpha beta ', 'gamma\n', '0000000001 ', 'xxxxxxxxxxxxxxxx', 'é€']
const text = fc.array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 30 }).map((words) => words.join(''))

it('finds what a search of all of it finds, before and after it was changed', () =>
  fc.assert(
    fc.property(
      text,
      fc.integer({ min: 1, max: 20_000 }),
      fc.array(fc.tuple(text, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(90_000)), { maxLength: 12 }),
      (filler, times, changes) => {
        let plain = Buffer.from(filler.repeat(Math.min(times, Math.ceil(300_000 / filler.length))))
        const held = new HeldText(Buffer.from(plain))
        for (const [word, share, start] of changes) {
          const wanted = Buffer.from(word)
          expect(held.find(wanted, start)).toBe(plain.indexOf(wanted, start))
          const at = Math.floor(share * plain.byteLength)
          const size = plain.byteLength
          const grown = Buffer.alloc(Math.max(plain.byteLength, at + wanted.byteLength))
          plain.copy(grown)
          wanted.copy(grown, at)
          plain = grown
          held.change([{ at, remove: Math.min(wanted.byteLength, size - at), insert: wanted }])
          expect(Buffer.compare(held.bytes, plain)).toBe(0)
          for (const part of [
            wanted,
            plain.subarray(at - 5, at + 5),
            plain.subarray(at, at + 3),
            Buffer.from('nowhere in it'),
          ])
            expect(held.find(part, 0)).toBe(plain.indexOf(part, 0))
        }
      },
    ),
    { numRuns: 60 },
  ))

it('finds what lies across two blocks, and what is longer than one', () => {
  const plain = Buffer.alloc(300 * 1024, 'filler text ')
  plain.write('needle in the middle', 64 * 1024 - 7)
  plain.write('needle at the end', plain.byteLength - 17)
  const held = new HeldText(Buffer.from(plain))
  for (const wanted of ['needle in the middle', 'needle at the end', 'needle', 'e'])
    expect(held.find(Buffer.from(wanted), 0)).toBe(plain.indexOf(wanted))
  const long = plain.subarray(100, 200 * 1024)
  expect(held.find(long, 0)).toBe(100)
  expect(held.find(Buffer.concat([long, Buffer.from('!')]), 0)).toBe(-1)
})

it('goes on finding all after a block was written over many times', () => {
  const held = new HeldText(Buffer.alloc(200 * 1024, '.'))
  for (let count = 0; count < 300; count += 1) {
    const word = Buffer.from(`written for the ${count}. time, `.repeat(20))
    held.change([{ at: 70_000 + count, remove: word.byteLength, insert: word }])
    expect(held.find(word, 0)).toBe(70_000 + count)
  }
})

it('is what splices of any length make of it, and finds what stands there then', () =>
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.tuple(fc.nat(30_000), fc.nat(5000), text), { minLength: 1, maxLength: 4 }), {
        maxLength: 6,
      }),
      (changes) => {
        let plain = Buffer.alloc(150_000, 'some text or other, ')
        const held = new HeldText(Buffer.from(plain))
        for (const drawn of changes) {
          let at = 0
          const splices = drawn.map(([skip, remove, word]) => {
            const splice = { at: at + skip, remove, insert: Buffer.from(word) }
            at += skip + remove
            return splice
          })
          if (at > plain.byteLength) continue
          const parts: Buffer[] = []
          let position = 0
          for (const { at: from, remove, insert } of splices) {
            parts.push(plain.subarray(position, from), insert)
            position = from + remove
          }
          plain = Buffer.concat([...parts, plain.subarray(position)])
          held.change(splices)
          expect(Buffer.compare(held.bytes, plain)).toBe(0)
          for (let count = 0; count < 10; count += 1)
            for (const { insert } of splices) expect(held.find(insert, 0)).toBe(plain.indexOf(insert))
        }
      },
    ),
    { numRuns: 30 },
  ))
