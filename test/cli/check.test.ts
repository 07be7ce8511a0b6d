import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test, vi } from 'vitest'
import type { IntegrityReport, SafetyReport, ValidationReport } from '../../src/index.ts'
import { commit, errorOf, journal, newest, workspace } from './journal-process.ts'

vi.setConfig({ testTimeout: 30_000 })

const batch = (...operations: object[]): string => operations.map((operation) => JSON.stringify(operation)).join('\n')

describe.concurrent('journal check', () => {
  test('of a batch: a score with reasons, and nothing written', async ({ expect }) => {
    const cwd = await workspace()
    await commit(cwd, { 'a.json': '{"a": 1}\n' })
    const good = batch({ op: 'write', path: 'b.json', content: '[]\n' })
    const fine = await journal(['check', '--batch', '-'], { cwd, input: good })
    expect(fine).toMatchObject({ code: 0, stderr: '' })
    expect(fine.stdout).toMatch(/^safety 1\.00: ok, 1 path, /)
    const bad = batch(
      { op: 'write', path: 'a.json', content: '{"a": }\n' },
      { op: 'remove', path: 'nothing' },
      { op: 'write', path: 'm.mjs', content: "import './none.mjs'\n" },
    )
    const names = readdirSync(cwd, { recursive: true, encoding: 'utf8' })
    const text = await journal(['check', '--batch', '-'], { cwd, input: bad })
    expect(text.code).toBe(1)
    expect(text.stdout).toMatch(/^safety 0\.00: would be refused/)
    expect(text.stdout).toContain('\n  nothing: line 2: there is no nothing\n')
    expect(text.stdout).toContain('\n  a.json:1:7: expected a value\n')
    expect(text.stdout).toContain('\n  m.mjs:1:9: there is no module ./none.mjs\n')
    const json = await journal(['check', '--batch', '-', '--json'], { cwd, input: bad })
    const report = JSON.parse(json.stdout) as SafetyReport
    expect(report).toMatchObject({ ok: false, score: 0, paths: 2 })
    expect(report.checks.find(({ name }) => name === 'path')?.reasons[0]?.details).toMatchObject({
      code: 'NOT_FOUND',
      line: 2,
    })
    expect(await newest(cwd)).toBe(1)
    expect(readFileSync(path.join(cwd, 'a.json'), 'utf8')).toBe('{"a": 1}\n')
    expect(
      readdirSync(cwd, { recursive: true, encoding: 'utf8' }).filter(
        (name) => !names.includes(name) && !name.includes('index'),
      ),
    ).toEqual([])
  })

  test('a batch that cannot be read is refused as `commit` does', async ({ expect }) => {
    const cwd = await workspace()
    const run = await journal(['check', '--batch', '-', '--json'], { cwd, input: '{"op":"write"}\n' })
    expect(run.code).toBe(1)
    expect(errorOf(run)).toMatchObject({ code: 'INVALID', line: 1 })
  })

  test('--level asks of the batch what a commit would', async ({ expect }) => {
    const cwd = await workspace()
    const input = batch({ op: 'write', path: 'a.md', content: '[x](gone.md)\n' })
    expect((await journal(['check', '--batch', '-'], { cwd, input })).code).toBe(0)
    expect((await journal(['check', '--batch', '-', '--level', 'strict'], { cwd, input })).code).toBe(1)
  })

  test('of files: every fault with its line and a mark', async ({ expect }) => {
    const cwd = await workspace()
    mkdirSync(path.join(cwd, 'd'))
    writeFileSync(path.join(cwd, 'd/a.json'), '{\n\t"a": \u001b[31m\n}\n')
    writeFileSync(path.join(cwd, 'b.yaml'), 'a: 1\n')
    const all = await journal(['check', '.'], { cwd })
    expect(all.code).toBe(1)
    expect(all.stdout).toMatch(/^not valid: 1 of 2 files, \d+ faults?\n {2}d\/a\.json:2:7: /)
    expect(all.stdout).not.toContain('\u001b')
    expect(all.stdout).toContain('\n    \\t"a": \\x1b[31m\n          ')
    expect(await journal(['check', 'b.yaml'], { cwd })).toMatchObject({ code: 0, stdout: 'valid: 1 file looked at\n' })
    const below = await journal(['check', 'a.json', '--json'], { cwd: path.join(cwd, 'd') })
    expect(below.code).toBe(1)
    expect(JSON.parse(below.stdout) as ValidationReport).toMatchObject({
      ok: false,
      checked: 1,
      issues: expect.arrayContaining([expect.objectContaining({ path: 'd/a.json', line: 2 })]),
    })
    const missing = await journal(['check', 'none', '--json'], { cwd })
    expect(errorOf(missing)).toMatchObject({ code: 'NOT_FOUND' })
  })

  test('of a transaction: is it what stands there?', async ({ expect }) => {
    const cwd = await workspace()
    await commit(cwd, { 'a.txt': 'meant', 'b.txt': 'too' })
    expect((await journal(['check', '--tx', 'head'], { cwd })).stdout).toMatch(/^as meant: 2 paths of t\w+\n$/)
    writeFileSync(path.join(cwd, 'a.txt'), 'other')
    const run = await journal(['check', '--tx', '1', '--json'], { cwd })
    expect(run.code).toBe(1)
    expect(JSON.parse(run.stdout) as IntegrityReport).toMatchObject({
      ok: false,
      paths: 2,
      differing: [{ path: 'a.txt' }],
    })
    expect((await journal(['check', '--tx', 'head'], { cwd })).stdout).toMatch(
      /^not as meant: 1 of 2 paths\n {2}a\.txt: /,
    )
  })

  test.for([[[]], [['a', '--tx', 'head']], [['--tx', 'head', '--batch', '-']], [['.', '--level', 'some']]] as const)(
    '%j is wrong usage',
    async ([args], { expect }) => {
      const cwd = await workspace()
      expect((await journal(['check', ...args], { cwd })).code).toBe(2)
    },
  )
})

describe.concurrent('--validate', () => {
  test('refuses a write, with every fault for a person and for a program', async ({ expect }) => {
    const cwd = await workspace()
    const input = batch(
      { op: 'write', path: 'a.json', content: '{"a" 1}' },
      { op: 'write', path: 'b.toml', content: 'a = \n' },
    )
    const text = await journal(['commit', '--batch', '-', '--validate', 'basic'], { cwd, input })
    expect(text).toMatchObject({ code: 1, stdout: '' })
    expect(text.stderr).toMatch(/^error: a\.json:1:6: expected a colon \(and 1 more, in 2 files altogether\)\n/)
    expect(text.stderr).toContain('\n  a.json:1:6: expected a colon\n    {"a" 1}\n         ^\n  b.toml:2:1: ')
    const json = await journal(['write', 'c.json', '--validate', 'strict', '--json'], { cwd, input: '{' })
    expect(errorOf(json)).toMatchObject({
      code: 'VALIDATION',
      path: 'c.json',
      failures: [{ path: 'c.json', line: 1, column: 2 }],
    })
    expect(existsSync(path.join(cwd, 'a.json')) || existsSync(path.join(cwd, 'c.json'))).toBe(false)
    expect((await journal(['write', 'c.json'], { cwd, input: '{' })).code).toBe(0)
    expect((await journal(['write', 'c.json', '--validate', 'hard'], { cwd, input: '{' })).code).toBe(2)
  })
})
