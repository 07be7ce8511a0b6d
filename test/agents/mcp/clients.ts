import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import type { CallToolResult, ClientCapabilities } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, afterEach } from 'vitest'
import { DIST } from '../../crash/built.ts'

export const CLI = join(DIST, 'cli/main.js')
const REFERENCE = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/server-filesystem/package.json')),
  'dist/index.js',
)

const open = new Set<Client>()
const folders: string[] = []

afterEach(async () => {
  for (const client of open) await client.close().catch(() => {})
  open.clear()
})

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A folder without symbolic links in its path, gone after the tests of the file. */
export function scratch(...names: string[]): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'journal-mcp-')))
  folders.push(folder)
  const inner = join(folder, ...names)
  mkdirSync(inner, { recursive: true })
  return inner
}

export interface Connected {
  readonly client: Client
  readonly transport: StdioClientTransport
  readonly call: (name: string, args?: Record<string, unknown>) => Promise<CallToolResult>
  /** What a call says; throws unless it succeeds. */
  readonly text: (name: string, args?: Record<string, unknown>) => Promise<string>
  /** What a call gives as structure; throws unless it succeeds. */
  readonly structured: <T = Record<string, unknown>>(name: string, args?: Record<string, unknown>) => Promise<T>
  /** What a call that must fail says. */
  readonly refused: (name: string, args?: Record<string, unknown>) => Promise<string>
  readonly close: () => Promise<void>
}

export function textOf({ content }: CallToolResult): string {
  return content.map((block) => (block.type === 'text' ? block.text : JSON.stringify(block))).join('\n')
}

export async function connect(
  command: readonly string[],
  capabilities: ClientCapabilities = {},
  prepare: (client: Client) => void = () => {},
): Promise<Connected> {
  const client = new Client({ name: 'tester', version: '1.0.0' }, { capabilities })
  prepare(client)
  const [program = process.execPath, ...args] = command
  const transport = new StdioClientTransport({ command: program, args, stderr: 'pipe' })
  await client.connect(transport)
  open.add(client)
  const call = async (name: string, args: Record<string, unknown> = {}) =>
    (await client.callTool({ name, arguments: args })) as CallToolResult
  const succeeded = async (name: string, args?: Record<string, unknown>) => {
    const result = await call(name, args)
    if (result.isError === true) throw new Error(`${name}: ${textOf(result)}`)
    return result
  }
  return {
    client,
    transport,
    call,
    text: async (name, args) => textOf(await succeeded(name, args)),
    structured: async <T>(name: string, args?: Record<string, unknown>) =>
      (await succeeded(name, args)).structuredContent as T,
    refused: async (name, args) => {
      const result = await call(name, args)
      if (result.isError !== true) throw new Error(`${name} was not refused: ${textOf(result)}`)
      return textOf(result)
    },
    close: async () => {
      open.delete(client)
      await client.close()
    },
  }
}

export function ours(...folders: string[]): Promise<Connected> {
  return connect([process.execPath, CLI, 'mcp', ...folders])
}

export function reference(...folders: string[]): Promise<Connected> {
  return connect([process.execPath, REFERENCE, ...folders])
}
