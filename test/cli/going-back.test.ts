import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test, vi } from 'vitest'
import type { Receipt, UndoPreview, UndoReceipt } from '../../src/index.ts'
import { commit, errorOf, journal, journalLines, journalObject, workspace } from './journal-process.ts'

vi.setConfig({ testTimeout: 30_000 })

interface Restored {
  readonly changes: readonly { path: string; before: unknown; after: unknown }[]
  readonly receipt: Receipt | null
}

describe.concurrent('undo and redo', () => {
  test('take any transaction back and forth, each as a new one', async ({ expect }) => {
    const cwd = await workspace()
    const read = (name: string) => readFileSync(path.join(cwd, name), 'utf8')
    const first = await commit(cwd, { 'a.txt': '1', 'b.txt': '1' })
    await commit(cwd, { 'c.txt': 'later' })
    const undone = await journalObject<Receipt>(['undo', first.tx, '-m', 'not good'], { cwd })
    expect(Object.keys(undone)).toEqual(['tx', 'seq', 'chain', 'files'])
    expect(undone.files.map(({ path }) => path).sort()).toEqual(['a.txt', 'b.txt'])
    expect([existsSync(path.join(cwd, 'a.txt')), read('c.txt')]).toEqual([false, 'later'])
    await journalObject(['redo', first.tx], { cwd })
    expect(read('a.txt')).toBe('1')
    await journalObject(['undo', '1'], { cwd })
    const text = await journal(['redo', 'head'], { cwd })
    expect(text.stdout).toMatch(/^redone by t[0-9a-z]{15} \(6\), 2 paths:\n/)
    const log = await journalLines(['log', '--oldest'], { cwd })
    expect(log.map(({ kind }) => kind)).toEqual(['write', 'write', 'undo', 'redo', 'undo', 'redo'])
    expect(log[2]).toMatchObject({ of: first.tx, message: 'not good' })
  })

  test('stop at a conflict, exit code 3, unless forced', async ({ expect }) => {
    const cwd = await workspace()
    await commit(cwd, { 'a.txt': '1', 'b.txt': '1' })
    await commit(cwd, { 'a.txt': '2' })
    const json = await journal(['undo', '1', '--json'], { cwd })
    expect(json).toMatchObject({ code: 3, stdout: '' })
    expect(errorOf(json)).toMatchObject({ code: 'CONFLICT', conflicts: [expect.objectContaining({ path: 'a.txt' })] })
    const text = await journal(['undo', '1'], { cwd })
    expect(text.code).toBe(3)
    expect(text.stderr).toMatch(/^error: .*a\.txt.*\n {2}a\.txt, changed since by t\w{15}\nhint: .*--keep.*\n$/)
    expect(existsSync(path.join(cwd, 'b.txt'))).toBe(true)
    expect((await journal(['undo', '1', '--force'], { cwd })).code).toBe(0)
    expect(existsSync(path.join(cwd, 'a.txt'))).toBe(false)
  })
})

describe.concurrent('restore', () => {
  test('shows what it would do, then does it, and leaves the rest alone', async ({ expect }) => {
    const cwd = await workspace()
    const read = (name: string) => readFileSync(path.join(cwd, name), 'utf8')
    await commit(cwd, { 'a.txt': '1', 'b.txt': '1' })
    await commit(cwd, { 'a.txt': '2', 'b.txt': '2', 'c.txt': '2' })
    writeFileSync(path.join(cwd, 'mine.txt'), 'mine')

    const preview = await journalObject<Restored>(['restore', '--to', '1', '--dry-run'], { cwd })
    expect(preview.receipt).toBe(null)
    expect(preview.changes.map(({ path }) => path).sort()).toEqual(['a.txt', 'b.txt', 'c.txt'])
    for (const change of preview.changes) expect(Object.keys(change).sort()).toEqual(['after', 'before', 'path'])
    expect(read('a.txt')).toBe('2')
    const text = await journal(['restore', '--to', '1', '--dry-run'], { cwd })
    expect(text.stdout).toMatch(/^Would change 3 paths:\n/)
    expect(text.stdout).toContain('  D c.txt\n')

    const one = await journalObject<Restored>(['restore', '--to', '1', 'a.txt'], { cwd })
    expect(one.receipt?.files.map(({ path }) => path)).toEqual(['a.txt'])
    expect([read('a.txt'), read('b.txt')]).toEqual(['1', '2'])
    await journalObject(['restore', '--to', '1', '-m', 'all of it'], { cwd })
    expect([read('b.txt'), existsSync(path.join(cwd, 'c.txt')), read('mine.txt')]).toEqual(['1', false, 'mine'])
    const again = await journalObject<Restored>(['restore', '--to', '1'], { cwd })
    expect(again).toEqual({ changes: [], receipt: null })
    expect((await journal(['restore', '--to', '1'], { cwd })).stdout).toBe('Nothing to change.\n')
    expect((await journalLines(['log', '-n', '1'], { cwd }))[0]).toMatchObject({
      kind: 'restore',
      message: 'all of it',
    })
  })

  test('refuses a point that makes no sense', async ({ expect }) => {
    const cwd = await workspace()
    const run = await journal(['restore', '--to', 'yesterday-ish', '--json'], { cwd })
    expect(run.code).toBe(1)
    expect(['INVALID', 'NOT_FOUND']).toContain(errorOf(run).code)
  })
})

