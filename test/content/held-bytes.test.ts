import { expect, it } from 'vitest'
import { HeldBytes } from '../../src/content/held-bytes.ts'

const held = (size: number) => ({ bytes: new Uint8Array(size), step: 0, depth: 0, pieces: 0, data: null })

it('holds what was used last, and no more bytes than it may', () => {
  const store = new HeldBytes(100_000)
  for (let n = 0; n < 1000; n += 1) {
    store.set(`${n}`, held(1000))
    expect(store.get('0')).toBeDefined()
  }
  let bytes = 0
  // The oldest first: looking does not bring back what is gone.
  for (let n = 0; n < 1000; n += 1) bytes += store.get(`${n}`)?.bytes.byteLength ?? 0
  expect(bytes).toBeLessThanOrEqual(100_000)
  expect(bytes).toBeGreaterThan(40_000)
})

it('holds nothing small, nothing that takes all of it, and nothing that it was told to forget', () => {
  const store = new HeldBytes(100_000)
  for (const size of [0, 511, 50_001]) {
    store.set('a', held(size))
    expect(store.get('a')).toBeUndefined()
  }
  for (let n = 0; n < 60; n += 1) store.set(`${n}`, held(1000))
  for (let n = 0; n < 60; n += 1) {
    store.delete(`${n}`)
    expect(store.get(`${n}`)).toBeUndefined()
  }
  for (let n = 0; n < 50; n += 1) store.set(`again ${n}`, held(1000))
  expect(store.get('again 0')).toBeDefined()
})
