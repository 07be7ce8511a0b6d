import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ListRootsRequestSchema, ResourceListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { expect, test, vi } from 'vitest'
import { openJournal } from '../../../src/index.ts'
import { CLI, connect, ours, scratch, textOf } from './clients.ts'

vi.setConfig({ testTimeout: 120_000 })

const read = (...names: string[]): string => readFileSync(join(...names), 'utf8')

interface Receipts {
  readonly receipts: readonly { readonly transaction: string; readonly files: readonly { readonly path: string }[] }[]
}

test('looks back, goes back, goes forth', async () => {
  const root = scratch()
  const server = await ours(root)
  expect(await server.text('status')).toContain('no journal yet')
  expect(await server.refused('history')).toContain('NOT_FOUND: there is no journal')
  expect(existsSync(join(root, '.journal'))).toBe(false)
  await server.text('write_file', { path: 'a.txt', content: 'one\n' })
  await server.text('edit_file', { path: 'a.txt', edits: [{ oldText: 'one', newText: 'two' }] })
  const shown = await server.structured<Record<string, unknown>>('show', { transaction: 2 })
  expect(shown).toMatchObject({
    transaction: {
      seq: 2,
      kind: 'write',
      actor: 'tester',
      tags: ['mcp:edit_file'],
      files: [{ path: 'a.txt', change: 'modified' }],
    },
    files: [{ path: 'a.txt', patch: expect.stringContaining('-one\n+two') }],
    truncated: false,
  })
  // It stands in the history as an edit, not only as another content.
  const journal = await openJournal(root, { readOnly: true })
  expect((await journal.show(2)).entries[0]).toMatchObject({ op: 'edit', edits: [{ oldText: 'one', newText: 'two' }] })
  await journal.close()
  expect(await server.text('read_at', { path: 'a.txt', at: 1 })).toBe('one\n')
  expect(await server.structured('read_at', { path: 'a.txt', at: 'head', base64: true })).toEqual({
    content: Buffer.from('two\n').toString('base64'),
    encoding: 'base64',
  })
  await server.text('undo', { transaction: '2', message: 'not good' })
  expect(read(root, 'a.txt')).toBe('one\n')
  await server.text('redo', { transaction: 2 })
  expect(read(root, 'a.txt')).toBe('two\n')
  expect(await server.text('diff', { from: 1, to: 2 })).toContain('-one\n+two')
  expect(await server.text('diff', { transaction: 'head', paths: ['b.txt'] })).toBe('no difference')
  expect(await server.refused('diff', { transaction: 1, from: 1 })).toContain('INVALID')
  writeFileSync(join(root, 'a.txt'), 'by hand\n')
  expect(await server.text('diff')).toContain('+by hand')
  expect(await server.text('status')).toContain('modified  a.txt')
  const conflict = await server.refused('undo', { transaction: 1 })
  expect(conflict).toMatch(/^CONFLICT: changed since: a\.txt\nhint: /)
  await server.text('adopt', { message: 'hers' })
  const restored = await server.text('restore', { to: 1, dryRun: true })
  expect(restored).toContain('modified  a.txt')
  expect(read(root, 'a.txt')).toBe('by hand\n')
  await server.text('restore', { to: 1, paths: [join(root, 'a.txt')] })
  expect(read(root, 'a.txt')).toBe('one\n')
  expect(await server.structured('verify', { workspace: true })).toMatchObject({
    ok: true,
    transactions: 6,
    changed: [],
  })
  expect(await server.refused('verify', { head: 'x' })).toContain('INVALID')
  const { transactions } = await server.structured<{ transactions: { kind: string; message: string | null }[] }>(
    'history',
    { limit: 3 },
  )
  expect(transactions.map(({ kind, message }) => [kind, message])).toEqual([
    ['restore', null],
    ['adopt', 'hers'],
    ['redo', null],
  ])
  expect(await server.refused('undo', { transaction: 99 })).toContain('NOT_FOUND')
  expect(await server.refused('read_at', { path: 'a.txt', at: 'yesterday' })).toContain('INVALID')
  expect(await server.refused('history', { path: '/etc' })).toContain('Access denied')
})

