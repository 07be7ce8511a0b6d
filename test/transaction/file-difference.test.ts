import fc from 'fast-check'
import { expect, it } from 'vitest'
import { middleOf } from '../../src/transaction/file-difference.ts'
import { SimDisk } from '../sim/sim-disk.ts'

const STRIDE = 256 * 1024

it('what two files have in common at their ends, and what is between, make the second of the first', async () => {
  const size = fc.oneof(fc.nat(20), fc.constantFrom(STRIDE - 1, STRIDE, STRIDE + 1, 2 * STRIDE + 3))
  await fc.assert(
    fc.asyncProperty(
      size,
      size,
      fc.uint8Array({ maxLength: 9 }),
      fc.uint8Array({ maxLength: 9 }),
      async (a, b, x, y) => {
        const head = Buffer.alloc(a, 'head ')
        const tail = Buffer.alloc(b, 'tail ')
        const first = Buffer.concat([head, x, tail])
        const second = Buffer.concat([head, y, tail])
        const disk = SimDisk.create({ shortReads: 0.2 })
        disk.writeFile('/a', first)
        disk.writeFile('/b', second)
        const { prefix, skip, insert, suffix } = (await middleOf(disk, '/a', '/b', 100)) as NonNullable<
          Awaited<ReturnType<typeof middleOf>>
        >
        expect(prefix + skip + suffix).toBe(first.byteLength)
        expect(insert.byteLength).toBeLessThanOrEqual(y.byteLength)
        const made = Buffer.concat([first.subarray(0, prefix), insert, first.subarray(prefix + skip)])
        expect(Buffer.compare(made, second)).toBe(0)
        expect(disk.openHandles).toEqual([])
      },
    ),
    { numRuns: 60 },
  )
})

it('too much between them is none', async () => {
  const disk = SimDisk.create()
  disk.writeFile('/a', Buffer.alloc(1000, 'a'))
  disk.writeFile('/b', Buffer.alloc(1000, 'b'))
  expect(await middleOf(disk, '/a', '/b', 999)).toBe(null)
  expect(await middleOf(disk, '/a', '/b', 1000)).toMatchObject({ prefix: 0, suffix: 0, skip: 1000 })
})
