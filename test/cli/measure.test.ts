import { describe, expect, test } from 'vitest'
import { ago, byteCount, counted } from '../../src/cli/measure.ts'

describe('measure', () => {
  test('byteCount', () => {
    expect([0, 1023, 1024, 1536, 150 * 1024, 5 * 1024 ** 3].map(byteCount)).toEqual([
      ...['0 B', '1023 B', '1.0 KiB', '1.5 KiB', '150 KiB', '5.0 GiB'],
    ])
  })

  test('counted', () => {
    expect([counted(0, 'file'), counted(1, 'file'), counted(2, 'entry', 'entries')]).toEqual([
      '0 files',
      '1 file',
      '2 entries',
    ])
  })

  test('ago', () => {
    const now = Date.UTC(2026, 0, 31)
    const seconds = [1, 30, 150, 7200, 3 * 86_400, 60 * 86_400]
    expect(seconds.map((past) => ago(now - past * 1000, now))).toEqual([
      ...['just now', '30 s ago', '2 min ago', '2 h ago', '3 d ago', '2025-12-02'],
    ])
    // A clock that went backwards.
    expect(ago(now + 60_000, now)).toBe('2026-01-31T00:01:00.000Z')
  })
})
