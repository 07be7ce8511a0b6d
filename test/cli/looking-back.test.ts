import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { closeSync, existsSync, openSync, unlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test, vi } from 'vitest'
import { commit, errorOf, journal, journalLines, journalObject, MAIN, prepare, workspace } from './journal-process.ts'

vi.setConfig({ testTimeout: 30_000 })

const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex')

interface LogLine {
  readonly tx: string
  readonly seq: number
  readonly time: number
  readonly actor: string | null
  readonly message: string | null
}

/** Four transactions: 1 a.txt, 2 dir/b.txt, 3 a.txt again, 4 dir/c.txt. */
async function history(): Promise<string> {
  const cwd = await workspace()
  await commit(cwd, { 'a.txt': 'a1\n' }, { actor: 'alice', message: 'first\nwith a second line' })
  await commit(cwd, { 'dir/b.txt': 'b\n' }, { actor: 'bob', tags: ['red'] })
  await prepare(cwd, { actor: 'bob', message: 'second' }, (tx) => tx.edit('a.txt', [{ oldText: 'a1', newText: 'a2' }]))
  await commit(cwd, { 'dir/c.txt': 'c\n' }, { actor: 'alice', tags: ['red'], parent: 'p' })
  return cwd
}

describe.concurrent('log', () => {
  test('prints a line a transaction, newest first, filtered', async ({ expect }) => {
    const cwd = await history()
    const seqs = async (...args: string[]) =>
      (await journalLines<LogLine>(['log', ...args], { cwd })).map(({ seq }) => seq)
    const all = await journalLines<LogLine>(['log'], { cwd })
    expect(all.map(({ seq }) => seq)).toEqual([4, 3, 2, 1])
    for (const line of all) {
      expect(Object.keys(line)).toEqual(
        expect.arrayContaining(['tx', 'seq', 'time', 'actor', 'message', 'chain', 'files']),
      )
    }
    expect(all[3]).toMatchObject({
      ...{ seq: 1, actor: 'alice', message: 'first\nwith a second line', time: expect.any(Number) },
      files: [{ path: 'a.txt', before: null, after: sha256('a1\n') }],
    })
    expect(all[2]?.message).toBe(null)
    const cases: [number[], string[]][] = [
      [[1, 2, 3, 4], ['--oldest']],
      [
        [4, 3],
        ['-n', '2'],
      ],
      [[3, 1], ['a.txt']],
      [[4, 2], ['dir']],
      [
        [3, 2],
        ['--actor', 'bob'],
      ],
      [
        [4, 2],
        ['--tag', 'red'],
      ],
      [[4], ['--parent', 'p']],
      [
        [4, 3],
        ['--since', '2'],
      ],
      [
        [2, 1],
        ['--until', '2'],
      ],
      [[3], ['--since', '2', '--until', '3', '--actor', 'bob', 'a.txt']],
      [
        [4, 3, 2, 1],
        ['--since', '1h'],
      ],
      [[], ['--until', '1h']],
    ]
    for (const [expected, args] of cases) expect(await seqs(...args), args.join(' ')).toEqual(expected)
    expect(await seqs('--since', all[1]?.tx as string)).toEqual([4])
    expect(await seqs('--until', new Date(all[3]?.time as number).toISOString())).toContain(1)
  })

  test('is plain tab-separated text in a pipe, a line a transaction', async ({ expect }) => {
    const cwd = await history()
    const { stdout, code } = await journal(['log'], { cwd })
    expect(code).toBe(0)
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'))
    expect(rows.map((row) => row[1])).toEqual(['4', '3', '2', '1'])
    expect(rows[3]).toEqual([
      ...[expect.stringMatching(/^t[0-9a-z]{15}$/), '1', expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)],
      ...['alice', 'first …', '1'],
    ])
    const colored = await journal(['log'], { cwd, env: { FORCE_COLOR: '1', NO_COLOR: '' } })
    expect(colored.code).toBe(0)
  })

  test('ends quietly when its reader goes away', async ({ expect }) => {
    const cwd = await workspace()
    await commit(cwd, Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`some/long/folder/name/${i}.txt`, ''])))
    const child = spawn(process.execPath, [MAIN, 'export'], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    let stderr = ''
    child.stderr.on('data', (chunk) => (stderr += chunk))
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })

  test('escapes what a terminal could take for a command', async ({ expect }) => {
    const cwd = await workspace()
    await commit(cwd, { a: '' }, { message: 'red \x1b[31m alert' })
    expect((await journal(['log'], { cwd })).stdout).toContain('red \\x1b[31m alert')
    expect((await journalLines<LogLine>(['log'], { cwd }))[0]?.message).toBe('red \x1b[31m alert')
  })
})

