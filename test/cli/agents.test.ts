import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { commit, errorOf, journal, newest, workspace } from './journal-process.ts'

const SPEC = {
  folder: 'lib',
  files: [{ path: 'one.js', content: 'export const one = 1\n' }],
  index: { path: 'index.js' },
}

describe('journal build', () => {
  test('prints a report, and leaves the workspace alone when it is a rehearsal', async () => {
    const root = await workspace()
    const input = JSON.stringify(SPEC)
    const dry = await journal(['build', '-', '--dry-run', '--json'], { cwd: root, input })
    expect(JSON.parse(dry.stdout)).toMatchObject({
      receipt: null,
      check: { ok: true },
      files: [{ path: 'lib/one.js', bytes: 21 }, { path: 'lib/index.js' }],
    })
    expect([dry.code, existsSync(path.join(root, 'lib'))]).toEqual([0, false])
    const built = await journal(['build', '-', '--json', '-m', 'one', '--actor', 'ben'], { cwd: root, input })
    expect(JSON.parse(built.stdout)).toMatchObject({ receipt: { seq: 1 } })
    const again = await journal(['build', '-', '--json'], { cwd: root, input })
    expect([again.code, errorOf(again)]).toMatchObject([
      1,
      { code: 'EXISTS', existing: ['lib/one.js', 'lib/index.js'] },
    ])
    const over = await journal(['build', '-', '--overwrite'], { cwd: root, input })
    expect([over.code, await newest(root)]).toEqual([0, 2])
  })

  test('refuses what is no spec, and says where it is wrong', async () => {
    const root = await workspace()
    writeFileSync(path.join(root, 'bad.yaml'), 'folder: [\nfiles: }')
    const bad = await journal(['build', 'bad.yaml', '--json'], { cwd: root })
    expect(errorOf(bad)).toMatchObject({
      code: 'INVALID',
      message: expect.stringMatching(/^bad\.yaml is neither JSON nor YAML: .*line 2/),
    })
    const none = await journal(['build', 'gone.yaml', '--json'], { cwd: root })
    expect([none.code, errorOf(none).code]).toEqual([1, 'NOT_FOUND'])
    for (const input of ['', 'null', '7', '\u0000', '{}', '[1]', '{"folder":"x","files":[{"path":"a"}]}']) {
      const run = await journal(['build', '-', '--json'], { cwd: root, input })
      expect([run.code, errorOf(run).code], input).toEqual([1, 'INVALID'])
    }
    const unsound = await journal(['build', '-', '--dry-run'], {
      cwd: root,
      input: '{"folder":"x","files":[{"path":"a.json","content":"{"}]}',
    })
    expect([unsound.code, unsound.stdout]).toEqual([1, expect.stringContaining('would be refused')])
    expect(await newest(root)).toBe(0)
  })
})

describe('journal review', () => {
  test('has exit code 3 when a change does not fit', async () => {
    const root = await workspace()
    await commit(root, { 'a.txt': 'one\ntwo\n', 'b.txt': 'x\n' })
    const changes = [
      { path: 'a.txt', lines: 1, newText: 'ONE' },
      { path: 'b.txt', lines: 5, newText: 'y' },
    ]
    const input = JSON.stringify(changes)
    const all = await journal(['review', '-', '--json'], { cwd: root, input })
    expect([all.code, errorOf(all)]).toMatchObject([
      3,
      { code: 'CONFLICT', fitting: 1, conflicts: [{ index: 1, path: 'b.txt' }] },
    ])
    const dry = await journal(['review', '-', '--dry-run'], { cwd: root, input })
    expect([dry.code, dry.stdout]).toEqual([3, expect.stringContaining('  fits  a.txt, line 1')])
    expect(await newest(root)).toBe(1)
    const partial = await journal(['review', '-', '--partial', '--json'], { cwd: root, input })
    expect([partial.code, JSON.parse(partial.stdout)]).toMatchObject([
      3,
      { applied: [{ index: 0, lines: [1, 1] }], conflicts: [{ index: 1 }], receipt: { seq: 2 } },
    ])
    expect(readFileSync(path.join(root, 'a.txt'), 'utf8')).toBe('ONE\ntwo\n')
    const fits = await journal(['review', '-'], { cwd: root, input: '- { path: b.txt, oldText: x, newText: z }' })
    expect([fits.code, fits.stdout]).toEqual([0, expect.stringContaining('1 change applied, 0 conflicts')])
    const rubbish = await journal(['review', '-', '--json'], { cwd: root, input: '{' })
    expect([rubbish.code, errorOf(rubbish).code]).toEqual([1, 'INVALID'])
  })
})
