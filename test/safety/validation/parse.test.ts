import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dialectOf } from '../../../src/safety/validation/file-type.ts'
import { MAX_FLAWS } from '../../../src/safety/validation/findings.ts'
import { parse } from '../../../src/safety/validation/parse.ts'

async function flawsOf(name: string, content: string | Uint8Array): Promise<string[]> {
  const dialect = dialectOf(name)
  if (dialect === null) throw new Error(`${name} is of no type`)
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  const { flaws } = await parse({ dialect, bytes, references: true })
  return flaws.map(({ line, column, message }) => `${line}:${column} ${message}`)
}

const VALID: readonly (readonly [string, string])[] = [
  ['a.json', '{"a": [1, 2.5e3, null, true, "\\u00e9"]}\n'],
  ['a.json', '\ufeff{"a": 1}'],
  ['tsconfig.json', '// a comment\n{ "a": [1, 2,], /* b */ }\n'],
  ['tsconfig.build.json', '{ // c\n}'],
  ['.vscode/settings.json', '{\n  // c\n  "a": 1,\n}'],
  ['a.code-workspace', '{ /* c */ "folders": [] }'],
  ['a.jsonl', '{"a":1}\n\n[2]\r\n"three"\n'],
  ['a.yaml', 'a: &x 1\nb: *x\n---\n- c\n- !Ref d\n...\n---\n|\n'],
  ['a.yml', ''],
  ['a.toml', 'a = 1\n[b.c]\nd = 2026-11-21T10:00:00Z\n[[e]]\nf = """\nx"""\n'],
  ['a.ini', '; c\n# c\na = 1\n[s]\nkey: value\n  and more\nflag\n[remote "a]b"]\n\turl = x\n'],
  ['a.cfg', '[options]\ninstall_requires =\n    a>=1\n    b\n'],
  ['a.md', '# T\n\n```js\nx\n```\n\n> ~~~\n> y\n> ~~~\n\n1. ```\n   z\n   ```\n\n````\n```\n````\n'],
  ['a.md', '---\ntitle: "`"\n---\n\n```\n```\n'],
  ['a.js', '#!/usr/bin/env node\nimport a from "a"\nconst b = <A x={1}>{a?.b ?? 1}</A>\nawait b\n'],
  ['a.js', 'with (a) { b }\nreturn\n'],
  ['a.cjs', 'const a = require("a")\nif (a) return\nmodule.exports = { a }\n'],
  ['a.mjs', 'export default await import("a", { with: { type: "json" } })\n'],
  ['a.js', '// @flow\nconst f = (x: ?string): number => 1\n'],
  [
    'a.ts',
    'enum A { B = 1 }\nabstract class C<T extends object> { declare x: T; constructor(private y = <any>1) {} }\n',
  ],
  ['a.ts', 'const a = b satisfies C as const\nimport x = require("x")\ndeclare global { var y: string }\nusing()\n'],
  ['a.ts', '@Injectable()\nexport class A { constructor(@Inject(B) private b: B) {} }\n'],
  ['a.ts', '@dec export class A { @a accessor b = 1 }\n'],
  ['a.d.ts', 'export function f(a: string): void\ndeclare const x: unique symbol\n'],
  ['a.tsx', 'const a = <T,>(x: T) => <B<T> c={x} />\n'],
  [
    'a.py',
    'import os\n\n\nclass A:\n    def f(self, *, a=1) -> int:\n        return a if a else 2  # c\n\n\nif A:\n    pass\nelif B: x = 1; y = 2\n',
  ],
  ['a.py', 'async def f[T](x: T):\n\tmatch x:\n\t\tcase [1, *_]:\n\t\t\treturn f"{x!r:>{10}}"\n'],
  ['a.py', 'try:\n  import x\nexcept* E:\n  x = None\nx = (1,\n 2)\n# end\n'],
  ['a.go', 'package main\n\nfunc f[T any](x T) (T, error) { return x, nil }\n'],
  ['a.rs', 'fn main() -> Result<(), E> { let x = vec![1, 2]; println!("{x:?}"); Ok(()) }\n'],
  ['a.java', 'record A(int b) { static String c() { return switch (1) { default -> "d"; }; } }\n'],
  ['a.cs', 'namespace A;\npublic record B(int C) { public string D => $"{C}"; }\n'],
  ['a.rb', 'class A\n  def b(c:, **d) = c&.e { |f| f }\nend\n'],
  ['a.php', '<?php\nfinal class A { public function __construct(private readonly int $b) {} }\n'],
  ['a.sh', '#!/bin/bash\nfor a in "$@"; do [[ -f $a ]] && cat <<EOF\n$a\nEOF\ndone\n'],
  ['a.css', '@media (min-width: 10px) { a > b:hover { color: red; } }\n'],
]

