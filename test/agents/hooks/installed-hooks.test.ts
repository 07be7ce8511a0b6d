import { describe, expect, it } from 'vitest'
import {
  hooksDisabled,
  installedHooks,
  isAllOurs,
  isHookCommand,
  withHooks,
  withoutHooks,
} from '../../../src/agents/hooks/installed-hooks.ts'

const PATH = 'settings.json'
const COMMAND = 'journal hook'

const OTHERS = `{
    "permissions": { "allow": ["Bash(npm test)"], "deny": [] },
    "hooks": {
        "PreToolUse": [
            {
                "matcher": "Bash",
                "hooks": [{ "type": "command", "command": "check-bash.sh" }]
            }
        ],
        "Notification": [{"hooks":[{"type":"command","command":"say journal hook done"}]}]
    },
    "model": "opus"
}
`

const SETTINGS = [
  ['an empty object', '{}'],
  ['an empty object with a line ending', '{}\n'],
  ['one line', '{"model":"opus"}'],
  ['one line with blanks', '{ "model": "opus", "env": { "A": "1" } }\n'],
  ['four blanks', '{\n    "model": "opus"\n}\n'],
  ['tabs and no last line ending', '{\n\t"model": "opus",\n\t"env": {\n\t\t"A": "1"\n\t}\n}'],
  ['CRLF', '{\r\n  "model": "opus"\r\n}\r\n'],
  ['hooks of others', OTHERS],
  ['a list of an event in one line', '{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"x"}]}]}}'],
  ['escapes and odd names', '{\n  "\\u00e9": "\\u2028",\n  "hooks ": 1\n}\n'],
] as const

describe('hooks in settings', () => {
  it.each(SETTINGS)('are put into and taken out of %s, byte for byte', async (_name, text) => {
    const installed = await withHooks(text, PATH, COMMAND)
    const { hooks: _ours, ...rest } = JSON.parse(installed)
    const { hooks: _theirs, ...before } = JSON.parse(text)
    expect(rest).toEqual(before)
    const hooks = await installedHooks(installed, PATH)
    expect(hooks.map(({ event, matcher }) => [event, matcher])).toEqual(
      expect.arrayContaining([
        ['SessionStart', null],
        ['UserPromptSubmit', null],
        ['PreToolUse', 'Write|Edit|MultiEdit|NotebookEdit|Bash|PowerShell'],
        ['PreToolUse', 'mcp__.*'],
        ['PostToolUse', 'Write|Edit|MultiEdit|NotebookEdit|Bash|PowerShell'],
        ['PostToolUseFailure', 'mcp__.*'],
        ['Stop', null],
        ['SessionEnd', null],
      ]),
    )
    expect(hooks).toHaveLength(10)
    expect(await withHooks(installed, PATH, COMMAND)).toBe(installed)
    expect(await withoutHooks(installed, PATH)).toBe(text)
  })

  it('of others stay as they are', async () => {
    const { hooks } = JSON.parse(await withHooks(OTHERS, PATH, COMMAND))
    expect(hooks.PreToolUse[0]).toEqual(JSON.parse(OTHERS).hooks.PreToolUse[0])
    expect(hooks.Notification).toEqual(JSON.parse(OTHERS).hooks.Notification)
    expect(hooks.PreToolUse[1]).toEqual({
      matcher: 'Write|Edit|MultiEdit|NotebookEdit|Bash|PowerShell',
      hooks: [{ type: 'command', command: COMMAND, timeout: 30 }],
    })
  })

  it('take the place of older ones', async () => {
    const older = await withHooks(OTHERS, PATH, '"/opt/node" "/opt/write-journal/dist/cli/main.js" hook --init')
    const newer = await withHooks(older, PATH, COMMAND)
    expect(new Set((await installedHooks(newer, PATH)).map(({ command }) => command))).toEqual(new Set([COMMAND]))
    expect(await withoutHooks(newer, PATH)).toBe(OTHERS)
  })

  it('that a person moved into a group of hers are taken out of it', async () => {
    const mixed = { hooks: { Stop: [{ hooks: [{ command: 'a' }, { command: 'journal hook' }, { command: 'b' }] }] } }
    const text = await withoutHooks(JSON.stringify(mixed, null, 2), PATH)
    expect(JSON.parse(text)).toEqual({ hooks: { Stop: [{ hooks: [{ command: 'a' }, { command: 'b' }] }] } })
  })

  it('make a file of their own where there is none', async () => {
    const made = await withHooks(null, PATH, COMMAND)
    expect(made).toMatch(/^\{\n {2}"hooks": \{\n {4}"SessionStart": \[/)
    expect(made.endsWith('}\n')).toBe(true)
    expect(await isAllOurs(made, PATH)).toBe(true)
    expect(await isAllOurs(await withHooks('{"a":1}', PATH, COMMAND), PATH)).toBe(false)
    expect(await isAllOurs('{}\n', PATH)).toBe(false)
    expect(await hooksDisabled(made, PATH)).toBe(false)
  })

  it.each([
    ['{\n  // mine\n  "a": 1\n}', /settings.json.*line 2/],
    ['{\n  "a": 1,\n}', /settings.json.*line [23]/],
    ['{\n  "a" 1\n}', /line 2/],
    ['', /settings.json/],
    ['[]', /no JSON object/],
    ['{"hooks":[]}', /hooks are no JSON object/],
    ['{"hooks":{"Stop":{}}}', /hooks\.Stop is no list/],
  ])('are not put into what is no plain settings file: %j', async (text, message) => {
    for (const act of [() => withHooks(text, PATH, COMMAND), () => withoutHooks(text, PATH)]) {
      await expect(act()).rejects.toMatchObject({ code: 'INVALID', message: expect.stringMatching(message) })
    }
  })

  it.each([
    ['journal hook', true],
    ['journal hook --init', true],
    ['"$CLAUDE_PROJECT_DIR"/node_modules/.bin/journal hook', true],
    ['"C:/node.exe" "C:/x/dist/cli/main.js" hook', true],
    ['npx --no-install journal hook', true],
    ['journal hook doctor', false],
    ['say journal hook done', false],
    ['my-journal-hook', false],
    ['journalctl hook', false],
  ])('are known by their command: %s', (command, ours) => {
    expect(isHookCommand(command)).toBe(ours)
  })
})
