import { describe, expect, it } from 'vitest'
import { checkNesting } from '../../src/edit/nesting.ts'
import { failure } from './settings/failure.ts'

const deep = '['.repeat(401)

describe('nesting', () => {
  it.each([
    `"${deep}"`,
    `'a \\' ${deep}'`,
    `"\\\\" + "${deep}"`,
    '['.repeat(400),
    `${'[]'.repeat(1000)}`,
    `${')'.repeat(1000)}${'('.repeat(400)}`,
    `don't ${'{'.repeat(400)}`,
    `${' '.repeat(5000)}x`,
  ])('of what people write is taken: %#', (text) => {
    expect(() => checkNesting(text, 'a', true)).not.toThrow()
  })

  it.each([
    [deep, 1],
    [`\n"a\\"" ${deep}`, 2],
    [`don't\n${'(['.repeat(201)}`, 2],
    [`"a\n${deep}"`, 2],
    [Array.from({ length: 401 }, (_, level) => `${' '.repeat(level)}a:`).join('\n'), 401],
    ['- '.repeat(401).concat('x'), 1],
  ])('deeper than that is refused: %#', async (text, line) => {
    expect(await failure(() => checkNesting(text, 'a', true))).toMatchObject({
      code: 'INVALID',
      path: 'a',
      details: { line },
    })
  })
})