test('edits many files at once, or none', async () => {
  const root = scratch()
  writeFileSync(join(root, 'a.ts'), 'const a = 1\r\nconst b = 2\r\n')
  writeFileSync(join(root, 'b.ts'), 'x\nx\n')
  const server = await ours(root)
  const edits = (path: string, oldText: string, newText: string, all?: boolean) => ({
    path,
    edits: [{ oldText, newText, ...(all === undefined ? {} : { all }) }],
  })
  const failed = await server.call('edit_files', { files: [edits('a.ts', 'gone', 'x'), edits('b.ts', 'x', 'y')] })
  expect(failed.isError).toBe(true)
  expect(textOf(failed)).toMatch(/a\.ts[\s\S]*b\.ts/)
  const dry = await server.structured('edit_files', { files: [edits('a.ts', 'a = 1\nconst b', 'c')], dryRun: true })
  expect(dry).toMatchObject({ revisions: [{ path: 'a.ts', changes: 1, lines: [[1, 2]] }], receipts: [] })
  const { receipts } = await server.structured<Receipts>('edit_files', {
    files: [edits('a.ts', 'a = 1', 'a = 10'), edits('b.ts', 'x', 'y', true), edits('a.ts', 'a = 10', 'a = 11')],
    message: 'both',
  })
  expect(receipts[0]?.files.map(({ path }) => path)).toEqual(['a.ts', 'b.ts'])
  expect([read(root, 'a.ts'), read(root, 'b.ts')]).toEqual(['const a = 11\r\nconst b = 2\r\n', 'y\ny\n'])
  expect(await server.text('history')).toContain('both')
})

test('patches, notebooks, bytes, removal', async () => {
  const root = scratch()
  const server = await ours(root)
  const patch = '*** Begin Patch\n*** Add File: src/n.txt\n+hello\n*** End Patch\n'
  expect(await server.text('apply_patch', { patch, dryRun: true })).toContain('would change')
  expect(existsSync(join(root, 'src'))).toBe(false)
  await server.text('apply_patch', { patch })
  expect(read(root, 'src/n.txt')).toBe('hello\n')
  await server.text('apply_patch', {
    patch: '--- a/src/n.txt\n+++ b/src/n.txt\n@@ -1 +1 @@\n-hello\n+world\n',
    message: 'p',
  })
  expect(read(root, 'src/n.txt')).toBe('world\n')
  expect(await server.refused('apply_patch', { patch: 'rubbish' })).toContain('INVALID')
  expect(
    await server.refused('apply_patch', { patch: '*** Begin Patch\n*** Add File: ../x\n+x\n*** End Patch\n' }),
  ).toContain('PATH_OUTSIDE')
  const cell = { cell_type: 'code', execution_count: null, id: 'c1', metadata: {}, outputs: [], source: ['a = 1'] }
  writeFileSync(
    join(root, 'n.ipynb'),
    `${JSON.stringify({ cells: [cell], metadata: {}, nbformat: 4, nbformat_minor: 5 }, null, 1)}\n`,
  )
  await server.text('edit_notebook', {
    path: 'n.ipynb',
    cells: [
      { cell: 'c1', source: 'a = 2' },
      { edit: 'insert', after: 'c1', type: 'markdown', source: '# two' },
    ],
  })
  const { cells } = JSON.parse(read(root, 'n.ipynb')) as { cells: { source: unknown; id: string }[] }
  expect(cells.map(({ source }) => source)).toEqual([['a = 2'], ['# two']])
  expect(await server.refused('edit_notebook', { path: 'n.ipynb', cells: [{ cell: 'gone', source: 'x' }] })).toMatch(
    /NOT_FOUND|INVALID/,
  )
  await server.text('write_binary_file', { path: 'bin/x', base64: 'AP8A', mode: '755' })
  expect(readFileSync(join(root, 'bin/x'))).toEqual(Buffer.from([0, 255, 0]))
  if (process.platform !== 'win32') expect(statSync(join(root, 'bin/x')).mode & 0o777).toBe(0o755)
  for (const base64 of ['A', 'AP8', 'A*8A', 'AP8A\n'])
    expect(await server.refused('write_binary_file', { path: 'bin/x', base64 })).toContain(
      'INVALID: the content is not base64',
    )
  expect(await server.refused('remove', { path: 'bin' })).toContain('INVALID: bin is a folder')
  await server.text('remove', { path: 'bin', recursive: true })
  expect(existsSync(join(root, 'bin'))).toBe(false)
  await server.text('undo', { transaction: 'head' })
  expect(readFileSync(join(root, 'bin/x'))).toEqual(Buffer.from([0, 255, 0]))
  for (const path of ['.', '..', 'src/..', root, `${root}/`, '/', 'src/../..']) {
    expect(await server.refused('remove', { path, recursive: true }), path).toMatch(
      /PATH_OUTSIDE|INVALID|Access denied/,
    )
  }
})

