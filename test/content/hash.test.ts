import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CHUNK_SIZE, readChunks } from '../../src/content/hash.ts'
import { NodeDisk } from '../../src/disk/node-disk.ts'

let home: string

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'wj-chunks-'))
})

afterEach(() => {
  rmSync(home, { recursive: true })
})

async function chunksOf(bytes: Uint8Array, between: () => void = () => undefined) {
  const file = join(home, 'file')
  writeFileSync(file, bytes)
  const disk = new NodeDisk()
  const handle = disk.open(file, 'read')
  const parts: Buffer[] = []
  let memory = 0
  try {
    for await (const chunk of readChunks(disk, handle)) {
      memory = Math.max(memory, chunk.buffer.byteLength)
      parts.push(Buffer.from(chunk))
      between()
    }
  } finally {
    disk.close(handle)
  }
  return { whole: Buffer.concat(parts), memory }
}

test('a file of a few bytes is read without taking a mebibyte for it', async () => {
  const { whole, memory } = await chunksOf(Buffer.from('a few bytes'))
  expect(whole.toString()).toBe('a few bytes')
  expect(memory).toBeLessThan(64)
})

test.each([0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE])(
  '%i bytes come in chunks',
  async (size) => {
    const bytes = Buffer.alloc(size, 'wj')
    const { whole, memory } = await chunksOf(bytes)
    expect(whole.equals(bytes)).toBe(true)
    expect(memory).toBeLessThanOrEqual(CHUNK_SIZE)
  },
)

test('what is added while a file is read comes too', async () => {
  let added = false
  const { whole } = await chunksOf(Buffer.alloc(CHUNK_SIZE, 1), () => {
    if (!added) appendFileSync(join(home, 'file'), Buffer.alloc(CHUNK_SIZE, 2))
    added = true
  })
  expect(whole.byteLength).toBe(2 * CHUNK_SIZE)
})
