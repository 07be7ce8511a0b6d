import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { openJournal } from '../../../src/index.ts'
import { ours, scratch } from './clients.ts'

vi.setConfig({ testTimeout: 120_000 })

const read = (...names: string[]): string => readFileSync(join(...names), 'utf8')

test('a transaction over several calls sees its own writes, and changes nothing before its commit', async () => {
  const root = scratch()
  mkdirSync(join(root, 'src'))
  writeFileSync(join(root, 'src/a.txt'), 'one\ntwo\nthree\n')
  writeFileSync(join(root, 'old.txt'), 'old\n')
  const server = await ours(root)
  await server.text('begin_transaction', { message: 'all at once', tags: ['job-7'] })
  await server.text('write_file', { path: 'src/new.txt', content: 'new\n' })
  await server.text('edit_file', { path: 'src/a.txt', edits: [{ oldText: 'two', newText: 'TWO' }] })
  await server.text('edit_file', { path: 'src/a.txt', edits: [{ oldText: 'TWO', newText: 'TWO AND A HALF' }] })
  await server.text('create_directory', { path: 'made/deep' })
  await server.text('move_file', { source: 'old.txt', destination: 'made/moved.txt' })
  await server.text('move_file', { source: 'src', destination: 'lib' })
  await server.text('remove', { path: 'lib/new.txt' })
  await server.text('write_file', { path: 'made/deep/last.txt', content: 'last\n' })

  expect(await server.text('read_text_file', { path: 'lib/a.txt' })).toBe('one\nTWO AND A HALF\nthree\n')
  expect(await server.text('read_text_file', { path: 'lib/a.txt', tail: 2 })).toBe('three\n')
  expect(await server.text('read_text_file', { path: 'lib/a.txt', head: 1 })).toBe('one')
  expect(await server.text('read_multiple_files', { paths: ['made/moved.txt', 'old.txt', 'lib/new.txt'] })).toMatch(
    /^made\/moved\.txt:\nold\n\n\n---\nold\.txt: Error - ENOENT: .*\n---\nlib\/new\.txt: Error - ENOENT: /,
  )
  expect(await server.text('list_directory', { path: '.' })).toBe('[DIR] made\n[DIR] lib')
  expect(await server.refused('list_directory', { path: 'src' })).toContain(
    'ENOENT: no such file or directory, scandir',
  )
  const found = (await server.text('search_files', { path: '.', pattern: '**/*.txt' })).split('\n').sort()
  expect(found).toEqual(['lib/a.txt', 'made/deep/last.txt', 'made/moved.txt'].map((path) => join(root, path)))
  expect(JSON.parse(await server.text('directory_tree', { path: 'made' }))).toEqual([
    { name: 'deep', type: 'directory', children: [{ name: 'last.txt', type: 'file' }] },
    { name: 'moved.txt', type: 'file' },
  ])
  expect(await server.text('list_directory_with_sizes', { path: 'made' })).toContain('Total: 1 files, 1 directories')
  expect(await server.text('get_file_info', { path: 'lib/a.txt' })).toMatch(/^size: 25\n[\s\S]*isFile: true/)
  expect(await server.refused('get_file_info', { path: 'old.txt' })).toContain('ENOENT')
  expect(await server.refused('move_file', { source: 'lib', destination: 'made' })).toContain(
    'Destination already exists',
  )
  expect(await server.refused('write_file', { path: 'src/x.txt', content: 'x' })).toContain('ENOENT')
  expect(await server.refused('edit_file', { path: 'old.txt', edits: [] })).toContain('ENOENT')
  expect(await server.refused('create_directory', { path: 'lib/a.txt' })).toContain('EEXIST')

  expect([read(root, 'src/a.txt'), read(root, 'old.txt'), existsSync(join(root, 'made'))]).toEqual([
    'one\ntwo\nthree\n',
    'old\n',
    false,
  ])
  const { changed } = await server.structured<{ changed: string[] }>('transaction_status')
  expect(changed).toContain(join(root, 'made/moved.txt'))
  const { receipts } = await server.structured<{ receipts: { transaction: string }[] }>('commit_transaction')
  expect(receipts).toHaveLength(1)
  expect([read(root, 'lib/a.txt'), existsSync(join(root, 'src')), read(root, 'made/deep/last.txt')]).toEqual([
    'one\nTWO AND A HALF\nthree\n',
    false,
    'last\n',
  ])
  const { transactions } = await server.structured<{ transactions: Record<string, unknown>[] }>('history')
  expect(transactions).toMatchObject([
    { seq: 1, actor: 'tester', message: 'all at once', tags: ['mcp:begin_transaction', 'job-7'] },
  ])
  await server.text('undo', { transaction: 'head' })
  expect([read(root, 'src/a.txt'), read(root, 'old.txt')]).toEqual(['one\ntwo\nthree\n', 'old\n'])
})

