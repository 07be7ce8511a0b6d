import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test, vi } from 'vitest'
import type { Receipt } from '../../src/index.ts'
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
    expect(text.stderr).toMatch(/^error: .*a\.txt.*\nhint: .*\n$/)
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
