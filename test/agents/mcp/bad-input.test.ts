/** A server that is spoken to without the SDK's client: rubbish, floods, and what only a raw connection shows. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import { afterEach, expect, test, vi } from 'vitest'
import { LineTransport } from '../../../src/agents/mcp/line-transport.ts'
import { openJournal } from '../../../src/index.ts'
import { CLI, ours, scratch, textOf } from './clients.ts'

vi.setConfig({ testTimeout: 120_000 })

interface Message {
  readonly id?: number | string
  readonly result?: { readonly content?: { readonly text: string }[]; readonly isError?: boolean }
  readonly error?: { readonly code: number; readonly message: string }
}

const children = new Set<ChildProcessWithoutNullStreams>()
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
})

/** A server, and what it says. */
class Raw {
  readonly child: ChildProcessWithoutNullStreams
  readonly said: Message[] = []
  readonly exited: Promise<number | null>
  stderr = ''

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [CLI, 'mcp', ...args])
    children.add(this.child)
    this.child.stdin.on('error', () => {})
    this.child.stderr.on('data', (chunk) => {
      this.stderr += String(chunk)
    })
    createInterface(this.child.stdout).on('line', (line) => this.said.push(JSON.parse(line) as Message))
    this.exited = new Promise((resolve) => this.child.on('close', resolve))
  }

  send(...messages: unknown[]): void {
    for (const message of messages)
      this.child.stdin.write(typeof message === 'string' ? `${message}\n` : `${JSON.stringify(message)}\n`)
  }

  begin(): void {
    this.send(
      {
        jsonrpc: '2.0',
        id: 'init',
        method: 'initialize',
        params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
      },
      { jsonrpc: '2.0', method: 'notifications/initialized' },
    )
  }

  call(id: number, name: string, args: unknown): void {
    this.send({ jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } })
  }

  answer(id: number | string): Promise<Message> {
    return vi.waitFor(
      () => {
        const found = this.said.find((message) => message.id === id)
        if (found === undefined) throw new Error(`no answer to ${id}`)
        return found
      },
      { timeout: 60_000, interval: 20 },
    )
  }
}

test('lines that are no messages are refused, one by one, and the next one is heard', async () => {
  const root = scratch()
  const server = new Raw(root)
  server.begin()
  await server.answer('init')
  server.send(
    'rubbish',
    '{"jsonrpc":"2.0","id":1,',
    '[]',
    '7',
    'null',
    '""',
    '{}',
    '',
    '   ',
    '{"jsonrpc":"1.0","id":5,"method":"ping"}',
    '\u0000\ufffd',
    '['.repeat(100_000),
  )
  server.child.stdin.write(Buffer.from([0xff, 0xfe, 0x0a]))
  server.send({ jsonrpc: '2.0', id: 6, method: 'ping' })
  expect((await server.answer(6)).result).toEqual({})
  const errors = server.said.filter(({ error }) => error !== undefined)
  expect(errors.map(({ error, id }) => [error?.code, id ?? null])).toEqual([
    [-32700, null],
    [-32700, null],
    [-32600, null],
    [-32600, null],
    [-32600, null],
    [-32600, null],
    [-32600, null],
    [-32600, 5],
    [-32700, null],
    [-32700, null],
    [-32700, null],
  ])
})

test('wrong types, unknown methods and tools have the codes of the protocol', async () => {
  const root = scratch()
  const server = new Raw(root)
  server.begin()
  server.call(1, 'write_file', { path: 7, content: 'x' })
  server.call(2, 'write_file', 'text')
  server.call(3, 'edit_files', { files: [] })
  server.call(4, 'no_such_tool', {})
  server.call(5, 'undo', { transaction: null })
  server.send(
    { jsonrpc: '2.0', id: 6, method: 'no/such/method' },
    { jsonrpc: '2.0', id: 7, method: 'tools/call' },
    { jsonrpc: '2.0', id: 8, method: 'resources/read', params: { uri: 'not a uri' } },
  )
  for (const id of [1, 3, 4, 5]) {
    const { result } = await server.answer(id)
    expect(result?.isError).toBe(true)
    expect(result?.content?.[0]?.text, `${id}`).toContain('MCP error -32602')
  }
  expect((await server.answer(2)).error?.code).toBe(-32602)
  expect((await server.answer(6)).error?.code).toBe(-32601)
  expect((await server.answer(7)).error?.code).toBe(-32602)
  expect((await server.answer(8)).error).toBeDefined()
  server.call(9, 'write_file', { path: 'a.txt', content: 'x' })
  expect((await server.answer(9)).result?.isError).toBeUndefined()
})