test('abort forgets it; there is one at a time; history goes on outside of it only', async () => {
  const root = scratch()
  const server = await ours(root)
  expect(await server.refused('commit_transaction')).toContain('NOT_FOUND: no transaction is open')
  expect(await server.refused('abort_transaction')).toContain('NOT_FOUND: no transaction is open')
  await server.text('begin_transaction')
  expect(await server.refused('begin_transaction')).toContain('INVALID: a transaction is open already')
  await server.text('write_file', { path: 'a.txt', content: 'a' })
  for (const [name, args] of [
    ['undo', { transaction: 1 }],
    ['redo', { transaction: 1 }],
    ['restore', { to: 0 }],
    ['adopt', {}],
  ] as const)
    expect(await server.refused(name, args), name).toMatch(/INVALID: .*another one is open|NOT_FOUND/)
  expect(
    await server.refused('edit_files', {
      files: [{ path: 'a.txt', edits: [{ oldText: 'a', newText: 'b' }] }],
      dryRun: true,
    }),
  ).toContain('INVALID')
  await server.text('abort_transaction')
  expect(existsSync(join(root, 'a.txt'))).toBe(false)
  // A commit of nothing is none.
  await server.text('begin_transaction')
  expect(await server.text('commit_transaction')).toBe('nothing to change')
  expect(await server.text('history')).toBe('no transactions')
})

test('a call that is refused leaves the open transaction as it was', async () => {
  const root = scratch()
  writeFileSync(join(root, 'a.txt'), 'a\n')
  writeFileSync(join(root, 'b.txt'), 'b\n')
  const server = await ours(root)
  await server.text('begin_transaction')
  const refused = await server.refused('edit_files', {
    files: [
      { path: 'a.txt', edits: [{ oldText: 'a', newText: 'A' }] },
      { path: 'b.txt', edits: [{ oldText: 'nowhere', newText: 'x' }] },
    ],
  })
  expect(refused).toContain('b.txt')
  expect(
    await server.refused('build_module', {
      spec: {
        folder: '.',
        files: [
          { path: 'x.txt', content: 'x' },
          { path: 'a.txt', content: 'y' },
        ],
      },
    }),
  ).toContain('EXISTS')
  expect(
    await server.refused('apply_review', {
      review: {
        changes: [
          { path: 'a.txt', lines: 1, newText: 'A' },
          { path: 'b.txt', lines: 9, newText: 'B' },
        ],
      },
    }),
  ).toContain('CONFLICT')
  expect(
    await server.refused('apply_patch', {
      patch: '--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-a\n+A\n--- a/b.txt\n+++ b/b.txt\n@@ -1 +1 @@\n-x\n+y\n',
    }),
  ).toContain('b.txt')
  expect(await server.structured('transaction_status')).toEqual({ open: true, changed: [] })
  await server.text('write_file', { path: 'a.txt', content: 'new\n' })
  await server.text('apply_review', {
    review: { changes: [{ path: 'a.txt', lines: 1, oldText: 'new', newText: 'newer' }] },
  })
  await server.text('build_module', { spec: { folder: 'm', files: [{ path: 'x.txt', content: 'x' }] } })
  await server.text('commit_transaction')
  expect([read(root, 'a.txt'), read(root, 'm/x.txt')]).toEqual(['newer\n', 'x'])
})

