import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { readHookEvent } from '../../../src/agents/hooks/hook-event.ts'

function read(event: Readonly<Record<string, unknown>>): ReturnType<typeof readHookEvent> {
  return readHookEvent(JSON.stringify({ session_id: 's', cwd: '/w', hook_event_name: 'PreToolUse', ...event }))
}

describe('an event of the runtime', () => {
  it.each([
    ['Write', { file_path: '/w/a', content: 'x' }, '/w/a'],
    ['Edit', { file_path: '/w/a', old_string: 'x', new_string: 'y' }, '/w/a'],
    ['MultiEdit', { file_path: '/w/a', edits: [] }, '/w/a'],
    ['NotebookEdit', { notebook_path: '/w/n.ipynb', new_source: '' }, '/w/n.ipynb'],
    ['Bash', { command: 'rm x' }, null],
    ['mcp__server__tool', {}, null],
    ['SomethingNew', { file_path: '/w/a' }, null],
  ])('says what %s writes', (tool_name, tool_input, path) => {
    const ids = { prompt_id: 'p', agent_id: 'a', agent_type: 't', tool_use_id: 'toolu_1' }
    const command = 'command' in tool_input ? { command: 'rm x' } : {}
    expect(read({ tool_name, tool_input, ...ids })).toEqual({
      name: 'PreToolUse',
      session: 's',
      cwd: '/w',
      prompt: 'p',
      agent: 'a',
      agentType: 't',
      call: { id: 'toolu_1', tool: tool_name, path, ...command },
    })
  })

  it('takes a relative path as from where the session is', () => {
    const event = read({ tool_name: 'Write', tool_input: { file_path: '../b.txt' }, cwd: '/w/deep' })
    expect(event).toMatchObject({ call: { path: path.resolve('/w/b.txt') } })
  })

  it.each(['Read', 'Glob', 'Grep', 'WebFetch', 'TodoWrite', 'Task'])('of %s is none of its business', (tool_name) => {
    expect(read({ tool_name, tool_input: { file_path: '/w/a' } })).toBeNull()
  })

  it('that it does not know is none of its business', () => {
    expect(read({ hook_event_name: 'PreCompact' })).toBeNull()
    expect(read({ hook_event_name: 'constructor' })).toBeNull()
  })

  it('keeps no more of a long text than its beginning, on one line', () => {
    const event = read({ hook_event_name: 'UserPromptSubmit', prompt: `  one\n\ttwo ${'x'.repeat(100_000)}` })
    expect(event).toMatchObject({ text: expect.stringMatching(/^one two x+…$/) })
    expect(JSON.stringify(event).length).toBeLessThan(300)
    expect(read({ tool_name: 'Bash', tool_input: { command: 'x'.repeat(1e6) } })).toMatchObject({
      call: { command: expect.stringMatching(/^x{159}…$/) },
    })
  })

  it.each([
    ['', /nothing came/],
    [' \n', /nothing came/],
    ['{', /no JSON/],
    ['[]', /no JSON object/],
    ['null', /no JSON object/],
    ['{}', /no hook_event_name/],
    ['{"hook_event_name":7}', /no hook_event_name/],
    ['{"hook_event_name":"PreToolUse"}', /no session_id/],
    ['{"hook_event_name":"PreToolUse","session_id":"s"}', /no tool_name/],
    ['{"hook_event_name":"PreToolUse","session_id":"s","tool_name":"Write"}', /Write has no file_path/],
    ['{"hook_event_name":"PreToolUse","session_id":"s","tool_name":"Write","tool_input":[]}', /no file_path/],
    [
      '{"hook_event_name":"PreToolUse","session_id":"s","tool_name":"Edit","tool_input":{"file_path":"a\\u0000"}}',
      /no f/,
    ],
    [
      '{"hook_event_name":"PreToolUse","session_id":"s","tool_name":"NotebookEdit","tool_input":{"file_path":"a"}}',
      /note/,
    ],
  ])('that makes no sense says why: %s', (input, reason) => {
    expect(readHookEvent(input)).toEqual({ unreadable: expect.stringMatching(reason) })
  })
})
