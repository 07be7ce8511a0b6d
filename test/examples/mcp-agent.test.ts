import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { runNode } from '../cli/journal-process.ts'

const EXAMPLE = fileURLToPath(new URL('../../examples/mcp-agent.mjs', import.meta.url))

test('an agent over MCP is killed twice, comes back, and goes on', { timeout: 180_000 }, async () => {
  const { code, stdout, stderr } = await runNode([EXAMPLE])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toContain('two of four edits are made, and no file has changed')
  expect(stdout).toContain('all 400 files have changed')
  expect(stdout).toContain('the history has each step once')
  expect(stdout).not.toContain('✗')
})
