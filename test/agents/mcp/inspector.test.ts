/** The command line of the MCP Inspector, a client that is not ours, against the server. */
import { execFile } from 'node:child_process'
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test, vi } from 'vitest'
import { CLI, scratch } from './clients.ts'

vi.setConfig({ testTimeout: 120_000 })

/** Its command line reads a file of the package that it is part of elsewhere: it is laid out here as it is there. */
function inspector(): string {
  const cli = createRequire(import.meta.url).resolve('@modelcontextprotocol/inspector-cli')
  const installed = dirname(dirname(cli))
  const folder = scratch('inspector')
  cpSync(installed, join(folder, 'cli'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), readFileSync(join(installed, 'package.json')))
  symlinkSync(dirname(dirname(installed)), join(folder, 'node_modules'), 'junction')
  return join(folder, 'cli/build/cli.js')
}

test('the Inspector lists the tools, calls them and reads the resources', async () => {
  const [root, program] = [scratch(), inspector()]
  const inspect = async (...args: string[]): Promise<Record<string, unknown>> => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [program, '--cli', process.execPath, CLI, 'mcp', root, '--method', ...args],
      { maxBuffer: 10_000_000 },
    )
    return JSON.parse(stdout) as Record<string, unknown>
  }
  const { tools } = (await inspect('tools/list')) as { tools: { name: string }[] }
  expect(tools.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['read_text_file', 'write_file', 'begin_transaction', 'undo']),
  )
  const written = await inspect(
    'tools/call',
    '--tool-name',
    'write_file',
    '--tool-arg',
    'path=a.txt',
    '--tool-arg',
    'content=hello',
  )
  expect(written).toMatchObject({ content: [{ type: 'text', text: 'Successfully wrote to a.txt' }] })
  expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('hello')
  const { contents } = (await inspect('resources/read', '--uri', 'journal://history')) as {
    contents: { text: string }[]
  }
  expect(JSON.parse(contents[0]?.text ?? '')).toMatchObject([
    { transactions: [{ seq: 1, actor: expect.stringMatching(/inspector/) }] },
  ])
  expect(await inspect('resources/templates/list')).toMatchObject({
    resourceTemplates: [{ name: 'transaction' }, { name: 'file' }],
  })
  await inspect('tools/call', '--tool-name', 'undo', '--tool-arg', 'transaction=head')
  expect(existsSync(join(root, 'a.txt'))).toBe(false)
})
