import { describe, expect, test } from 'vitest'
import { Recent } from '../../src/content/recent.ts'

describe('what was used lately', () => {
  test('stays as long as it is asked for, and the rest goes', () => {
    const recent = new Recent<number, string>(8)
    recent.set(0, 'kept')
    for (let key = 1; key < 100; key += 1) {
      recent.set(key, `v${key}`)
      expect(recent.get(0)).toBe('kept')
    }
    const held = Array.from({ length: 100 }, (_, key) => key).filter((key) => recent.has(key))
    expect(held.length).toBeGreaterThanOrEqual(4)
    expect(held.length).toBeLessThanOrEqual(8)
    expect(held).toContain(99)
    expect(recent.get(1)).toBeUndefined()
  })

  test('a newer value replaces one of the generation before, and what is deleted is gone from both', () => {
    const recent = new Recent<string, number>(4)
    recent.set('a', 1)
    recent.set('b', 1)
    recent.set('a', 2)
    expect(recent.get('a')).toBe(2)
    recent.set('c', 1)
    recent.delete('a')
    recent.delete('c')
    expect([recent.has('a'), recent.get('a'), recent.has('c')]).toEqual([false, undefined, false])
  })
})