const INVALID: readonly (readonly [string, string, RegExp])[] = [
  ['a.json', '{"a": 1,\n "b" 2}', /^2:6 expected a colon/],
  ['a.json', '{"a": 1} // c', /^1:10 comments are not allowed/],
  ['a.json', '[1,]', /^1:4 expected a value/],
  ['a.json', '', /^1:1 /],
  ['a.json', '[01]', /^1:\d /],
  ['a.json', '"a\tb"', /^1:\d /],
  ['a.json', '[NaN]', /^1:2 /],
  ['tsconfig.json', '{ "a": }', /^1:8 expected a value/],
  ['a.jsonl', '{"a":1}\n{"b":}\n[\n', /^2:6 expected a value/],
  ['a.yaml', 'a: 1\na: 2\n', /^2:1 Map keys must be unique/],
  ['a.yaml', 'a: 1\n---\nb: [1\n---\nc: 2\n', /^4:1 Flow sequence/],
  ['a.yaml', 'a: *nowhere\n', /^1:4 there is no anchor &nowhere/],
  ['a.yaml', 'a:\n\t- b\n', /^2:1 Tabs are not allowed/],
  ['a.toml', 'a = 1\nb = \n', /^3:1 /],
  ['a.toml', 'a = 1\na = 2\n', /^2:1 /],
  ['a.ini', '[s]\na = 1\n[t\n', /^3:1 the name of the section is never closed/],
  ['a.ini', '= 1\n', /^1:1 expected a key/],
  ['a.ini', '[]\n', /^1:1 the section has no name/],
  ['a.md', 'x\n\n```js\ny\n', /^3:1 the fence is never closed/],
  ['a.md', '- a\n\n  > ~~~\n  > b\n', /^3:5 the fence is never closed/],
  ['a.md', '````\n```\n', /^1:1 the fence is never closed/],
  ['a.js', 'let a = 1\nlet a = 2\n', /^2:5 Identifier 'a' has already been declared/],
  ['a.js', 'const b = (1 +\n', /^2:1 Unexpected token/],
  ['a.mjs', 'return 1\n', /^1:1 'return' outside of function/],
  ['a.ts', 'const a: = 1\n', /^1:10 /],
  ['a.ts', 'interface A { b: string,, }\n', /^1:25 /],
  ['a.tsx', 'const a = <b></c>\n', /^1:14 /],
  ['a.py', 'def f(:\n  pass\n', /^1:7 /],
  ['a.py', 'if x:\npass\n', /expected an indented block/],
  ['a.py', 'if x:\n    a\n  b\n', /^3:3 unexpected indent|^3:3 unindent/],
  ['a.py', 'x = 1\n  y = 2\n', /^2:3 unexpected indent/],
  ['a.py', 'print "x"\n', /^1:1 print is a function/],
  ['a.py', 'try:\n  x\ny = 1\n', /^1:1 try without except/],
  ['a.py', 'for x in y\n  pass\n', /^1:/],
  ['a.go', 'package main\nfunc f() {\n  x :=\n}\n', /^3:/],
  ['a.rs', 'fn main() { let = 1; }\n', /^1:/],
  ['a.java', 'class A { void f( { } }\n', /^1:/],
  ['a.cs', 'class A { void F( { } }\n', /^1:/],
  ['a.rb', 'def f(\n', /^1:/],
  ['a.php', '<?php function { }\n', /^1:/],
  ['a.sh', 'if true; then\n', /^1:/],
  ['a.css', 'a { color: red; \n', /^\d:/],
]

