import { createHash } from 'node:crypto'
import { createReadStream, existsSync, lstatSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test, vi } from 'vitest'
import type { Receipt } from '../../src/index.ts'
import { commit, errorOf, journal, journalLines, journalObject, newest, workspace } from './journal-process.ts'

vi.setConfig({ testTimeout: 30_000 })

const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex')

describe.concurrent('operations', () => {
  test('each is a transaction and prints its receipt', async ({ expect }) => {
    const cwd = await workspace()
    const run = async (args: string[], input = '') => {
      const receipt = await journalObject<Receipt>(args, { cwd, input })
      const more = ['edit', 'patch'].includes(args[0] as string) ? ['revisions', 'saved'] : []
      expect(Object.keys(receipt), args.join(' ')).toEqual(['tx', 'seq', 'chain', 'files', ...more])
      return receipt
    }
    const file = (name: string) => path.join(cwd, name)

    const written = await run(['write', 'a.txt', '-m', 'begin', '--mode', '640'], 'one\n')
    expect(written).toMatchObject({ seq: 1, files: [{ path: 'a.txt', before: null, after: sha256('one\n') }] })
    expect(lstatSync(file('a.txt')).mode & 0o777).toBe(0o640)
    const appended = await run(['append', 'a.txt', '--expect', sha256('one\n')], 'two\n')
    expect(appended.files).toEqual([{ path: 'a.txt', before: sha256('one\n'), after: sha256('one\ntwo\n') }])
    await run(['edit', 'a.txt', '--old', 'one', '--new', '-m', '--old', 'two', '--new', ''])
    expect(readFileSync(file('a.txt'), 'utf8')).toBe('-m\n\n')
    await run(['edit', 'a.txt', '--all', '--old', '\n', '--new', '.'])
    expect(readFileSync(file('a.txt'), 'utf8')).toBe('-m..')
    await run(['write', 'p.txt', '--expect', 'none'], 'x\ny\n')
    await run(['patch', '-', '--path', 'p.txt'], '--- a\n+++ b\n@@ -1,2 +1,2 @@\n x\n-y\n+z\n')
    expect(readFileSync(file('p.txt'), 'utf8')).toBe('x\nz\n')
    await run(['mkdir', 'd/e', 'f/'])
    await run(['mv', 'a.txt', 'd/e/b.txt'])
    await run(['chmod', '755', 'd/e/b.txt', 'p.txt'])
    expect(lstatSync(file('d/e/b.txt')).mode & 0o777).toBe(0o755)
    await run(['ln', 'e/b.txt', 'd/link'])
    expect(readlinkSync(file('d/link'))).toBe('e/b.txt')
    await run(['rmdir', 'f'])
    await run(['rm', 'p.txt', 'd/link'])
    const removed = await run(['rm', '-r', 'd/'])
    expect(removed.files.map(({ path }) => path)).toContain('d/e/b.txt')
    for (const name of ['a.txt', 'p.txt', 'd', 'f']) expect(existsSync(file(name)), name).toBe(false)

    const log = await journalLines<{ seq: number; message: string | null }>(['log', '--oldest'], { cwd })
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_line, index) => index + 1))
    expect(log[0]?.message).toBe('begin')
  })

  test('a large content streams from standard input into the file', async ({ expect }) => {
    const cwd = await workspace()
    const hash = createHash('sha256')
    async function* chunks() {
      for (let i = 0; i < 24; i += 1) {
        const chunk = Buffer.alloc(1024 * 1024, i)
        hash.update(chunk)
        yield chunk
      }
    }
    const receipt = await journalObject<Receipt>(['write', 'large.bin'], { cwd, input: chunks() })
    const digest = hash.digest('hex')
    expect(receipt.files).toEqual([{ path: 'large.bin', before: null, after: digest }])
    const found = createHash('sha256')
    for await (const chunk of createReadStream(path.join(cwd, 'large.bin'))) found.update(chunk)
    expect(found.digest('hex')).toBe(digest)
  })

  test('an empty standard input makes an empty file', async ({ expect }) => {
    const cwd = await workspace()
    await journalObject(['write', 'empty.txt'], { cwd })
    expect(readFileSync(path.join(cwd, 'empty.txt'), 'utf8')).toBe('')
  })

  test.for([
    ['removing what is not there', ['rm', 'x'], 1, 'NOT_FOUND'],
    ['moving what is not there', ['mv', 'x', 'y'], 1, 'NOT_FOUND'],
    ['editing what is not there', ['edit', 'x', '--old', 'a', '--new', 'b'], 1, 'NOT_FOUND'],
    ['editing a text that is not there', ['edit', 'a.txt', '--old', 'zzz', '--new', 'b'], 1, 'INVALID'],
    ['editing a text that stands twice', ['edit', 'a.txt', '--old', 'a', '--new', 'b'], 1, 'INVALID'],
    ['writing where other content was expected', ['write', 'a.txt', '--expect', 'none'], 3, 'CONFLICT'],
    ['removing a folder without -r', ['rm', 'd'], 1, 'INVALID'],
    ['removing a folder that is not empty', ['rmdir', 'd'], 1, 'INVALID'],
    ['a file in a path, as a folder', ['write', 'a.txt/b'], 1, 'INVALID'],
    ['one of two paths that is not there', ['rm', 'a.txt', 'x'], 1, 'NOT_FOUND'],
  ] as const)('%s fails and changes nothing', async ([, args, exitCode, code], { expect }) => {
    const cwd = await workspace()
    await commit(cwd, { 'a.txt': 'a a' })
    await commit(cwd, { 'd/b.txt': 'b' })
    const run = await journal([...args, '--json'], { cwd, input: 'new' })
    expect(run).toMatchObject({ code: exitCode, stdout: '' })
    expect(errorOf(run)).toMatchObject({ code, hint: expect.stringMatching(/\S/) })
    expect(readFileSync(path.join(cwd, 'a.txt'), 'utf8')).toBe('a a')
    expect(await newest(cwd)).toBe(2)
  })

  test('status lists what changed behind the journal; adopt takes it in', async ({ expect }) => {
    const cwd = await workspace()
    await commit(cwd, { 'a.txt': 'a' })
    await commit(cwd, { 'b.txt': 'b' })
    const clean = await journalObject(['status'], { cwd })
    expect(clean).toMatchObject({
      root: cwd,
      seq: 2,
      needsRecovery: false,
      inFlight: [],
      changed: [],
      tracked: 2,
      writer: null,
    })
    expect(Object.keys(clean)).toEqual(expect.arrayContaining(['journal', 'chain', 'time']))

    writeFileSync(path.join(cwd, 'a.txt'), 'edited by hand')
    writeFileSync(path.join(cwd, 'unknown.txt'), 'not of the journal')
    const { changed } = await journalObject<{ changed: unknown[] }>(['status'], { cwd })
    expect(changed).toEqual([
      expect.objectContaining({
        path: 'a.txt',
        change: 'modified',
        recorded: expect.objectContaining({ hash: sha256('a') }),
        found: expect.objectContaining({ hash: sha256('edited by hand') }),
      }),
    ])
    const text = await journal(['status'], { cwd })
    expect(text.stdout).toMatch(/ {2}modified +a\.txt\n/)
    expect(text.stdout).toContain('journal adopt')

    const receipt = await journalObject<Receipt>(['adopt', '-m', 'by hand'], { cwd })
    expect(receipt.files).toEqual([{ path: 'a.txt', before: sha256('a'), after: sha256('edited by hand') }])
    expect(await journalObject(['adopt'], { cwd })).toEqual({ tx: null, seq: null, chain: null, files: [] })
    expect((await journal(['adopt'], { cwd })).stdout).toBe('Nothing to adopt.\n')
    const unknown = await journalObject<Receipt>(['adopt', 'unknown.txt'], { cwd })
    expect(unknown.files.map((file) => file.path)).toEqual(['unknown.txt'])
  })

  test('a content that somebody changed is kept before it is overwritten', async ({ expect }) => {
    const cwd = await workspace()
    await commit(cwd, { 'a.txt': 'a' })
    writeFileSync(path.join(cwd, 'a.txt'), 'by hand')
    await journalObject(['write', 'a.txt'], { cwd, input: 'b' })
    await journalObject(['undo', 'head'], { cwd })
    expect(readFileSync(path.join(cwd, 'a.txt'), 'utf8')).toBe('by hand')
  })
})
