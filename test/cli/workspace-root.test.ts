import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test, vi } from 'vitest'
import { workspacePath } from '../../src/cli/workspace-root.ts'
import { errorOf, journal, journalLines, journalObject, temporaryFolder, workspace } from './journal-process.ts'

vi.setConfig({ testTimeout: 30_000 })

describe.concurrent('init', () => {
  test('makes a journal, and says so again the second time', async ({ expect }) => {
    const root = temporaryFolder()
    const first = await journalObject(['init'], { cwd: root })
    expect(first).toEqual({ journal: expect.stringMatching(/^[0-9a-f]{32}$/), root, created: true, seq: 0 })
    expect(statSync(path.join(root, '.journal')).isDirectory()).toBe(true)
    expect(await journalObject(['init'], { cwd: root })).toEqual({ ...first, created: false })
  })

  test('takes --root, and does not look upwards', async ({ expect }) => {
    const outer = await workspace()
    const inner = path.join(outer, 'inner')
    mkdirSync(inner)
    const { root } = await journalObject<{ root: string }>(['init', '--root', 'inner'], { cwd: outer })
    expect(root).toBe(inner)
  })

  test('suggests ignoring the journal inside a git work tree, once', async ({ expect }) => {
    const root = temporaryFolder()
    mkdirSync(path.join(root, '.git'))
    const first = await journal(['init'], { cwd: root })
    expect(first.stdout).toContain('.journal')
    expect(first.stderr).toContain('add `.journal/` to .gitignore')
    writeFileSync(path.join(root, '.gitignore'), 'node_modules\n.journal/\n')
    expect((await journal(['init'], { cwd: root })).stderr).toBe('')
  })

  test('a journal copied to another folder needs --rebind', async ({ expect }) => {
    const root = await workspace()
    const copy = temporaryFolder()
    const { cpSync } = await import('node:fs')
    cpSync(path.join(root, '.journal'), path.join(copy, '.journal'), { recursive: true })
    const refused = await journal(['write', 'a.txt', '--json'], { cwd: copy, input: 'x' })
    expect(refused.code).toBe(1)
    expect(errorOf(refused)).toMatchObject({ code: 'FOREIGN' })
    expect(existsSync(path.join(copy, 'a.txt'))).toBe(false)
    expect((await journal(['init', '--rebind'], { cwd: copy })).code).toBe(0)
    expect((await journal(['write', 'a.txt'], { cwd: copy, input: 'x' })).code).toBe(0)
  })
})

describe.concurrent('the workspace', () => {
  test('is the nearest folder upwards that has a journal, and paths are relative to the current one', async ({
    expect,
  }) => {
    const root = await workspace()
    const deep = path.join(root, 'a', 'b')
    mkdirSync(deep, { recursive: true })
    const receipt = await journalObject<{ files: { path: string }[] }>(['write', 'x.txt'], { cwd: deep, input: 'x' })
    expect(receipt.files.map((file) => file.path)).toContain('a/b/x.txt')
    expect(readFileSync(path.join(deep, 'x.txt'), 'utf8')).toBe('x')
    expect((await journal(['write', '../y.txt'], { cwd: deep, input: 'y' })).code).toBe(0)
    expect(readFileSync(path.join(root, 'a', 'y.txt'), 'utf8')).toBe('y')
    expect(await journalLines(['log', '.'], { cwd: deep })).toHaveLength(1)
    expect(await journalLines(['log', '../y.txt'], { cwd: deep })).toHaveLength(1)
    expect(await journalLines(['log'], { cwd: deep })).toHaveLength(2)
  })

  test('--root goes before or after the command, and paths are then relative to it', async ({ expect }) => {
    const root = await workspace()
    const elsewhere = temporaryFolder()
    await journalObject(['--root', root, 'write', 'before.txt'], { cwd: elsewhere, input: '1' })
    await journalObject(['write', 'after.txt', '--root', root], { cwd: elsewhere, input: '2' })
    expect(readFileSync(path.join(root, 'before.txt'), 'utf8')).toBe('1')
    expect(readFileSync(path.join(root, 'after.txt'), 'utf8')).toBe('2')
  })

  test('is NOT_FOUND, with the way to make one, where there is none', async ({ expect }) => {
    const cwd = temporaryFolder()
    for (const args of [
      ['log'],
      ['status'],
      ['write', 'a'],
      ['commit', '--batch', '-'],
      ['recover'],
      ['log', '--root', cwd],
    ]) {
      const run = await journal([...args, '--json'], { cwd, input: 'x' })
      expect(run).toMatchObject({ code: 1, stdout: '' })
      expect(errorOf(run)).toMatchObject({ code: 'NOT_FOUND', hint: expect.stringContaining('journal init') })
    }
    expect(existsSync(path.join(cwd, '.journal'))).toBe(false)
  })

  test.for([['../x'], ['.journal/FORMAT'], ['a/../../x']])(
    'does not let a path out: %s',
    async ([given], { expect }) => {
      const root = await workspace()
      const run = await journal(['write', given as string, '--json'], { cwd: root, input: 'x' })
      expect(run.code).toBe(1)
      expect(errorOf(run)).toMatchObject({ code: 'PATH_OUTSIDE' })
      expect(existsSync(path.join(root, '..', 'x'))).toBe(false)
    },
  )
})

describe('a path argument', () => {
  test('is relative to the folder it is typed in', ({ expect }) => {
    expect(workspacePath('/w', '/w', 'a/b')).toBe('a/b')
    expect(workspacePath('/w', '/w/s', 'a')).toBe('s/a')
    expect(workspacePath('/w', '/w/s', '../a')).toBe('a')
    expect(workspacePath('/w', '/w/s', '../../a')).toBe('../a')
    expect(workspacePath('/w', '/w/s', 'a/')).toBe('s/a/')
  })

  test('may be absolute', ({ expect }) => {
    const root = temporaryFolder()
    expect(workspacePath(root, root, path.join(root, 'a'))).toBe('a')
    expect(workspacePath(root, root, root)).toBe('.')
    expect(workspacePath(root, root, '/elsewhere')).toBe('/elsewhere')
  })
})