test.runIf(process.platform !== 'win32')('a link is removed itself, not what it leads to', async () => {
  const root = scratch('work')
  writeFileSync(join(root, '../out.txt'), 'out')
  writeFileSync(join(root, 'in.txt'), 'in')
  symlinkSync('../out.txt', join(root, 'out-link'))
  symlinkSync('in.txt', join(root, 'in-link'))
  linkSync(join(root, 'in.txt'), join(root, 'twin.txt'))
  const server = await ours(root)
  await server.text('remove', { path: 'out-link' })
  await server.text('remove', { path: 'in-link' })
  expect([read(root, '../out.txt'), read(root, 'in.txt'), existsSync(join(root, 'in-link'))]).toEqual([
    'out',
    'in',
    false,
  ])
})

test('builds modules and applies reviews', async () => {
  const root = scratch()
  const server = await ours(root)
  const spec = {
    folder: 'src',
    templates: { t: 'export const {{name:camel}} = 1\n' },
    files: [{ path: '{{name}}.js', template: 't', each: [{ name: 'one' }, { name: 'two-three' }] }],
    index: { path: 'index.js' },
  }
  expect(await server.structured('build_module', { spec, dryRun: true })).toMatchObject({ ok: true, receipts: [] })
  await server.text('build_module', { spec })
  expect(read(root, 'src/index.js')).toBe("export * from './one.js'\nexport * from './two-three.js'\n")
  expect(await server.refused('build_module', { spec })).toContain('EXISTS')
  expect(
    await server.refused('build_module', { spec: { folder: 'x', files: [{ path: 'a.json', content: '{' }] } }),
  ).toContain('VALIDATION')
  const review = {
    reviewer: 'ann',
    changes: [{ path: 'src/one.js', comment: '```suggestion\nexport const one = 2\n```', lines: 1 }],
  }
  expect(
    await server.structured('apply_review', {
      review: { ...review, changes: [...review.changes, { path: 'src/gone.js', lines: 1, newText: '' }] },
      dryRun: true,
    }),
  ).toMatchObject({ applied: [{ index: 0 }], conflicts: [{ index: 1 }] })
  await server.text('apply_review', { review })
  expect(read(root, 'src/one.js')).toBe('export const one = 2\n')
})

test('the history is there as resources, and the client hears of changes', async () => {
  const root = scratch()
  let heard = 0
  const server = await connect([process.execPath, CLI, 'mcp', root], {}, (client) => {
    client.setNotificationHandler(ResourceListChangedNotificationSchema, () => {
      heard += 1
    })
  })
  await server.text('write_file', { path: 'a.txt', content: 'one\n' })
  await server.text('write_binary_file', { path: 'b c.bin', base64: '//8=' })
  await vi.waitFor(() => expect(heard).toBe(2))
  const { resources } = await server.client.listResources()
  expect(resources.map(({ uri }) => uri)).toEqual([
    'journal://history',
    expect.stringMatching(/^journal:\/\/transactions\/t[0-9a-z]{15}$/),
    expect.stringMatching(/^journal:\/\/transactions\//),
  ])
  const { resourceTemplates } = await server.client.listResourceTemplates()
  expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
    'journal://transactions/{transaction}',
    'journal://files/{at}/{+path}',
  ])
  const body = async (uri: string) =>
    (await server.client.readResource({ uri })).contents[0] as { text?: string; blob?: string }
  expect(JSON.parse((await body('journal://history')).text ?? '')).toMatchObject([
    { directory: root, transactions: [{ seq: 2 }, { seq: 1 }] },
  ])
  expect((await body(resources[2]?.uri ?? '')).text).toContain('+one')
  expect((await body('journal://files/1/a.txt')).text).toBe('one\n')
  expect((await body(`journal://files/head/${root}/a.txt`)).text).toBe('one\n')
  expect((await body('journal://files/head/b%20c.bin')).blob).toBe('//8=')
  await expect(body('journal://transactions/tzzzzzz')).rejects.toThrow(/there is no transaction/)
  await expect(body('journal://files/head/../../etc/passwd')).rejects.toThrow()
  await expect(body('journal://nothing')).rejects.toThrow(/not found/)
})

