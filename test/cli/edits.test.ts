import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test, vi } from 'vitest'
import type { Receipt, Revision } from '../../src/index.ts'
import { journal, journalObject, workspace } from './journal-process.ts'

vi.setConfig({ testTimeout: 30_000 })

const sha256 = (content: string) => createHash('sha256').update(content).digest('hex')
const lines = (...list: string[]): string => list.map((line) => `${line}\n`).join('')
interface Rehearsal {
  readonly dryRun: true
  readonly revisions: readonly Revision[]
  readonly saved: { readonly writes: number }
}

async function prepared(
  files: Record<string, string | Uint8Array>,
): Promise<{ cwd: string; text: (name: string) => string }> {
  const cwd = await workspace()
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(cwd, name), content)
  return { cwd, text: (name) => readFileSync(path.join(cwd, name), 'utf8') }
}

describe.concurrent('journal edit', () => {
  test('says how a text was found when that was not exactly, and what was saved', async ({ expect }) => {
    const { cwd, text } = await prepared({ 'a.py': lines('def f():', '    if x:', '        y()', '    z()') })
    const args = [
      'edit',
      'a.py',
      '--lenient',
      '--old',
      'if x:\n    y()',
      '--new',
      'if x:\n    w()',
      '--old',
      'z',
      '--new',
      'v',
    ]
    const rehearsal = await journalObject<Rehearsal>([...args, '--dry-run'], { cwd })
    expect(rehearsal).toMatchObject({ dryRun: true, saved: { reads: 1, writes: 1 } })
    expect(rehearsal.revisions[0]?.edits?.[0]).toEqual({ matching: 'indentation', count: 1, lines: [[2, 3]] })
    expect(text('a.py')).toContain('y()')
    const { code, stdout } = await journal(args, { cwd })
    expect(code).toBe(0)
    expect(stdout).toContain('a.py, lines 2 to 3: found but for indentation\n')
    expect(stdout).toContain('saved 1 reading and 1 writing\n')
    expect(text('a.py')).toBe(lines('def f():', '    if x:', '        w()', '    v()'))
  })

  test('shows the nearest place when a text is not there', async ({ expect }) => {
    const { cwd, text } = await prepared({ 'a.txt': lines('one', 'two three', 'four') })
    const { code, stderr } = await journal(['edit', 'a.txt', '--old', 'two threee', '--new', 'x'], { cwd })
    expect(code).toBe(1)
    expect(stderr).toContain('Nearest: line 2, - asked for, + there:\n-two threee\n+two three\n')
    expect(text('a.txt')).toBe(lines('one', 'two three', 'four'))
  })

  test('takes the encoding, and merges', async ({ expect }) => {
    const { cwd, text } = await prepared({ 'l.txt': Buffer.from('gr\u00fcn', 'latin1'), 'm.txt': '' })
    await journalObject(['edit', 'l.txt', '--encoding', 'LATIN1', '--old', 'grün', '--new', 'blau'], { cwd })
    expect(text('l.txt')).toBe('blau')
    const base = lines('a', 'b', 'c', 'd', 'e')
    await journalObject(['write', 'm.txt'], { cwd, input: base })
    await journalObject(['write', 'm.txt'], { cwd, input: base.replace('e', 'E') })
    const edit = ['edit', 'm.txt', '--old', 'a', '--new', 'A', '--expect', sha256(base)]
    expect((await journal(edit, { cwd })).code).toBe(3)
    expect((await journal([...edit, '--merge'], { cwd })).stdout).toContain('m.txt, merged with what others changed')
    expect(text('m.txt')).toBe(lines('A', 'b', 'c', 'd', 'E'))
    const write = ['write', 'm.txt', '--expect', sha256(base), '--merge']
    expect((await journal(write, { cwd, input: base.replace('a', 'x') })).code).toBe(3)
    await journalObject(write, { cwd, input: base.replace('c', 'C') })
    expect(text('m.txt')).toBe(lines('A', 'b', 'C', 'd', 'E'))
    for (const wrong of [
      ['--encoding', 'ebcdic'],
      ['--lenient', 'very'],
    ])
      expect((await journal([...edit, ...wrong], { cwd })).code).toBe(2)
  })
})