test('an argument of 100 MB is written', async () => {
  const root = scratch()
  const server = new Raw(root)
  server.begin()
  await server.answer('init')
  server.call(1, 'write_file', { path: 'large.txt', content: 'x'.repeat(100_000_000) })
  expect((await server.answer(1)).result?.content?.[0]?.text).toBe('Successfully wrote to large.txt')
  expect(statSync(join(root, 'large.txt')).size).toBe(100_000_000)
})

test('the transport refuses what is too long, and goes on', async () => {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const transport = new LineTransport(input, output, 1000)
  const heard: unknown[] = []
  const errors: string[] = []
  transport.onmessage = (message) => heard.push(message)
  transport.onerror = (error) => errors.push(error.message)
  await transport.start()
  const long = (id: unknown) =>
    `${JSON.stringify({ jsonrpc: '2.0', method: 'x', params: { text: 'y'.repeat(5000) }, id })}\n`
  for (const text of [long(7), long('seven'), `${'z'.repeat(3000)}\n`, '{"jsonrpc":"2.0","method":"m"}\r\n']) {
    for (let at = 0; at < text.length; at += 300) input.write(text.slice(at, at + 300))
  }
  await vi.waitFor(() => expect(heard).toEqual([{ jsonrpc: '2.0', method: 'm' }]))
  const said = String(output.read())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Message)
  expect(said.map(({ id, error }) => [id ?? null, error?.code])).toEqual([
    [7, -32600],
    ['seven', -32600],
    [null, -32600],
  ])
  expect(errors).toHaveLength(3)
  const closed = vi.fn()
  transport.onclose = closed
  input.end()
  await vi.waitFor(() => expect(closed).toHaveBeenCalledTimes(1))
})

test('a call that is cancelled before it has begun changes nothing', async () => {
  const root = scratch()
  const server = new Raw(root)
  server.begin()
  await server.answer('init')
  server.call(1, 'write_file', { path: 'a.txt', content: 'x' })
  server.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })
  server.call(2, 'list_directory', { path: root })
  expect((await server.answer(2)).result?.content?.[0]?.text).toBe('')
  expect(existsSync(join(root, '.journal'))).toBe(false)
})

test('folders that are none end it, or are left out', async () => {
  const root = scratch()
  writeFileSync(join(root, 'file.txt'), '')
  const none = new Raw(join(root, 'gone'), join(root, 'file.txt'))
  expect(await none.exited).toBe(1)
  expect(none.stderr).toContain('None of the specified directories are accessible')
  expect(none.said).toEqual([])
  const some = new Raw(join(root, 'gone'), root)
  some.begin()
  some.call(1, 'list_allowed_directories', {})
  expect((await some.answer(1)).result?.content?.[0]?.text).toBe(`Allowed directories:\n${root}`)
  some.child.stdin.end()
  expect(await some.exited).toBe(0)
  expect(some.stderr).toContain('skipping')
})

test('a client that stops reading does not keep the server alive once it is gone', async () => {
  const root = scratch()
  const server = new Raw(root)
  server.begin()
  await server.answer('init')
  server.child.stdout.destroy()
  server.call(1, 'write_file', { path: 'a.txt', content: 'x' })
  server.call(2, 'list_directory', { path: root })
  server.child.stdin.end()
  await server.exited
  const journal = await openJournal(root)
  expect((await journal.verify()).ok).toBe(true)
  await journal.close()
})

test.runIf(process.platform !== 'win32')('a pipe keeps nobody waiting', async () => {
  const root = scratch()
  expect(spawnSync('mkfifo', [join(root, 'pipe')]).status).toBe(0)
  const server = await ours(root)
  for (const args of [{}, { head: 1 }, { tail: 1 }])
    expect(await server.refused('read_text_file', { path: 'pipe', ...args })).toBe(
      `EINVAL: invalid argument, open '${root}/pipe'`,
    )
  expect(await server.refused('write_file', { path: 'pipe', content: 'x' })).toContain('INVALID')
  expect(await server.refused('edit_file', { path: 'pipe', edits: [] })).toContain('INVALID')
  await server.text('begin_transaction')
  expect(await server.refused('read_text_file', { path: 'pipe' })).toContain('EINVAL')
})

