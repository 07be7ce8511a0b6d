import { describe, expect, it } from 'vitest'
import { changedScript } from '../../../src/edit/imports/script-imports.ts'
import { failure } from '../settings/failure.ts'

const add = (text: string, statement: string, path = 'a.ts'): Promise<string> =>
  changedScript(text, [{ add: statement }], path)
const remove = (text: string, said: string, path = 'a.ts'): Promise<string> =>
  changedScript(text, [{ remove: said }], path)

const FILE = `#!/usr/bin/env node
// Copyright somebody
'use strict'

import { readFileSync } from 'node:fs'
import * as path from 'node:path' // beside

import lib, { one, three } from "lib"
import type { Shape } from "lib"
import {
  alpha,
  beta, // why
} from './local.js'
import './effect.js'

const legacy = require('legacy')
export const x = <T,>(a: T) => readFileSync(path.join(String(a)))
`

describe('an import that is added', () => {
  it.each<[string, string, string]>([
    ["import { readFileSync } from 'node:fs'", '', ''],
    ["import './effect.js'", '', ''],
    ["import './local.js'", '', ''],
    ['import type { Shape } from "lib"', '', ''],
    ['import type { one } from "lib"', '', ''],
    ['import lib from "lib"', '', ''],
    ['import * as path from "node:path"', '', ''],
    [
      "import { writeFileSync as write } from 'node:fs'",
      '{ readFileSync }',
      '{ readFileSync, writeFileSync as write }',
    ],
    ["import fs from 'node:fs'", '{ readFileSync }', 'fs, { readFileSync }'],
    ["import { two } from 'lib'", '{ one, three }', '{ one, three, two }'],
    ["import { many } from 'lib'", '{ one, three }', '{ many, one, three }'],
    ["import type { Size } from 'lib'", '{ Shape }', '{ Shape, Size }'],
    ["import { Shape } from 'lib'", 'import type { Shape } from "lib"', 'import { Shape } from "lib"'],
    ["import { type Local } from './local.js'", 'beta, // why\n', 'beta, // why\n  type Local,\n'],
    [
      "import type { Local } from './local.js'",
      "'./effect.js'\n",
      "'./effect.js'\nimport type { Local } from './local.js'\n",
    ],
    ["import * as all from './local.js'", "'./effect.js'\n", "'./effect.js'\nimport * as all from './local.js'\n"],
    ['import os from "node:os";', '// beside\n', "// beside\nimport os from 'node:os'\n"],
    [
      "import data from './d.json' with { type: 'json' }",
      "'./effect.js'\n",
      "'./effect.js'\nimport data from './d.json' with { type: 'json' }\n",
    ],
    [
      "import { 'a-b' as ab } from 'other'",
      'import type { Shape } from "lib"\n',
      "import type { Shape } from \"lib\"\nimport { 'a-b' as ab } from 'other'\n",
    ],
    ["import { p, q } from './new.js'", "'./effect.js'\n", "'./effect.js'\nimport { p, q } from './new.js'\n"],
  ])('%s', async (statement, before, after) => {
    expect(await add(FILE, statement)).toBe(FILE.replace(before, after))
    const once = await add(FILE, statement)
    expect(await add(once, statement)).toBe(once)
  })

  it('is the first, behind what speaks of the whole file', async () => {
    const statement = 'import { a } from "a";'
    const line = 'import { a } from "a";\n'
    expect(await add('', statement)).toBe(line)
    expect(await add('f();\n', statement)).toBe(`${line}\nf();\n`)
    expect(await add("#!/bin/node\nf('x')\n", statement)).toBe("#!/bin/node\nimport { a } from 'a'\n\nf('x')\n")
    expect(await add('/* Copyright */\nf();\n', statement)).toBe(`/* Copyright */\n${line}\nf();\n`)
    expect(await add('/** What this is. */\n\n/** Of f. */\nf();\n', statement)).toBe(
      `/** What this is. */\n\n${line}\n/** Of f. */\nf();\n`,
    )
    expect(await add('/** Of f. */\nfunction f() {}\n', statement)).toBe(`${line}\n/** Of f. */\nfunction f() {}\n`)
    expect(await add('"use client";\nf();\n', statement)).toBe(`"use client";\n\n${line}f();\n`)
    expect(await add('// only', statement)).toBe('// only\nimport { a } from "a";')
    expect(await add("import b from './b'\r\nb()\r\n", statement)).toBe(
      "import { a } from 'a'\r\nimport b from './b'\r\nb()\r\n",
    )
  })

  it('joins a statement in its form', async () => {
    expect(await add("import {a} from 'm';\n", "import { b, c } from 'm'")).toBe("import {a, b, c} from 'm';\n")
    expect(await add("import d from 'm';\n", "import { b } from 'm'")).toBe("import d, { b } from 'm';\n")
    expect(await add("import * as n from 'm';\n", "import d from 'm'")).toBe(
      "import * as n from 'm';\nimport d from 'm';\n",
    )
    expect(await add("import {\n    a,\n    c\n} from 'm';\n", "import { d } from 'm'")).toBe(
      "import {\n    a,\n    c,\n    d\n} from 'm';\n",
    )
    expect(await add("import { type A, b } from 'm'\n", "import { A } from 'm'")).toBe("import { A, b } from 'm'\n")
    expect(await add("import type { A, B } from 'm'\n", "import { A } from 'm'")).toBe(
      "import { A, type B } from 'm'\n",
    )
  })
})