describe.concurrent('journal patch', () => {
  const diff = lines(
    'diff --git a/a.txt b/a.txt',
    '--- a/a.txt',
    '+++ b/a.txt',
    '@@ -1,2 +1,2 @@',
    ' one',
    '-two',
    '+2',
    'diff --git a/b.txt b/b.txt',
    'deleted file mode 100644',
    '--- a/b.txt',
    '+++ /dev/null',
    '@@ -1 +0,0 @@',
    '-b',
  )

  test('applies a file, or standard input, of either format', async ({ expect }) => {
    const { cwd, text } = await prepared({ 'a.txt': lines('zero', 'one', 'two'), 'b.txt': 'b\n', 'fix.diff': diff })
    const rehearsal = await journal(['patch', 'fix.diff', '--dry-run'], { cwd })
    expect(rehearsal.stdout).toBe(
      lines(
        'would change 2 paths:',
        '  modified a.txt',
        '  deleted b.txt',
        '  a.txt, lines 2 to 3: 1 line further down',
      ),
    )
    expect(existsSync(path.join(cwd, 'b.txt'))).toBe(true)
    const receipt = await journalObject<Receipt>(['patch', 'fix.diff'], { cwd })
    expect(receipt.files.map((file) => file.path).sort()).toEqual(['a.txt', 'b.txt'])
    expect(text('a.txt')).toBe(lines('zero', 'one', '2'))
    const input = lines('*** Begin Patch', '*** Add File: c.txt', '+c', '*** End Patch')
    await journalObject(['patch', '-'], { cwd, input })
    expect(text('c.txt')).toBe('c\n')
    await journalObject(['patch', '-', '--path', 'c.txt'], { cwd, input: '@@ -1 +1 @@\n-c\n+C\n' })
    expect(text('c.txt')).toBe('C\n')
  })

  test('changes nothing when a part does not fit, and names every hunk', async ({ expect }) => {
    const { cwd, text } = await prepared({ 'a.txt': lines('one', 'TWO'), 'b.txt': 'other\n', 'fix.diff': diff })
    const { code, stderr } = await journal(['patch', 'fix.diff'], { cwd })
    expect(code).toBe(3)
    expect(stderr).toContain('the patch does not fit: a.txt, b.txt (2 of 2 files)')
    expect(stderr).toContain(
      'Hunk 1 (line 4 of the patch), at line 1: other lines stand there; - expected, + there:\n one\n-two\n+TWO',
    )
    const json = await journal(['patch', 'fix.diff', '--json'], { cwd })
    const { error } = JSON.parse(json.stderr) as { error: { code: string; files: { hunks: unknown[] }[] } }
    expect(error.code).toBe('CONFLICT')
    expect(error.files.map(({ hunks }) => hunks.length)).toEqual([1, 1])
    expect(text('b.txt')).toBe('other\n')
  })

  test.for([
    [['patch', 'missing.diff'], 1, 'NOT_FOUND'],
    [['patch', 'a.txt'], 1, 'INVALID'],
    [['patch', '-', '--expect', '0'.repeat(64)], 2, 'INVALID'],
    [['patch', '-', '--path', 'a.txt', '--strip', '1'], 2, 'INVALID'],
    [['patch'], 2, 'INVALID'],
  ] as const)('refuses %j', async ([args, exit, name], { expect }) => {
    const { cwd, text } = await prepared({ 'a.txt': 'one\n' })
    const { code, stderr } = await journal([...args, '--json'], { cwd, input: diff })
    expect([code, (JSON.parse(stderr) as { error: { code: string } }).error.code]).toEqual([exit, name])
    expect(text('a.txt')).toBe('one\n')
  })

  test('stands in a batch, of one file and of many', async ({ expect }) => {
    const { cwd, text } = await prepared({ 'a.txt': lines('one', 'two'), 'b.txt': 'b\n', 'c.txt': '  x\n  y\n' })
    const batch = [
      { op: 'patch', patch: diff },
      { op: 'patch', path: 'a.txt', patch: '@@ -1 +1 @@\n-one\n+1\n' },
      { op: 'edit', path: 'c.txt', edits: [{ oldText: 'x\ny', newText: 'x\nz' }], lenient: 'indentation' },
    ]
    const input = batch.map((line) => `${JSON.stringify(line)}\n`).join('')
    const receipt = await journalObject<Receipt>(['commit', '--batch', '-'], { cwd, input })
    expect(receipt.saved).toEqual({ reads: 1, writes: 1 })
    expect(text('a.txt')).toBe(lines('1', '2'))
    expect(text('c.txt')).toBe('  x\n  z\n')
    for (const wrong of [{ lenient: 'much' }, { merge: 1 }, { encoding: 'x' }, { strip: 1 }]) {
      const line = { ...batch[2], ...wrong }
      const { code } = await journal(['commit', '--batch', '-'], { cwd, input: `${JSON.stringify(line)}\n` })
      expect(code, JSON.stringify(wrong)).toBe(1)
    }
  })
})
