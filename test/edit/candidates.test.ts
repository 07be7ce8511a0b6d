import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { candidatesOf, diffOf } from '../../src/edit/candidates.ts'

describe('the nearest places', () => {
  it('are those where most lines stand, whatever is around them', () => {
    const text = 'a b c\nd e f\n\nother\n  a b c\n  d e g\nend\n'
    const found = candidatesOf(text, 'a b c\nd e g\n')
    expect(found.map(({ line }) => line)).toEqual([5, 1])
    expect(found[1]?.diff).toBe(' a b c\n-d e g\n+d e f')
  })

  it('are none where nothing is like it', () => {
    expect(candidatesOf('alpha\nbeta\n', 'gamma')).toEqual([])
    expect(candidatesOf('', 'x')).toEqual([])
    expect(candidatesOf('x\n', ' \n')).toEqual([])
  })

  it('are at most three, of lines that are cut when they are long', () => {
    const found = candidatesOf(`${'same words here '.repeat(100)}\n`.repeat(20), `${'same words here '.repeat(90)}!`)
    expect(found).toHaveLength(3)
    expect(found[0]?.text.length).toBeLessThan(250)
  })
})

describe('a small difference', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 8 })
  it('has all lines of both, in order', () =>
    fc.assert(
      fc.property(lines, lines, (asked, standing) => {
        const diff = asked.length + standing.length === 0 ? [] : diffOf(asked, standing).split('\n')
        const of = (signs: string) =>
          diff.filter((line) => signs.includes(line[0] as string)).map((line) => line.slice(1))
        expect(of(' -')).toEqual(asked)
        expect(of(' +')).toEqual(standing)
      }),
    ))
})