test.runIf(process.platform !== 'win32')('every tool keeps to its folders', async () => {
  const root = scratch('work')
  mkdirSync(join(root, '../other'))
  writeFileSync(join(root, '../other/secret.txt'), 'secret')
  symlinkSync('../other', join(root, 'away'))
  symlinkSync('../other/secret.txt', join(root, 'leak.txt'))
  const server = await ours(root)
  await server.text('write_file', { path: 'a.txt', content: 'a' })
  const outside = ['away/secret.txt', 'leak.txt', '../other/secret.txt', join(root, '../other/secret.txt')]
  for (const path of outside) {
    const one = { path, edits: [{ oldText: 'secret', newText: 'x' }] }
    const calls: [string, Record<string, unknown>][] = [
      ['read_file', { path }],
      ['read_text_file', { path }],
      ['read_media_file', { path }],
      ['write_file', { path, content: 'x' }],
      ['edit_file', one],
      ['create_directory', { path: `${path}-made` }],
      ['list_directory', { path }],
      ['list_directory_with_sizes', { path }],
      ['directory_tree', { path }],
      ['search_files', { path, pattern: '*' }],
      ['get_file_info', { path }],
      ['move_file', { source: path, destination: 'in.txt' }],
      ['move_file', { source: 'a.txt', destination: `${path}-moved` }],
      ['edit_files', { files: [one] }],
      ['write_binary_file', { path, base64: '' }],
      ['edit_notebook', { path, cells: [{ cell: 0, source: '' }] }],
      ['read_at', { path, at: 'head' }],
      ['history', { path }],
      ['restore', { to: 0, paths: [path] }],
      ['adopt', { paths: [path] }],
      ['apply_patch', { patch: `*** Begin Patch\n*** Update File: ${path}\n@@\n-secret\n+x\n*** End Patch\n` }],
      ['build_module', { spec: { folder: path, files: [{ path: 'x.txt', content: '' }] }, overwrite: true }],
      ['apply_review', { review: { changes: [{ path, lines: 1, newText: 'x' }] } }],
    ]
    for (const [name, args] of calls) {
      // A name beside a link is a name inside: only what leads out is refused.
      if (path === 'leak.txt' && /-(made|moved)/.test(JSON.stringify(args))) continue
      expect(await server.refused(name, args), `${name} ${path}`).toMatch(
        /Access denied|PATH_OUTSIDE|CONFLICT.*leads|outside/,
      )
    }
    expect(textOf(await server.call('read_multiple_files', { paths: [path] }))).toContain('Error - Access denied')
  }
  expect(readFileSync(join(root, '../other/secret.txt'), 'utf8')).toBe('secret')
  expect(await server.text('search_files', { path: root, pattern: '**' })).not.toContain('secret')
})

test('two servers on one file: what each acknowledged is there, and nothing else', async () => {
  const root = scratch()
  const [one, two] = await Promise.all([ours(root), ours(root)])
  const acknowledged: string[] = []
  await Promise.all(
    [one, two].map(async (server, which) => {
      for (let n = 0; n < 20; n += 1) {
        const content = `${which} ${n}\n`
        const result = await server.call('write_file', { path: 'shared.txt', content })
        if (result.isError === true) expect(textOf(result)).toMatch(/^(LOCKED|CONFLICT): /)
        else acknowledged.push(content)
      }
    }),
  )
  expect(acknowledged.length).toBeGreaterThanOrEqual(20)
  expect(acknowledged).toContain(readFileSync(join(root, 'shared.txt'), 'utf8'))
  for (const server of [one, two]) {
    const { transactions } = await server.structured<{ transactions: unknown[] }>('history', { limit: 100 })
    expect(transactions).toHaveLength(acknowledged.length)
  }
  await one.close()
  await two.close()
  const journal = await openJournal(root)
  const found: string[] = []
  for await (const { seq } of journal.history({ order: 'oldest' }))
    found.push(Buffer.from(await journal.readAt('shared.txt', seq)).toString())
  expect(found.sort()).toEqual(acknowledged.sort())
  await journal.close()
})
