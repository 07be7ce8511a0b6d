import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test, vi } from 'vitest'
import type { Receipt } from '../../src/index.ts'
import { commit, errorOf, journal, journalLines, journalObject, newest, prepare, workspace } from './journal-process.ts'

vi.setConfig({ testTimeout: 30_000 })

const sha256 = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex')

describe.concurrent('commit --batch', () => {
  test('runs every operation in one transaction and prints the receipt', async ({ expect }) => {
    const root = await workspace()
    await prepare(root, {}, async (tx) => {
      await tx.write('edit.txt', 'one two two')
      await tx.write('gone.txt', 'gone')
      await tx.write('old.txt', 'moved')
      await tx.write('tree/a/b.txt', 'deep')
      await tx.write('patched.txt', 'a\nb\nc\n')
      await tx.mkdir('empty')
    })
    mkdirSync(path.join(root, 'sub'))
    writeFileSync(path.join(root, 'sub', 'source.bin'), Buffer.from([0, 255, 1]))
    const operations = [
      { op: 'write', path: 'text.txt', content: 'héllo', mode: '600' },
      { op: 'write', path: 'binary.bin', base64: Buffer.from([0, 1, 254, 255]).toString('base64'), expect: null },
      { op: 'write', path: 'from.bin', from: 'source.bin' },
      { op: 'append', path: 'text.txt', content: ' world' },
      {
        op: 'edit',
        path: 'edit.txt',
        edits: [
          { oldText: 'one', newText: '1' },
          { oldText: 'two', newText: '2', all: true },
        ],
      },
      { op: 'patch', path: 'patched.txt', patch: '--- a\n+++ b\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n' },
      { op: 'remove', path: 'gone.txt', expect: sha256('gone') },
      { op: 'remove', path: 'tree', recursive: true },
      { op: 'rename', path: 'old.txt', to: 'new/place.txt' },
      { op: 'mkdir', path: 'folder' },
      { op: 'rmdir', path: 'empty' },
      { op: 'chmod', path: 'text.txt', mode: '755' },
      { op: 'symlink', path: 'link', target: 'text.txt' },
    ]
    const input = `${operations.map((operation) => JSON.stringify(operation)).join('\r\n\n')}\n`
    const receipt = await journalObject<Receipt>(
      [
        'commit',
        '--batch',
        '-',
        '-m',
        'everything',
        '--actor',
        'tester',
        '--tag',
        'one',
        '--tag',
        'two',
        '--parent',
        'p1',
      ],
      { cwd: path.join(root, 'sub'), input },
    )
    expect(Object.keys(receipt)).toEqual(['tx', 'seq', 'chain', 'files', 'revisions', 'saved'])
    expect(receipt).toMatchObject({
      tx: expect.stringMatching(/^t[0-9a-z]{15}$/),
      seq: 2,
      chain: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    const files = Object.fromEntries(receipt.files.map((file) => [file.path, file]))
    expect(files['text.txt']).toEqual({ path: 'text.txt', before: null, after: sha256('héllo world') })
    expect(files['gone.txt']).toEqual({ path: 'gone.txt', before: sha256('gone'), after: null })
    expect(files['new/place.txt']).toMatchObject({ after: sha256('moved') })

    const read = (name: string) => readFileSync(path.join(root, name))
    expect(read('text.txt').toString()).toBe('héllo world')
    expect(lstatSync(path.join(root, 'text.txt')).mode & 0o777).toBe(0o755)
    expect([...read('binary.bin')]).toEqual([0, 1, 254, 255])
    expect([...read('from.bin')]).toEqual([0, 255, 1])
    expect(read('edit.txt').toString()).toBe('1 2 2')
    expect(read('patched.txt').toString()).toBe('a\nB\nc\n')
    expect(read('new/place.txt').toString()).toBe('moved')
    expect(readlinkSync(path.join(root, 'link'))).toBe('text.txt')
    expect(lstatSync(path.join(root, 'folder')).isDirectory()).toBe(true)
    for (const name of ['gone.txt', 'tree', 'old.txt', 'empty'])
      expect(existsSync(path.join(root, name)), name).toBe(false)

    const [newest] = await journalLines(['log', '-n', '1'], { cwd: root })
    expect(newest).toMatchObject({
      tx: receipt.tx,
      actor: 'tester',
      message: 'everything',
      tags: ['one', 'two'],
      parent: 'p1',
    })
    expect(newest?.files).toEqual(receipt.files)
  })

  test('reads a file as well, and prints a receipt for a person', async ({ expect }) => {
    const root = await workspace()
    writeFileSync(path.join(root, 'batch.jsonl'), '{"op":"write","path":"a.txt","content":"a"}')
    const run = await journal(['commit', '--batch', 'batch.jsonl'], { cwd: root })
    expect(run).toMatchObject({ code: 0, stderr: '' })
    expect(run.stdout).toMatch(/^committed t[0-9a-z]{15} \(1\), 1 path:\n {2}A a\.txt\n$/)
  })

  test('a batch that fails half way changes nothing and names its line', async ({ expect }) => {
    const root = await workspace()
    const input = '{"op":"write","path":"a.txt","content":"a"}\n\n{"op":"remove","path":"missing.txt"}\n'
    const run = await journal(['commit', '--batch', '-', '--json'], { cwd: root, input })
    expect(run).toMatchObject({ code: 1, stdout: '' })
    expect(errorOf(run)).toMatchObject({ code: 'NOT_FOUND', message: expect.stringMatching(/^line 3: /), line: 3 })
    expect(readdirSync(root)).toEqual(['.journal'])
    expect(await newest(root)).toBe(0)
  })

  test('a condition that does not hold is a conflict: exit code 3', async ({ expect }) => {
    const root = await workspace()
    await commit(root, { 'a.txt': 'a' })
    const input = JSON.stringify({ op: 'write', path: 'a.txt', content: 'b', expect: sha256('other') })
    const run = await journal(['commit', '--batch', '-', '--json'], { cwd: root, input })
    expect(run.code).toBe(3)
    expect(errorOf(run)).toMatchObject({ code: 'CONFLICT' })
    expect(readFileSync(path.join(root, 'a.txt'), 'utf8')).toBe('a')
  })
})

describe.concurrent('a line that cannot be read', () => {
  const BAD: readonly (readonly [what: string, line: string | Buffer, message: RegExp, code?: string])[] = [
    ['no JSON', '{"op":"write"', /is not JSON/],
    ['an array', '[]', /is not a JSON object/],
    ['null', 'null', /is not a JSON object/],
    ['no op', '{"path":"a"}', /has no "op"/],
    ['an unknown op', '{"op":"explode","path":"a"}', /unknown op "explode"/],
    ['an op from the prototype', '{"op":"constructor","path":"a"}', /unknown op "constructor"/],
    ['no path', '{"op":"remove"}', /"path" is missing/],
    ['a path of the wrong type', '{"op":"remove","path":1}', /"path" must be a path/],
    ['an empty path', '{"op":"remove","path":""}', /"path" must be a path/],
    ['an unknown field', '{"op":"remove","path":"a","recursiv":true}', /unknown field "recursiv"/],
    ['no content', '{"op":"write","path":"a"}', /no content/],
    ['two contents', '{"op":"write","path":"a","content":"","base64":""}', /"content" and "base64" together/],
    ['content of the wrong type', '{"op":"write","path":"a","content":{}}', /"content" must be a text/],
    ['half a character', '{"op":"write","path":"a","content":"\\ud800"}', /"content" must be a text/],
    ['broken Base64', '{"op":"write","path":"a","base64":"a*=="}', /must be Base64/],
    ['a mode that is a number', '{"op":"chmod","path":"a","mode":755}', /must be a text of octal digits/],
    ['a mode that is not octal', '{"op":"chmod","path":"a","mode":"rwx"}', /must be a text of octal digits/],
    ['no edits', '{"op":"edit","path":"a","edits":[]}', /"edits" must be a list/],
    ['an edit without new text', '{"op":"edit","path":"a","edits":[{"oldText":"x"}]}', /"edits" must be a list/],
    ['an expectation that is no hash', '{"op":"remove","path":"a","expect":"abc"}', /64 hex digits/],
    ['a file that is not there', '{"op":"write","path":"a","from":"nowhere"}', /there is no file/, 'NOT_FOUND'],
    ['a folder as content', '{"op":"write","path":"a","from":"."}', /is a folder/],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), /is not UTF-8/],
  ]

  test('is refused with its number before anything happens', async ({ expect }) => {
    const root = await workspace()
    const check = async ([what, line, message, code]: (typeof BAD)[number]) => {
      const good = '{"op":"write","path":"good.txt","content":"good"}\n'
      const input = Buffer.concat([Buffer.from(`${good}\n`), Buffer.from(line), Buffer.from(`\n${good}`)])
      const run = await journal(['commit', '--batch', '-', '--json'], { cwd: root, input })
      expect(run, what).toMatchObject({ code: 1, stdout: '' })
      expect(errorOf(run), what).toMatchObject({ code: code ?? 'INVALID', line: 3, hint: expect.stringMatching(/\S/) })
      expect(errorOf(run).message, what).toMatch(/^line 3: /)
      expect(errorOf(run).message, what).toMatch(message)
    }
    await Promise.all(BAD.map(check))
    expect(readdirSync(root)).toEqual(['.journal'])
    expect(await newest(root)).toBe(0)
  })

  test('nor is a batch without operations run', async ({ expect }) => {
    const root = await workspace()
    const run = await journal(['commit', '--batch', '-', '--json'], { cwd: root, input: '\n\n' })
    expect(run.code).toBe(1)
    expect(errorOf(run)).toMatchObject({ code: 'INVALID' })
  })
})