describe.concurrent('show', () => {
  test('names a transaction by id, beginning of it, number, or head', async ({ expect }) => {
    const cwd = await history()
    const [newest] = await journalLines<LogLine>(['log', '-n', '1'], { cwd })
    const tx = newest?.tx as string
    for (const name of [tx.slice(0, 15), '4', 'head']) {
      const shown = await journalObject(['show', name], { cwd })
      expect(shown).toMatchObject({
        tx,
        seq: 4,
        actor: 'alice',
        kind: 'write',
        tags: ['red'],
        parent: 'p',
        chain: expect.any(String),
      })
      expect(shown.entries).toEqual([expect.objectContaining({ op: 'write', path: 'dir/c.txt', before: null })])
      expect(shown.files).toEqual([{ path: 'dir/c.txt', before: null, after: sha256('c\n') }])
    }
  })

  test('prints who, why, the operations and the patch', async ({ expect }) => {
    const cwd = await history()
    const { stdout } = await journal(['show', '3'], { cwd })
    expect(stdout).toMatch(/^transaction t[0-9a-z]{15} \(3\)\nkind {4}write\ntime {4}\d{4}-/)
    expect(stdout).toContain('\n    second\n')
    expect(stdout).toContain('\n  edit     a.txt\n')
    expect(stdout).toContain('\n-a1\n+a2\n')
  })

  test.for([['99'], ['tzzzzzzz'], ['nonsense!']])(
    'an unknown transaction is refused: %s',
    async ([name], { expect }) => {
      const cwd = await history()
      const run = await journal(['show', name as string, '--json'], { cwd })
      expect(run).toMatchObject({ code: 1, stdout: '' })
      expect(['NOT_FOUND', 'INVALID']).toContain(errorOf(run).code)
    },
  )
})

describe.concurrent('cat', () => {
  test('prints a file as it was, byte for byte', async ({ expect }) => {
    const cwd = await history()
    const cat = async (...args: string[]) => (await journal(['cat', ...args], { cwd })).stdout
    expect(await cat('a.txt', '--at', '1')).toBe('a1\n')
    expect(await cat('a.txt', '--at', '2')).toBe('a1\n')
    expect(await cat('a.txt')).toBe('a2\n')
    expect(await journalObject(['cat', 'a.txt', '--at', '2'], { cwd })).toEqual({
      ...{ path: 'a.txt', seq: 2, hash: sha256('a1\n'), size: 3, mode: expect.any(Number), content: 'a1\n' },
    })
    for (const args of [['a.txt', '--at', '0'], ['a.txt', '--at', '1h'], ['nowhere.txt'], ['dir']]) {
      const run = await journal(['cat', ...args, '--json'], { cwd })
      expect(run, args.join(' ')).toMatchObject({ code: 1, stdout: '' })
      expect(['NOT_FOUND', 'INVALID'], args.join(' ')).toContain(errorOf(run).code)
    }
  })

  test.runIf(existsSync('/dev/full'))('fails when what it prints cannot be written', async ({ expect }) => {
    const cwd = await history()
    const full = openSync('/dev/full', 'w')
    const child = spawn(process.execPath, [MAIN, 'cat', 'a.txt', '--json'], { cwd, stdio: ['ignore', full, 'pipe'] })
    let stderr = ''
    child.stderr?.on('data', (chunk) => (stderr += chunk))
    const code = await new Promise((resolve) => child.on('close', resolve))
    closeSync(full)
    expect(code).toBe(1)
    expect(JSON.parse(stderr).error).toMatchObject({ code: 'NO_SPACE' })
  })

  test('prints binary and large contents as Base64 in JSON', async ({ expect }) => {
    const cwd = await workspace()
    const large = randomBytes(3 * 1024 * 1024 + 1)
    await journalObject(['write', 'large.bin'], { cwd, input: large })
    await journalObject(['write', 'small.bin'], { cwd, input: Buffer.from([255, 0]) })
    const printed = await journalObject<{ base64: string }>(['cat', 'large.bin'], { cwd })
    expect(Buffer.from(printed.base64, 'base64').equals(large)).toBe(true)
    expect(await journalObject(['cat', 'small.bin'], { cwd })).toMatchObject({ base64: '/wA=' })
  })
})

describe.concurrent('diff', () => {
  test('of a transaction, of two points, of the workspace', async ({ expect }) => {
    const cwd = await history()
    const diff = async (...args: string[]) => (await journal(['diff', ...args], { cwd })).stdout
    expect(await diff('3')).toContain('\n-a1\n+a2\n')
    const between = await journalLines<{ path: string }>(['diff', '1', 'head'], { cwd })
    expect(between.map(({ path }) => path)).toEqual(expect.arrayContaining(['a.txt', 'dir/b.txt', 'dir/c.txt']))
    for (const difference of between)
      expect(Object.keys(difference)).toEqual(expect.arrayContaining(['path', 'before', 'after', 'binary', 'patch']))
    expect(
      (await journalLines<{ path: string }>(['diff', '1', '4', 'a.txt'], { cwd })).map(({ path }) => path),
    ).toEqual(['a.txt'])
    expect(await diff()).toBe('')

    writeFileSync(path.join(cwd, 'a.txt'), 'by hand\n')
    unlinkSync(path.join(cwd, 'dir', 'b.txt'))
    const text = await diff()
    expect(text).toContain('\n-a2\n+by hand\n')
    expect(text).toContain('+++ /dev/null\n')
    expect((await journalLines<{ path: string }>(['diff'], { cwd })).map(({ path }) => path).sort()).toEqual([
      'a.txt',
      'dir/b.txt',
    ])
    expect((await journal(['diff'], { cwd, env: { FORCE_COLOR: '1' } })).stdout).toContain('\x1b[31m-a2')
    expect((await journal(['diff'], { cwd, env: { NO_COLOR: '1', FORCE_COLOR: '1' } })).stdout).toBe(text)
  })
})
