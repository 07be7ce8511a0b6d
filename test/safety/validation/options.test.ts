import { expect, test } from 'vitest'
import { settled, type ValidationOptions } from '../../../src/safety/validation/options.ts'
import { failure, newDisk, openOn } from '../../journal/fixture.ts'

const check = (): undefined => undefined

test.each([
  ['no level', 'loose', /validation\.level must be one of off, basic, strict/],
  ['a level of another kind', { level: 1 }, /validation\.level/],
  ['a type that is none', { types: { cobol: 'basic' } }, /a type in validation\.types/],
  ['a level of a type', { types: { json: 'hard' } }, /validation\.types\.json/],
  ['validators that are no list', { validators: {} }, /validation\.validators/],
  ['a validator that is none', { validators: [null] }, /a validator must be an object/],
  ['one without a name', { validators: [{ files: '*', check }] }, /the name of a validator/],
  [
    'two of one name',
    {
      validators: [
        { name: 'a', files: '*', check },
        { name: 'a', files: '*', check },
      ],
    },
    /its own/,
  ],
  ['one without files', { validators: [{ name: 'a', check }] }, /files of the validator a/],
  ['one with neither', { validators: [{ name: 'a', files: '*' }] }, /either a function/],
  ['one with both', { validators: [{ name: 'a', files: '*', check, command: ['x'] }] }, /either a function/],
  ['a check that is no function', { validators: [{ name: 'a', files: '*', check: 'x' }] }, /a function/],
  [
    'a command that is a text',
    { validators: [{ name: 'a', files: '*', command: 'rm x' }] },
    /a program with its arguments/,
  ],
  ['an empty command', { validators: [{ name: 'a', files: '*', command: [] }] }, /a program with its arguments/],
  ['NUL in a command', { validators: [{ name: 'a', files: '*', command: ['a\0b'] }] }, /a program with its arguments/],
  ['no time', { timeoutMs: 0 }, /validation\.timeoutMs/],
  [
    'no time for one',
    { validators: [{ name: 'a', files: '*', check, timeoutMs: -1 }] },
    /timeoutMs of the validator a/,
  ],
  ['more bytes than a string holds', { maxBytes: 2 ** 40 }, /validation\.maxBytes/],
  ['a policy that is none', { refuse: 'some' }, /validation\.refuse/],
  ['patterns that are none', { exclude: ['', 'a'] }, /validation\.exclude/],
] as const)('%s is refused by name, when the journal is opened', async (_, options, message) => {
  const error = await failure(() => settled(options as unknown as ValidationOptions))
  expect(error.code).toBe('INVALID')
  expect(error.message).toMatch(message)
  const disk = newDisk()
  const opening = await failure(() => openOn(disk, { validation: options as unknown as ValidationOptions }))
  expect(opening.code).toBe('INVALID')
  expect(disk.tree('/ws').size).toBe(0)
})

test('a level alone is all options with that level', () => {
  expect(settled('strict')).toMatchObject({
    level: 'strict',
    refuse: 'all',
    types: { c: 'off', cpp: 'off', css: 'off' },
  })
  expect(settled({ types: { c: 'basic' } })).toMatchObject({ level: 'basic', types: { c: 'basic', cpp: 'off' } })
})
