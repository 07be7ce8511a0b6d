import { expect, test } from 'vitest'
import { allows } from '../../../src/safety/checks/permission.ts'

const WRITE = 2
const READ = 4

test('the owner is judged by the bits of the owner, even where others may more', () => {
  const file = { mode: 0o477, uid: 1, gid: 2 }
  expect(allows(file, { uid: 1, groups: [2] }, READ)).toBe(true)
  expect(allows(file, { uid: 1, groups: [2] }, WRITE)).toBe(false)
  expect(allows(file, { uid: 9, groups: [2] }, WRITE)).toBe(true)
})

test('members of the group by those of the group, others by those of others', () => {
  const file = { mode: 0o750, uid: 1, gid: 2 }
  expect(allows(file, { uid: 9, groups: [7, 2] }, READ)).toBe(true)
  expect(allows(file, { uid: 9, groups: [7, 2] }, WRITE)).toBe(false)
  expect(allows(file, { uid: 9, groups: [7] }, READ)).toBe(false)
  expect(allows({ ...file, mode: 0o752 }, { uid: 9, groups: [] }, WRITE)).toBe(true)
  // All that is wanted, not a part of it.
  expect(allows({ ...file, mode: 0o752 }, { uid: 9, groups: [] }, WRITE | READ)).toBe(false)
})