test('roots take the place of the folders of the command line, and may change', async () => {
  const [one, two] = [scratch(), scratch()]
  let roots = [{ uri: `file://${one}` }]
  const server = await connect([process.execPath, CLI, 'mcp'], { roots: { listChanged: true } }, (client) => {
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots }))
  })
  // Asked at once, and still answered by what the client said of itself.
  expect(await server.text('list_allowed_directories')).toBe(`Allowed directories:\n${one}`)
  await server.text('begin_transaction')
  await server.text('write_file', { path: join(one, 'a.txt'), content: 'a' })
  roots = [{ uri: `file://${two}` }, { uri: `file://${two}/none` }]
  await server.client.sendRootsListChanged()
  await vi.waitFor(async () =>
    expect(await server.text('list_allowed_directories')).toBe(`Allowed directories:\n${two}`),
  )
  expect(await server.refused('write_file', { path: join(one, 'a.txt'), content: 'a' })).toContain('Access denied')
  expect(await server.refused('commit_transaction')).toContain('not allowed any more')
  expect(existsSync(join(one, 'a.txt'))).toBe(false)
  // Roots of which none is a folder change nothing.
  roots = [{ uri: 'file:///no/such/folder' }]
  await server.client.sendRootsListChanged()
  await server.text('write_file', { path: join(two, 'b.txt'), content: 'b' })
  expect(read(two, 'b.txt')).toBe('b')
})

test('without folders and without roots there is nothing to use, and it says so', async () => {
  const server = await connect([process.execPath, CLI, 'mcp'])
  expect(await server.text('list_allowed_directories')).toBe('Allowed directories:\n')
  expect(await server.refused('read_text_file', { path: '/etc/hostname' })).toContain('Access denied')
  expect(await server.refused('history')).toContain('INVALID: there is no allowed directory')
})

test('long work tells its progress, and can be cancelled', async () => {
  const root = scratch()
  const journal = await openJournal(root)
  for (let n = 0; n < 24; n += 1) await journal.write(`large-${n}.bin`, randomBytes(2_000_000))
  await journal.close()
  const server = await ours(root)
  await server.text('status')
  const told: number[] = []
  const verified = await server.client.callTool({ name: 'verify', arguments: {} }, undefined, {
    onprogress: ({ progress }) => told.push(progress),
  })
  expect(verified.structuredContent).toMatchObject({ ok: true })
  expect(told.length).toBeGreaterThan(0)
  expect([...told].sort((a, b) => a - b)).toEqual(told)
  const stop = new AbortController()
  const cancelled = server.client.callTool({ name: 'verify', arguments: {} }, undefined, {
    signal: stop.signal,
    onprogress: () => stop.abort(),
  })
  await expect(cancelled).rejects.toThrow()
  expect(await server.structured('verify')).toMatchObject({ ok: true })
})

test('options of the command say who, what for, and what files must pass', async () => {
  const root = scratch()
  const options = ['--actor', 'robot', '--tag', 'nightly', '--parent', 'job-9', '--validate', 'basic']
  const server = await connect([process.execPath, CLI, 'mcp', root, ...options])
  expect(await server.refused('write_file', { path: 'a.json', content: '{' })).toMatch(/^VALIDATION: /)
  expect(existsSync(join(root, 'a.json'))).toBe(false)
  await server.text('write_file', { path: 'a.json', content: '{}' })
  const told = await server.client.callTool({
    name: 'write_file',
    arguments: { path: 'b.json', content: '[]' },
    _meta: { 'write-journal/parent': 'prompt-3' },
  })
  expect(told._meta).toMatchObject({
    'write-journal/changed': { pending: false, receipts: [{ seq: 2, files: [{ path: 'b.json' }] }] },
  })
  const { transactions } = await server.structured<{ transactions: Record<string, unknown>[] }>('history', {
    parent: 'job-9',
    actor: 'robot',
    tag: 'nightly',
  })
  expect(transactions).toMatchObject([{ seq: 1, tags: ['nightly', 'mcp:write_file'] }])
  expect(await server.text('history', { parent: 'prompt-3' })).toContain('b.json')
})
