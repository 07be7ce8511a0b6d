import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { merge, mergeError } from '../../src/edit/merge.ts'

const lines = (...list: string[]): string => list.map((line) => `${line}\n`).join('')

describe('a merge of three texts', () => {
  it('has what both sides changed', async () => {
    const base = lines('a', 'b', 'c', 'd', 'e')
    const merged = await merge(base, lines('A', 'b', 'c', 'd', 'e'), lines('a', 'b', 'c', 'd', 'E', 'f'))
    expect(merged).toEqual({ text: lines('A', 'b', 'c', 'd', 'E', 'f'), conflicts: [] })
  })

  it('shows both sides of what they changed differently, with its lines', async () => {
    const base = lines('a', 'b', 'c', 'd', 'e', 'f')
    const merged = await merge(base, lines('a', 'ours', 'c', 'd', 'e', 'f'), lines('new', 'a', 'theirs', 'c', 'd', 'e'))
    expect(merged?.conflicts).toEqual([{ lines: [3, 3], base: 'b\n', ours: 'ours\n', theirs: 'theirs\n' }])
    expect(merged?.text).toBe(lines('new', 'a', 'theirs', 'c', 'd', 'e'))
    const error = mergeError('f', merged?.conflicts ?? [])
    expect(error).toMatchObject({ code: 'CONFLICT', path: 'f', details: { sides: merged?.conflicts } })
    expect(error.message).toBe('f was changed meanwhile in the same lines: 3')
    expect(error.hint).toBe('Read it again and decide. Yours:\nours\n\nThere:\ntheirs\n')
  })

  it('takes the same change of both once, and one that takes lines away', async () => {
    const base = lines('a', 'b', 'c', 'd')
    expect(await merge(base, lines('a', 'x', 'c'), lines('a', 'x', 'c', 'd'))).toEqual({
      text: lines('a', 'x', 'c'),
      conflicts: [],
    })
  })

  const text = fc.array(fc.constantFrom('a\n', 'b\n', 'c\r\n', 'd\n'), { maxLength: 12 }).map((list) => list.join(''))
  it('with a side that changed nothing is the other', () =>
    fc.assert(
      fc.asyncProperty(text, text, async (base, other) => {
        expect(await merge(base, base, other)).toEqual({ text: other, conflicts: [] })
        expect(await merge(base, other, base)).toEqual({ text: other, conflicts: [] })
        expect(await merge(base, other, other)).toEqual({ text: other, conflicts: [] })
      }),
    ))

  it('is the same from both sides, when nothing overlaps', () =>
    fc.assert(
      fc.asyncProperty(text, text, text, async (base, one, other) => {
        const [there, back] = [await merge(base, one, other), await merge(base, other, one)]
        expect(there?.conflicts.length === 0).toBe(back?.conflicts.length === 0)
        if (there?.conflicts.length === 0) expect(there?.text).toBe(back?.text)
      }),
    ))

  it('is given up where it would take for ever', async () => {
    const many = '\n'.repeat(20_000)
    expect(await merge(`a\n${many}b\n`, `c\n${many}d\n`, `e\n${many}f\n`)).toBeNull()
  })

  it('keeps changes of lines that are far from each other', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 11, max: 19 }), async (first, second) => {
        const base = Array.from({ length: 20 }, (_, n) => `line ${n}`)
        const ours = base.with(first, 'ours')
        const theirs = base.with(second, 'theirs')
        const merged = await merge(lines(...base), lines(...ours), lines(...theirs))
        expect(merged).toEqual({ text: lines(...ours.with(second, 'theirs')), conflicts: [] })
      }),
    ))
})
