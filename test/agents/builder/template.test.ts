import { describe, expect, test } from 'vitest'
import { fill } from '../../../src/agents/builder/template.ts'
import { failure } from '../../thrown.ts'

describe('a template', () => {
  test.each([
    ['hello {{name}}', { name: 'anna' }, 'hello anna'],
    ['{{ name }}{{name}}', { name: 'x' }, 'xx'],
    ['{{a.b.c}}', { a: { b: { c: 3 } } }, '3'],
    ['{{list.1}}', { list: ['p', 'q'] }, 'q'],
    ['{{yes}} {{zero}}', { yes: true, zero: 0 }, 'true 0'],
    ['{{empty}}|', { empty: '' }, '|'],
    ['\\{{name}} {{name}}', { name: 'x' }, '{{name}} x'],
    ['{ {name} } {{name}}', { name: '{{other}}' }, '{ {name} } {{other}}'],
    ['$& {{name}}', { name: '$1' }, '$& $1'],
    [
      '{{n:camel}} {{n:pascal}} {{n:kebab}} {{n:snake}} {{n:constant}}',
      { n: 'user HTTPServer2 name' },
      'userHttpServer2Name UserHttpServer2Name user-http-server2-name user_http_server2_name USER_HTTP_SERVER2_NAME',
    ],
    ['{{n:upper}} {{n:lower}}', { n: 'Aß' }, 'ASS aß'],
    ['{{o:json}} {{s:json}} {{z:json}}', { o: { a: [1] }, s: 'a"b', z: null }, '{"a":[1]} "a\\"b" null'],
  ])('%s', (template, values, filled) => {
    expect(fill(template, values, 'it')).toBe(filled)
  })

  test.each([
    ['one\n{{gone}}', {}, 'it, line 2: {{gone}} has no value'],
    ['{{a.b}}', { a: 'text' }, 'it, line 1: {{a.b}} has no value'],
    ['{{constructor}}', {}, 'it, line 1: {{constructor}} has no value'],
    ['{{a.__proto__}}', { a: {} }, 'it, line 1: {{a.__proto__}} has no value'],
    ['{{a}}', { a: [1] }, 'it, line 1: {{a}} is no text'],
    ['{{a}}', { a: null }, 'it, line 1: {{a}} is null'],
    ['{{a:shout}}', { a: 'x' }, 'it, line 1: "shout" is no form'],
    ['{{a:toString}}', { a: 'x' }, 'it, line 1: "{{a:toString}}" is no parameter'],
    ['{{}}', {}, 'it, line 1: "{{}}" is no parameter'],
    ['{{#if a}}', { a: 'x' }, 'it, line 1: "{{#if a}}" is no parameter'],
  ])('%s is refused', (template, values, message) => {
    const error = failure(() => fill(template, values, 'it'))
    expect([error.code, error.message]).toEqual(['INVALID', message])
    expect(error.hint).not.toBe('')
  })
})
