import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateText, type LanguageModel, stepCountIs } from 'ai'
import { MockLanguageModelV3 } from 'ai/test'
import { describe, expect, it } from 'vitest'
import { journalTools } from '../../../src/agents/ai-sdk/index.ts'
import { journalTools as langchainTools } from '../../../src/agents/langchain/index.ts'
import { runTool, type ToolName } from '../../../src/agents/tools/journal-tools.ts'
import { historyOf, scratchJournal } from '../scratch.ts'

/** A model that makes these calls, one a step, and then says it is done. */
function scripted(calls: readonly (readonly [name: string, input: unknown])[]): LanguageModel & MockLanguageModelV3 {
  let step = 0
  const usage = {
    inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
    outputTokens: { total: 1, text: 1, reasoning: 0 },
  }
  return new MockLanguageModelV3({
    doGenerate: async () => {
      const call = calls[step]
      step += 1
      if (call === undefined) {
        const finishReason = { unified: 'stop', raw: undefined } as const
        return { content: [{ type: 'text', text: 'done' }], finishReason, usage, warnings: [] }
      }
      const [toolName, input] = call
      const finishReason = { unified: 'tool-calls', raw: undefined } as const
      const content = [
        { type: 'tool-call', toolCallId: `call-${step}`, toolName, input: JSON.stringify(input) } as const,
      ]
      return { content, finishReason, usage, warnings: [] }
    },
  })
}

async function session(calls: readonly (readonly [name: string, input: unknown])[]) {
  const journal = await scratchJournal()
  const { steps, text } = await generateText({
    model: scripted(calls),
    tools: journalTools(journal, { meta: { actor: 'model' } }),
    prompt: 'go',
    stopWhen: stepCountIs(calls.length + 1),
  })
  const parts = steps.flatMap(({ content }) => content)
  const outputs = parts.flatMap((part): unknown[] => {
    if (part.type === 'tool-result') return [part.output]
    return part.type === 'tool-error' ? [part.error instanceof Error ? part.error.message : String(part.error)] : []
  })
  const read = (name: string) => readFileSync(join(journal.root, name), 'utf8')
  return { journal, outputs, text, read }
}

describe('with the AI SDK', () => {
  it('a model writes, edits, patches, looks back and undoes', async () => {
    const { journal, outputs, text, read } = await session([
      ['write_file', { path: 'src/a.ts', content: 'one\ntwo\n', message: 'first' }],
      ['edit_file', { path: 'src/a.ts', oldText: 'one', newText: 'uno' }],
      [
        'multi_edit',
        {
          edits: [
            { path: 'src/a.ts', oldText: 'uno', newText: '1' },
            { path: 'src/a.ts', oldText: 'two', newText: '2' },
          ],
        },
      ],
      ['apply_patch', { patch: '*** Begin Patch\n*** Add File: b.ts\n+b\n*** End Patch' }],
      [
        'transaction',
        {
          operations: [
            { op: 'write', path: 'c.ts', content: 'c' },
            { op: 'append', path: 'c.ts', content: 'd' },
            { op: 'edit', path: 'c.ts', oldText: 'cd', newText: 'dc' },
            { op: 'rename', path: 'b.ts', to: 'lib/b.ts' },
            { op: 'mkdir', path: 'empty' },
            { op: 'remove', path: 'src' },
          ],
        },
      ],
      ['read_file', { path: 'c.ts' }],
      ['history', { path: 'src/a.ts', limit: 2 }],
    ])
    expect(text).toBe('done')
    expect(outputs[0]).toMatchObject({ seq: 1, files: ['A src/a.ts'] })
    expect(outputs[2]).toMatchObject({ seq: 3, files: ['M src/a.ts'] })
    expect(outputs[5]).toEqual({ path: 'c.ts', text: 'dc', from: 1, to: 1, lines: 1 })
    expect(outputs[6]).toMatchObject({ transactions: [{ seq: 5, actor: 'model' }, { seq: 3 }] })
    expect([read('lib/b.ts'), existsSync(join(journal.root, 'src'))]).toEqual(['b\n', false])
    const commits = await historyOf(journal)
    expect(commits.map(({ parent }) => parent)).toEqual(['call-1', 'call-2', 'call-3', 'call-4', 'call-5'])
    const { tx } = commits[4] as { tx: string }
    await runTool('undo', journal, { tx }, {})
    expect(read('src/a.ts')).toBe('1\n2\n')
  })

  it('tells the model what went wrong and what to do, and goes on', async () => {
    const { journal, outputs, text } = await session([
      ['edit_file', { path: 'none.txt', oldText: 'a', newText: 'b' }],
      ['write_file', { path: '../x', content: '' }],
      ['write_file', { path: 'x' }],
      [
        'transaction',
        {
          operations: [
            { op: 'write', path: 'a', content: 'a' },
            { op: 'rename', path: 'a' },
          ],
        },
      ],
      ['undo', { tx: 'nothing' }],
    ])
    expect(text).toBe('done')
    expect(outputs.map(String)).toEqual([
      expect.stringMatching(/^NOT_FOUND: there is no none\.txt\. Check/),
      expect.stringMatching(/^PATH_OUTSIDE: /),
      expect.stringContaining('the input has no content'),
      expect.stringMatching(/^INVALID: operations\[1\] has no to\. rename needs it\.$/),
      expect.stringMatching(/^(NOT_FOUND|INVALID): /),
    ])
    expect(await historyOf(journal)).toEqual([])
    expect(existsSync(join(journal.root, 'a'))).toBe(false)
  })

  it('gives only the tools that are asked for', async () => {
    const journal = await scratchJournal()
    expect(Object.keys(journalTools(journal, { only: ['read_file', 'history'] }))).toEqual(['read_file', 'history'])
  })
})