test('what fails half-way takes the open transaction with it', async () => {
  const root = scratch()
  const server = await ours(root)
  await server.text('begin_transaction')
  // The second name cannot be written, which is only found when it is to be.
  const files = [
    { path: 'x.txt', content: 'x' },
    { path: `${'n'.repeat(300)}.txt`, content: 'y' },
  ]
  const failed = await server.refused('build_module', { spec: { folder: 'm', files } })
  expect(failed).toMatch(/^INVALID: .*The transaction that was open is aborted\.$/s)
  // What the client goes on with is not done one by one.
  for (const [name, args] of [
    ['write_file', { path: 'a.txt', content: 'a' }],
    ['undo', { transaction: 1 }],
    ['build_module', { spec: { folder: 'm', files: [{ path: 'x.txt', content: 'x' }] } }],
    ['apply_review', { review: { changes: [{ path: 'a.txt', lines: 1, newText: 'x' }] } }],
  ] as const)
    expect(await server.refused(name, args), name).toContain(
      'CLOSED: the transaction was aborted: a call failed half-way',
    )
  expect(await server.refused('commit_transaction')).toContain('the transaction was aborted: a call failed half-way')
  expect(existsSync(join(root, 'm'))).toBe(false)
  await server.text('begin_transaction')
  expect(await server.refused('build_module', { spec: { folder: 'm', files } })).toContain('INVALID')
  expect(await server.text('abort_transaction')).toContain('Aborted')
  await server.text('write_file', { path: 'a.txt', content: 'a' })
  expect(read(root, 'a.txt')).toBe('a')
})

test('somebody else changes what it read: CONFLICT, and nothing happens', async () => {
  const root = scratch()
  writeFileSync(join(root, 'a.txt'), 'a\n')
  const server = await ours(root)
  await server.text('begin_transaction')
  await server.text('read_text_file', { path: 'a.txt' })
  await server.text('write_file', { path: 'b.txt', content: 'made of what a.txt says' })
  writeFileSync(join(root, 'a.txt'), 'by hand\n')
  const result = await server.call('commit_transaction')
  expect(result.isError).toBe(true)
  expect(result._meta).toMatchObject({ 'write-journal/error': { code: 'CONFLICT', path: 'a.txt' } })
  expect([existsSync(join(root, 'b.txt')), read(root, 'a.txt')]).toEqual([false, 'by hand\n'])
  expect(await server.structured('transaction_status')).toEqual({ open: false, changed: [] })
})

test.runIf(process.platform !== 'win32').each(['SIGKILL', 'SIGTERM', 'the end of its input'] as const)(
  'a client that vanishes (%s) in a transaction has changed nothing',
  async (how) => {
    const root = scratch()
    writeFileSync(join(root, 'a.txt'), 'a\n')
    const server = await ours(root)
    await server.text('write_file', { path: 'kept.txt', content: 'kept' })
    await server.text('begin_transaction')
    await server.text('write_file', { path: 'a.txt', content: 'never' })
    const { pid } = server.transport
    if (how === 'the end of its input') await server.close()
    else process.kill(pid as number, how)
    await vi.waitFor(() => expect(() => process.kill(pid as number, 0)).toThrow(), { timeout: 20_000 })
    expect([read(root, 'a.txt'), read(root, 'kept.txt')]).toEqual(['a\n', 'kept'])
    const journal = await openJournal(root)
    expect(await journal.resolve('head')).toBe(1)
    expect((await journal.verify()).ok).toBe(true)
    await journal.close()
    const again = await ours(root)
    await again.text('write_file', { path: 'a.txt', content: 'now' })
    expect(read(root, 'a.txt')).toBe('now')
  },
)