describe('each type of file', () => {
  test.each(VALID)('%s is valid: %j', async (name, text) => {
    expect(await flawsOf(name, text)).toEqual([])
    // What is valid stays so with the line ends of Windows.
    if (!text.includes('\r')) expect(await flawsOf(name, text.replaceAll('\n', '\r\n'))).toEqual([])
  })

  test.each(INVALID)('%s is not: %j', async (name, text, expected) => {
    const flaws = await flawsOf(name, text)
    expect(flaws.join('\n')).toMatch(new RegExp(expected.source, 'm'))
  })

  test('a document of its own is not named for the faults of another', async () => {
    expect(await flawsOf('a.yaml', 'a: 1\nb: 2\n---\nc: [\n---\nd: 1\nd: 2\n')).toHaveLength(2)
  })

  test('nothing is known of other names', () => {
    for (const name of ['a.txt', 'README', 'a.json5', 'Makefile', 'json', 'a.', '.json.bak'])
      expect(dialectOf(name)).toBeNull()
  })
})

describe('JSON', () => {
  test('what JSON.stringify writes is valid, and any text is taken or refused as JSON.parse does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', ',', '}', '"', '\\', '0', ' ', '\u0001', '//'),
        async (json, at, junk) => {
          expect(await flawsOf('a.json', json)).toEqual([])
          const cut = at % (json.length + 1)
          const mutant = json.slice(0, cut) + junk + json.slice(cut + (at % 3))
          let fits = true
          try {
            JSON.parse(mutant)
          } catch {
            fits = false
          }
          // What UTF-8 cannot hold has become something else on the way.
          if (mutant.isWellFormed()) expect((await flawsOf('a.json', mutant)).length === 0).toBe(fits)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('what is no text, or too much of it', () => {
  const bytes = (...parts: (string | number)[]): Buffer =>
    Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from([part]))))

  test('binary content in a type of text', async () => {
    for (const name of ['a.json', 'a.md', 'a.py', 'a.ts', 'a.ini']) {
      expect(await flawsOf(name, bytes('ab\nc', 0, 'd')), name).toEqual([
        '2:2 the content is binary: it has a zero byte',
      ])
    }
  })

  test('another encoding where the format says UTF-8, and the place of its first byte', async () => {
    expect(await flawsOf('a.json', bytes('{"ö":\n"', 0xe9, '"}'))).toEqual(['2:2 the content is not UTF-8'])
    expect(await flawsOf('a.toml', bytes('a="', 0xc3))).toEqual(['1:4 the content is not UTF-8'])
    expect(await flawsOf('a.json', Buffer.from('\ufeff{}', 'utf16le'))).toEqual([
      '1:1 the content is in UTF-16, and must be in UTF-8',
    ])
  })

  test('where it does not, Latin-1 and UTF-16 are read', async () => {
    expect(await flawsOf('a.ini', bytes('a = ', 0xe9, '\n'))).toEqual([])
    expect(await flawsOf('a.md', Buffer.from('\ufeff```\nx', 'utf16le'))).toEqual(['1:1 the fence is never closed'])
  })

  test.each([
    ['a.json', '['.repeat(8_000_000)],
    ['a.json', `${'{"a":'.repeat(6000)}1${'}'.repeat(6000)}`],
    ['a.jsonl', `[]\n${'['.repeat(200_000)}`],
    ['a.json', `{"$ref":${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
    ['tsconfig.json', '['.repeat(200_000)],
    ['a.yaml', '['.repeat(20_000)],
    // The first end of the stack readies the parser, in the second the engine used to compile a regular expression, and ended the process.
    ['a.yaml', '- '.repeat(100_000)],
    ['a.yaml', '{a: '.repeat(20_000)],
    ['a.toml', `a = ${'['.repeat(100_000)}`],
    ['a.ts', '('.repeat(200_000)],
    ['a.js', '!'.repeat(200_000)],
    ['a.py', '('.repeat(100_000)],
    ['a.md', '>'.repeat(50_000)],
    ['a.css', 'a{'.repeat(50_000)],
  ])('%s, nested deeply, is an answer and no crash', async (name, text) => {
    await expect(flawsOf(name, text)).resolves.toBeInstanceOf(Array)
  })

  test('as deep as anybody nests is valid, brackets in strings are none', async () => {
    expect(await flawsOf('a.json', '['.repeat(4000) + ']'.repeat(4000))).toEqual([])
    expect(await flawsOf('a.json', JSON.stringify(['[{'.repeat(10_000), '\\"[', '\\\\', '['.repeat(6000)]))).toEqual([])
    expect(await flawsOf('a.json', '['.repeat(6000) + ']'.repeat(6000))).toEqual([
      '1:5001 it is nested more than 5000 levels deep',
    ])
  })

  test('YAML may be nested 400 levels deep', async () => {
    const nested = (levels: number) => `${'- '.repeat(levels - 1)}[]`
    expect(await flawsOf('a.yaml', nested(400))).toEqual([])
    expect(await flawsOf('a.yaml', `a: 1\n---\n${nested(401)}\n`)).toEqual([
      '3:801 it is nested more than 400 levels deep',
    ])
    const blocks = Array.from({ length: 401 }, (_, level) => `${' '.repeat(level)}a:`).join('\n')
    expect(await flawsOf('a.yaml', blocks)).toEqual(['401:401 it is nested more than 400 levels deep'])
    expect(await flawsOf('a.yaml', `${'? '.repeat(401)}a`)).toEqual(['1:801 it is nested more than 400 levels deep'])
    // Quotes in plain texts hide nothing.
    expect(await flawsOf('a.yaml', `[a'${'['.repeat(500)}'`)).toEqual(['1:403 it is nested more than 400 levels deep'])
  })

  test('a grammar is given a megabyte, and not more', async () => {
    expect(await flawsOf('a.go', `package a\n${'//\n'.repeat(400_000)}`)).toEqual([
      expect.stringMatching(/^1:1 it is larger than/),
    ])
  })

  test('a thousand faults are counted, the first hundred are listed', async () => {
    const text = Array.from({ length: 1000 }, (_, index) => `{"a${index}":}`).join('\n')
    const found = await parse({ dialect: { type: 'jsonl' }, bytes: Buffer.from(text), references: false })
    expect(found.flaws).toHaveLength(MAX_FLAWS)
    expect(found.omitted).toBe(1000 - MAX_FLAWS)
  })

  test('the excerpt of a long line is the part around the fault', async () => {
    const text = `{"a": "${'x'.repeat(5000)}", "b" 1}`
    const { flaws } = await parse({ dialect: { type: 'json' }, bytes: Buffer.from(text), references: false })
    expect(flaws[0]?.column).toBe(5015)
    expect(flaws[0]?.excerpt).toMatch(/^…x+", "b" 1}$/)
  })
})

describe('files that are known to be sound', () => {
  const project = path.resolve(import.meta.dirname, '../../..')
  const below = (folder: string, ending: RegExp): string[] =>
    readdirSync(path.join(project, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => ending.test(name) && !name.includes('node_modules'))
      .map((name) => path.join(folder, name))

  test.each([
    ['the sources', below('src', /\.ts$/)],
    ['the documents', [...below('docs', /\.md$/), 'README.md', 'CHANGELOG.md', 'journal-format.md']],
    ['configuration', ['package.json', 'package-lock.json', 'tsconfig.json', 'biome.json']],
    ['scripts and measurements', [...below('bench/measurements', /\.mjs$/), ...below('scripts', /\.mjs$/)]],
    ['another library', below('node_modules/lodash-es', /^[a-m].*\.js$/).slice(0, 200)],
    ['types', below('node_modules/@types/node', /\.d\.ts$/).slice(0, 40)],
    ['Python', below('test/golden', /\.py$/)],
  ])('%s have no flaw', async (_, files) => {
    expect(files.length).toBeGreaterThan(0)
    for (const file of files) {
      expect(await flawsOf(file.split(path.sep).join('/'), readFileSync(path.join(project, file))), file).toEqual([])
    }
  })
})