describe.concurrent('undo of several', () => {
  test('by what they belong to, who made them, when and where', async ({ expect }) => {
    const cwd = await workspace()
    const read = (name: string) => readFileSync(path.join(cwd, name), 'utf8')
    await commit(cwd, { 'ann.txt': '1' }, { actor: 'ann' })
    await commit(cwd, { 'a.txt': '2', 'src/b.txt': '2' }, { actor: 'bob', parent: 'p1', tags: ['draft'] })
    await commit(cwd, { 'c.txt': '3' }, { actor: 'bob', parent: 'p1' })
    const meant = async (...args: string[]) =>
      (await journalObject<UndoPreview>(['undo', ...args, '--dry-run'], { cwd })).transactions.map(({ seq }) => seq)
    expect(await meant('--prompt', 'p1')).toEqual([3, 2])
    expect(await meant('--of-parent', 'p1', '--of-tag', 'draft')).toEqual([2])
    expect(await meant('--of-actor', 'ann')).toEqual([1])
    expect(await meant('--since', '2')).toEqual([3])
    expect(await meant('--since', '0', '--until', '1')).toEqual([1])
    expect(await meant('3', '1')).toEqual([3, 1])
    const undone = await journalObject<UndoReceipt>(
      ['undo', '--prompt', 'p1', '--path', 'src', '--path', 'c.txt', '--actor', 'carol', '--tag', 'back'],
      { cwd },
    )
    expect(undone.transactions).toHaveLength(2)
    expect([read('a.txt'), existsSync(path.join(cwd, 'src/b.txt')), existsSync(path.join(cwd, 'c.txt'))]).toEqual([
      '2',
      false,
      false,
    ])
    const [line] = await journalLines(['log', '-n', '1'], { cwd })
    expect(line).toMatchObject({ kind: 'undo', actor: 'carol', tags: ['back'] })
    expect(line?.about).toMatchObject([{ paths: null }, { paths: ['src', 'src/b.txt'] }])
    expect((await journal(['redo', '--prompt', 'p1'], { cwd })).stdout).toMatch(/^redone by .*\n/)
    expect(read('src/b.txt')).toBe('2')
  })

  test('a preview is a patch, conflicts are shown with both sides, and decided', async ({ expect }) => {
    const cwd = await workspace()
    const read = (name: string) => readFileSync(path.join(cwd, name), 'utf8')
    const text = (first: string, last: string) => `${first}\n${'-\n'.repeat(9)}${last}\n`
    await commit(cwd, { 'a.txt': text('1', '1'), 'b.txt': 'b\n' })
    await commit(cwd, { 'a.txt': text('2', '2'), 'b.txt': 'bb\n' }, { parent: 'p' })
    await commit(cwd, { 'a.txt': text('2', '3') })
    const preview = await journal(['undo', '--prompt', 'p', '--dry-run'], { cwd })
    expect(preview.code).toBe(3)
    expect(preview.stdout).toContain('--- a/b.txt\n+++ b/b.txt\n@@ -1,1 +1,1 @@\n-bb\n+b\n')
    expect(preview.stdout).toMatch(/# conflict: a\.txt, changed since by t\w{15}\n# {3}line 11, now:\n#? {5}3\n/)
    const refused = await journal(['undo', '--prompt', 'p'], { cwd })
    expect(refused.code).toBe(3)
    expect(refused.stderr).toContain('and it would be:\n      1\n')
    expect(read('b.txt')).toBe('bb\n')
    const ours = await journal(['undo', '--prompt', 'p', '--ours'], { cwd })
    expect(ours.stdout).toContain('merged with later changes: a.txt\ndecided by --ours: a.txt\n')
    expect([read('a.txt'), read('b.txt')]).toEqual([text('1', '3'), 'b\n'])
    for (const args of [[], ['--keep', '--theirs', '1'], ['--prompt', 'x', '--of-parent', 'y'], ['--path', 'a.txt']])
      expect((await journal(['undo', ...args], { cwd })).code).toBe(2)
    expect(errorOf(await journal(['undo', '--of-actor', 'nobody', '--json'], { cwd }))).toMatchObject({
      code: 'NOT_FOUND',
    })
  })
})