test('calls are carried out in the order in which they come', async () => {
  const root = scratch()
  const server = await ours(root)
  const results = await Promise.all([
    server.call('begin_transaction'),
    server.call('write_file', { path: 'a.txt', content: '1' }),
    server.call('write_file', { path: 'b.txt', content: '2' }),
    server.call('read_text_file', { path: 'b.txt' }),
    server.call('commit_transaction'),
    server.call('write_file', { path: 'a.txt', content: '3' }),
  ])
  expect(results.filter(({ isError }) => isError === true)).toEqual([])
  expect(results[3]?.content).toEqual([{ type: 'text', text: '2' }])
  const { transactions } = await server.structured<{ transactions: { fileCount: number }[] }>('history')
  expect(transactions.map(({ fileCount }) => fileCount)).toEqual([1, 2])
})

test('nested directories: a path belongs to the innermost, and moves between them', async () => {
  const root = scratch()
  const inner = join(root, 'packages/inner')
  mkdirSync(inner, { recursive: true })
  mkdirSync(join(root, 'bin'))
  writeFileSync(join(root, 'bin/tool.sh'), '#!/bin/sh\n', { mode: 0o755 })
  writeFileSync(join(root, 'bin/note.txt'), 'note\n')
  const server = await ours(root, inner)
  await server.text('write_file', { path: join(inner, 'in.txt'), content: 'in' })
  await server.text('write_file', { path: join(root, 'out.txt'), content: 'out' })
  await server.text('move_file', { source: join(root, 'bin'), destination: join(inner, 'bin') })
  expect([read(inner, 'bin/tool.sh'), existsSync(join(root, 'bin'))]).toEqual(['#!/bin/sh\n', false])
  expect(await server.refused('history')).toContain('INVALID: which directory?')
  const of = (directory: string) =>
    server.structured<{ transactions: { files: { path: string }[]; transaction: string }[] }>('history', { directory })
  const [ourHistory, innerHistory] = [await of(root), await of(inner)]
  expect(ourHistory.transactions.map(({ files }) => files.map(({ path }) => path))).toEqual([
    ['bin/note.txt', 'bin/tool.sh'],
    ['out.txt'],
  ])
  expect(innerHistory.transactions.map(({ files }) => files.map(({ path }) => path).sort())).toEqual([
    ['bin/note.txt', 'bin/tool.sh'],
    ['in.txt'],
  ])
  // An id says whose it is.
  await server.text('undo', { transaction: innerHistory.transactions[1]?.transaction })
  expect(existsSync(join(inner, 'in.txt'))).toBe(false)
  expect(await server.refused('undo', { transaction: 'tzzzzzz' })).toContain('NOT_FOUND: 0 directories have')
  // The journal of the inner one is not moved or removed by the outer one.
  expect(
    await server.refused('move_file', { source: join(root, 'packages'), destination: join(root, 'elsewhere') }),
  ).toContain('PATH_OUTSIDE')
  expect(existsSync(join(inner, 'bin/tool.sh'))).toBe(true)
})

test('one transaction in two directories: when the second refuses, the first is taken back', async () => {
  const [one, two] = [scratch(), scratch()]
  writeFileSync(join(two, 'b.txt'), 'b\n')
  const server = await ours(one, two)
  await server.text('begin_transaction')
  await server.text('write_file', { path: join(one, 'a.txt'), content: 'a' })
  await server.text('edit_file', { path: join(two, 'b.txt'), edits: [{ oldText: 'b', newText: 'B' }] })
  writeFileSync(join(two, 'b.txt'), 'by hand\n')
  expect(await server.refused('commit_transaction')).toContain('CONFLICT')
  expect([existsSync(join(one, 'a.txt')), read(two, 'b.txt')]).toEqual([false, 'by hand\n'])
  const { transactions } = await server.structured<{ transactions: { kind: string }[] }>('history', { directory: one })
  expect(transactions.map(({ kind }) => kind)).toEqual(['undo', 'write'])
})