describe('an import that is removed', () => {
  it.each<[string, string, string]>([
    ["import { one } from 'lib'", '{ one, three }', '{ three }'],
    ["import { three } from 'lib'", '{ one, three }', '{ one }'],
    ["import { one, three } from 'lib'", 'lib, { one, three }', 'lib'],
    ["import lib from 'lib'", 'lib, { one', '{ one'],
    ["import lib, { one, three } from 'lib'", 'import lib, { one, three } from "lib"\n', ''],
    ["import { beta } from './local.js'", '  beta, // why\n', ''],
    ["import * as path from 'node:path'", "import * as path from 'node:path' // beside\n", ''],
    ["import './effect.js'", "import './effect.js'\n", ''],
    ['./effect.js', "import './effect.js'\n", ''],
    ["import { Shape } from 'lib'", 'import type { Shape } from "lib"\n', ''],
    ['lib', 'import lib, { one, three } from "lib"\nimport type { Shape } from "lib"\n', ''],
  ])('%s', async (said, before, after) => {
    expect(await remove(FILE, said)).toBe(FILE.replace(before, after))
  })

  it('leaves no blank line at the top where it was the only one', async () => {
    expect(await remove("import a from 'a'\n\nf()\n", 'a')).toBe('f()\n')
    expect(await remove("'use strict'\nimport a from 'a'; f()\n", 'a')).toBe("'use strict'\n f()\n")
  })
})

describe('imports that cannot be changed', () => {
  it('have a name that is taken', async () => {
    const imported = await failure(() => add("\nimport a from 'a'\n", "import { a } from 'b'"))
    expect(imported).toMatchObject({ code: 'INVALID', details: { line: 2 } })
    expect((await failure(() => add('const a = 1\n', "import { a } from 'b'"))).message).toMatch(
      /already been declared/,
    )
  })

  it('are not there', async () => {
    for (const said of ["import { z } from 'lib'", "import 'lib'", 'zlib']) {
      expect(await failure(() => remove(FILE, said))).toMatchObject({ code: 'INVALID', path: 'a.ts' })
    }
  })

  it('are in a file that cannot be read, or that has none', async () => {
    expect(await failure(() => add('let a = 1\nlet = = 2\n', "import { a } from 'b'"))).toMatchObject({
      code: 'INVALID',
      details: { line: 2 },
    })
    expect((await failure(() => add('x()', "import { a } from 'b'", 'a.cjs'))).message).toMatch(/CommonJS/)
  })

  it.each(["const a = require('a')", 'import {', 'f()', "import a from 'a'; f()"])(
    'are no imports: %s',
    async (said) => {
      expect(await failure(() => add(FILE, said))).toMatchObject({ code: 'INVALID', path: 'a.ts' })
    },
  )
})

it('reads JavaScript with markup, types of Flow, and TypeScript', async () => {
  expect(await add("import a from 'a'\nconst b = <p>don't</p>\n", "import c from 'c'", 'a.jsx')).toContain(
    "'a'\nimport c from 'c'",
  )
  expect(await add('/* @flow */\nconst a: number = 1\n', "import type { c } from 'c'", 'a.js')).toContain(
    'import type { c }',
  )
  expect(await add('enum A { b }\nconst c = <number>d\n', "import e from 'e'", 'a.ts')).toContain("import e from 'e'")
  expect(await add('@d class A { accessor b = 1 }\n', "import e from 'e'", 'a.mts')).toContain("import e from 'e'")
})