describe('with LangChain', () => {
  it('tools are invoked as calls of a model are', async () => {
    const journal = await scratchJournal()
    const tools = new Map(langchainTools(journal, { meta: { actor: 'model' } }).map((tool) => [tool.name, tool]))
    const call = async (name: ToolName, args: Record<string, unknown>) => {
      const message = await tools.get(name)?.invoke({ type: 'tool_call', id: `call-${name}`, name, args })
      return JSON.parse((message as { content: string }).content) as unknown
    }
    expect(await call('write_file', { path: 'a.txt', content: 'a\n' })).toMatchObject({ seq: 1, files: ['A a.txt'] })
    expect(await call('read_file', { path: 'a.txt' })).toMatchObject({ text: 'a\n', lines: 1 })
    const [commit] = await historyOf(journal)
    expect([commit?.actor, commit?.parent]).toEqual(['model', 'call-write_file'])
    await expect(tools.get('write_file')?.invoke({ path: 7 } as never)).rejects.toThrow()
    await expect(tools.get('undo')?.invoke({ tx: 'zzzz' })).rejects.toThrow(/^(NOT_FOUND|INVALID): /)
  })
})

describe('input that a model made up', () => {
  it.each([
    ['read_file', 7],
    ['read_file', null],
    ['read_file', []],
    ['read_file', { path: 'a.txt', from: 0 }],
    ['read_file', { path: 'a.txt', lines: 1.5 }],
    ['read_file', { path: 'a.txt', unknown: 1 }],
    ['write_file', { path: 'a.txt', content: { text: 'x' } }],
    ['multi_edit', { edits: [] }],
    ['multi_edit', { edits: [{ path: 'a.txt', oldText: 'a', newText: 'b', all: 'yes' }] }],
    ['multi_edit', { edits: 'a' }],
    ['transaction', { operations: [{ op: 'chmod', path: 'a.txt' }] }],
    ['edit_file', { path: 'a.txt', oldText: 'a', newText: 'b', constructor: 1 }],
  ] as const)('%s with %j is INVALID and changes nothing', async (name, input) => {
    const journal = await scratchJournal()
    writeFileSync(join(journal.root, 'a.txt'), 'a')
    await expect(runTool(name, journal, input, {})).rejects.toThrow(/^INVALID: /)
    expect([readFileSync(join(journal.root, 'a.txt'), 'utf8'), await historyOf(journal)]).toEqual(['a', []])
  })

  it('reads lines from the middle, past the end, and of what has no end', async () => {
    const journal = await scratchJournal()
    writeFileSync(join(journal.root, 'a.txt'), 'a\nb\nc')
    const read = (input: object) => runTool('read_file', journal, { path: 'a.txt', ...input }, {})
    expect(await read({ from: 2, lines: 1 })).toMatchObject({ text: 'b\n', from: 2, to: 2, lines: 3 })
    expect(await read({ from: 3 })).toMatchObject({ text: 'c', from: 3, to: 3 })
    expect(await read({ from: 9 })).toMatchObject({ text: '', lines: 3 })
  })
})
