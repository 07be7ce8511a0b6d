import fc from 'fast-check'
import { expect, it } from 'vitest'
import { hashBytes } from '../../src/content/hash.ts'
import { RunningHash } from '../../src/content/hash-trail.ts'

const KIB = 1024

function bytesOf(size: number): Buffer {
  return Buffer.alloc(size, 'some text that does not repeat within a sector or two, ')
}

it('is the hash of the content, in whatever pieces it comes, and of every other one that begins in the same way', () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 700 * KIB }),
      fc.integer({ min: 1, max: 300 * KIB }),
      fc.array(fc.tuple(fc.nat(700 * KIB), fc.nat(300 * KIB)), { minLength: 1, maxLength: 4 }),
      (size, piece, changes) => {
        let content = bytesOf(size)
        const running = new RunningHash()
        for (let at = 0; at < size; at += piece) running.update(content.subarray(at, at + piece))
        let trail = running.finish()
        expect([trail.hash, trail.size]).toEqual([hashBytes(content), size])
        for (const [common, more] of changes) {
          const kept = content.subarray(0, Math.min(common, content.byteLength))
          const next = Buffer.concat([kept, bytesOf(more)])
          const after = trail.from(kept.byteLength)
          expect(after.size).toBeLessThanOrEqual(kept.byteLength)
          after.update(next.subarray(after.size))
          trail = after.finish()
          expect(trail.hash).toBe(hashBytes(next))
          content = next
        }
      },
    ),
    { numRuns: 40 },
  ))

it('may be gone on from more than once', () => {
  const content = bytesOf(300 * KIB)
  const running = new RunningHash()
  running.update(content)
  const trail = running.finish()
  for (const added of ['one', 'two', 'one']) {
    const after = trail.from(content.byteLength)
    expect(after.size).toBe(content.byteLength)
    after.update(Buffer.from(added))
    expect(after.finish().hash).toBe(hashBytes(Buffer.concat([content, Buffer.from(added)])))
  }
})

it('remembers a bounded number of states of however long a content', () => {
  const chunk = bytesOf(4 * KIB * KIB)
  const running = new RunningHash()
  const whole: Buffer[] = []
  for (let count = 0; count < 20; count += 1) {
    running.update(chunk)
    whole.push(chunk)
  }
  const trail = running.finish()
  expect(trail.hash).toBe(hashBytes(Buffer.concat(whole)))
  for (const common of [0, 1, 128 * KIB, 30_000_000, 33 * KIB * KIB + 5, 80 * KIB * KIB - 1]) {
    const after = trail.from(common)
    // 80 MiB with at most 256 states: one each 512 KiB at least.
    expect(common - after.size).toBeLessThan(512 * KIB)
    expect(after.size).toBeLessThanOrEqual(common)
    after.update(Buffer.concat(whole).subarray(after.size, common))
    expect(after.finish().hash).toBe(hashBytes(Buffer.concat(whole).subarray(0, common)))
  }
})
