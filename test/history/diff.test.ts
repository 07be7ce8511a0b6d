import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type DiffQuery, diff } from '../../src/history/diff.ts'
import type { HistoryIndex } from '../../src/history/history-index.ts'
import { textOf, unifiedPatch } from '../../src/history/unified-patch.ts'
import { collect, strip, TestJournal } from './fixture.ts'

let made: TestJournal
let index: HistoryIndex
beforeEach(() => {
  made = new TestJournal()
  index = made.index()
})
afterEach(() => made.close())
const run = (query: DiffQuery) => collect(diff(index, made.source, query))

describe('diff', () => {
  test('of a transaction: new, changed, removed, without a last newline', async () => {
    await made.set({ gone: 'x\n', same: '1\n2\n3\n' })
    await made.set({ gone: null, same: '1\ntwo\n3', new: 'n\n' })
    const [gone, same, fresh] = await run({ tx: 2 })
    expect(gone?.patch).toBe('--- a/gone\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n')
    expect(same?.patch).toBe(
      '--- a/same\n+++ b/same\n@@ -1,3 +1,3 @@\n 1\n-2\n-3\n+two\n+3\n\\ No newline at end of file\n',
    )
    expect(fresh?.patch).toBe('--- /dev/null\n+++ b/new\n@@ -0,0 +1,1 @@\n+n\n')
    expect((await run({ tx: made.commits[1]?.tx as string, paths: ['new'] })).map(({ path }) => path)).toEqual(['new'])
  })

  test('of kinds, permissions, binary and too large contents', async () => {
    const large = made.file('x'.repeat(5 * 1024 * 1024))
    const base = strip(made.file('s'))
    await made.set({
      mode: 's',
      bin: '\0',
      link: { kind: 'symlink', target: 'a' },
      dir: { kind: 'dir', mode: 0o755 },
      turn: 's',
      big: 's',
    })
    await made.commit(
      [
        { op: 'chmod', path: 'mode', before: base, after: { ...base, mode: 0o755 } },
        { op: 'write', path: 'bin', before: strip(made.file('\0')), after: base },
        { op: 'put', path: 'link', before: { kind: 'symlink', target: 'a' }, after: { kind: 'symlink', target: 'b' } },
        { op: 'rmdir', path: 'dir', before: { kind: 'dir', mode: 0o755 }, after: null },
        { op: 'put', path: 'turn', before: base, after: { kind: 'symlink', target: 't' } },
        { op: 'write', path: 'big', before: base, after: strip(large) },
      ],
      [large.bytes],
    )
    const [mode, bin, link, dir, turn, big] = await run({ tx: 2 })
    expect(mode).toMatchObject({ binary: false, patch: '', note: 'permissions 644 → 755' })
    expect(bin).toMatchObject({ binary: true, patch: 'Binary files a/bin and b/bin differ\n' })
    expect(link).toMatchObject({
      note: 'symbolic link',
      patch: expect.stringContaining('-a\n\\ No newline at end of file\n+b\n'),
    })
    expect(dir).toMatchObject({ patch: '', note: 'folder removed' })
    expect(turn).toMatchObject({ note: 'file became symbolic link', patch: expect.stringContaining('-s') })
    expect(big).toMatchObject({ binary: true, patch: expect.stringContaining('too large to show') })
    expect(textOf(new Uint8Array([0xff, 0xfe]))).toBeNull()
    expect(textOf(Buffer.from('\ufeffbom'))).toBe('\ufeffbom')
  })

  test('of two points, and back; a file that was there before the journal is changed, not new', async () => {
    const theirs = made.file('theirs\n')
    await made.set({ a: '1\n' })
    await made.commit(
      [{ op: 'write', path: 'b', before: strip(theirs), after: strip(made.file('2\n')) }],
      [theirs.bytes, Buffer.from('2\n')],
    )
    await made.set({ a: null })
    const forth = await run({ from: 1, to: 3 })
    expect(forth.map(({ path, before, after }) => [path, before !== null, after !== null])).toEqual([
      ['a', true, false],
      ['b', true, true],
    ])
    const back = await run({ from: 'head', to: 0, paths: ['b'] })
    expect(back[0]?.patch).toContain('-2\n+theirs\n')
  })

  test('of the workspace: only what the journal knows, links not followed', async () => {
    await made.set({ a: '1\n', 'd/f': 'f\n', l: 'x\n' })
    fs.writeFileSync(`${made.root}/a`, 'one\n')
    fs.writeFileSync(`${made.root}/unknown`, '')
    fs.mkdirSync(`${made.root}/elsewhere`)
    fs.writeFileSync(`${made.root}/elsewhere/f`, 'secret\n')
    fs.symlinkSync('elsewhere', `${made.root}/d`)
    fs.symlinkSync('elsewhere/f', `${made.root}/l`)
    const found = await run({})
    expect(found.map(({ path, after }) => [path, after?.kind ?? null])).toEqual([
      ['a', 'file'],
      ['d/f', null],
      ['l', 'symlink'],
    ])
    expect(found[0]?.patch).toContain('-1\n+one\n')
    expect(found.map(({ patch }) => patch).join('')).not.toContain('secret')
  })
})

test('patches apply with the patch program, also those of texts with nothing in common', async () => {
  const line = fc.constantFrom('a', 'b', 'c', '', 'é\r')
  const text = fc
    .tuple(fc.array(line, { maxLength: 12 }), fc.boolean())
    .map(([lines, end]) => lines.join('\n') + (end ? '\n' : ''))
  const check = async (before: string, after: string) => {
    if (before === after || before === '' || after === '') return
    fs.writeFileSync(`${made.root}/file`, before)
    const patch = await unifiedPatch('file', before, after)
    execFileSync('git', ['apply', '--unidiff-zero', '--whitespace=nowarn', '-'], { cwd: made.root, input: patch })
    expect(fs.readFileSync(`${made.root}/file`, 'utf8')).toBe(after)
  }
  await fc.assert(fc.asyncProperty(text, text, check), { numRuns: 40 })
  const many = (word: string) => Array.from({ length: 4000 }, (_, n) => `${word} ${n}`).join('\n')
  await check(`same\n${many('old')}\nend\n`, `same\n${many('new')}\nend`)
}, 60_000)
