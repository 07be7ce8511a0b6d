import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type Anthropic from '@anthropic-ai/sdk'
import { describe, expect, it } from 'vitest'
import { createTextEditor, type TextEditorOptions } from '../../../src/agents/text-editor/index.ts'
import { openJournal } from '../../../src/index.ts'
import { failure } from '../../thrown.ts'
import { historyOf, scratchFolder, scratchJournal } from '../scratch.ts'

async function editing(options: TextEditorOptions = {}, files: Readonly<Record<string, string | Uint8Array>> = {}) {
  const journal = await scratchJournal()
  const { root } = journal
  for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content)
  const editor = createTextEditor(journal, options)
  const bytes = (name: string) => readFileSync(join(root, name))
  return { journal, root, editor, bytes, text: (name: string) => bytes(name).toString() }
}

const ANY_UNDO = { type: 'text_editor_20250124' } as const

describe('the tool', () => {
  it.each([
    ['text_editor_20250728', 'str_replace_based_edit_tool'],
    ['text_editor_20250429', 'str_replace_based_edit_tool'],
    ['text_editor_20250124', 'str_replace_editor'],
    ['text_editor_20241022', 'str_replace_editor'],
  ] as const)('%s is named %s', async (type, name) => {
    const { editor } = await editing({ type })
    expect(editor.tool).toEqual({ type, name })
  })

  it('is what the API takes, by its types', async () => {
    const { editor } = await editing({ maxCharacters: 10_000 })
    const tool: Anthropic.Beta.BetaToolUnion = editor.tool as Anthropic.Beta.BetaToolTextEditor20250728
    expect(tool).toEqual({
      type: 'text_editor_20250728',
      name: 'str_replace_based_edit_tool',
      max_characters: 10_000,
    })
    const result: Anthropic.ToolResultBlockParam = await editor.answer({
      type: 'tool_use',
      id: 'toolu_1',
      name: editor.tool.name,
      input: { command: 'create', path: 'a.txt', file_text: 'a\n' },
    })
    expect(result).toEqual({
      type: 'tool_result',
      tool_use_id: 'toolu_1',
      content: 'File created successfully at: a.txt',
    })
  })

  it.each([
    [{ type: 'text_editor_19990101' as never }],
    [{ maxCharacters: 0 }],
    [{ type: 'text_editor_20250429', maxCharacters: 5 }],
  ] as const)('is refused with %j', async (options) => {
    const journal = await scratchJournal()
    expect(failure(() => createTextEditor(journal, options)).code).toBe('INVALID')
  })
})

describe('view', () => {
  it('numbers lines, and leaves tabs and line ends alone', async () => {
    const { editor, bytes } = await editing({}, { 'a.txt': '\tone\r\ntwo\tx\nthree' })
    expect(await editor.run({ command: 'view', path: 'a.txt' })).toEqual({
      content: "Here's the result of running `cat -n` on a.txt:\n     1\t\tone\n     2\ttwo\tx\n     3\tthree\n",
      isError: false,
    })
    expect(bytes('a.txt').toString()).toBe('\tone\r\ntwo\tx\nthree')
  })

  it.each([
    [[2, 3], '     2\tb\n     3\tc\n'],
    [[3, -1], '     3\tc\n     4\td\n'],
    [[1, 1], '     1\ta\n'],
  ])('shows the range %j', async (view_range, lines) => {
    const { editor } = await editing({}, { 'a.txt': 'a\nb\nc\nd\n' })
    const { content } = await editor.run({ command: 'view', path: 'a.txt', view_range })
    expect(content).toBe(`Here's the result of running \`cat -n\` on a.txt:\n${lines}`)
  })

  it.each([
    [[0, 2], 'Its first element `0` should be within the range of lines of the file: [1, 2]'],
    [[3, 3], 'Its first element `3` should be within'],
    [[1, 9], 'Its second element `9` should be smaller than or equal to the number of lines in the file: `2`'],
    [[2, 1], 'Its second element `1` should be larger than or equal to its first `2`'],
    [[1, -2], 'Its second element `-2` should be'],
    [[1], 'It should be a list of two integers.'],
    ['1-2', 'It should be a list of two integers.'],
    [[1.5, 2], 'It should be a list of two integers.'],
  ])('refuses the range %j', async (view_range, words) => {
    const { editor } = await editing({}, { 'a.txt': 'a\nb\n' })
    const { content, isError } = await editor.run({ command: 'view', path: 'a.txt', view_range })
    expect(isError).toBe(true)
    expect(content).toContain(words)
    expect(content).toMatch(/^Error: Invalid `view_range`/)
  })

  it('lists a folder two levels deep, without what is hidden', async () => {
    const { editor, root } = await editing()
    mkdirSync(join(root, 'src/deep/deeper'), { recursive: true })
    mkdirSync(join(root, 'node_modules/x'), { recursive: true })
    for (const name of ['b.txt', '.hidden', 'src/a.ts', 'src/deep/c.ts']) writeFileSync(join(root, name), '')
    const { content } = await editor.run({ command: 'view', path: root })
    expect(content).toBe(
      `Here're the files and directories up to 2 levels deep in ${root}, excluding hidden items and node_modules:\n` +
        `${['', '/b.txt', '/src/', '/src/a.ts', '/src/deep/'].map((name) => root + name).join('\n')}\n`,
    )
    const ranged = await editor.run({ command: 'view', path: 'src', view_range: [1, 2] })
    expect(ranged.content).toBe('Error: The `view_range` parameter is not allowed when `path` points to a directory.')
  })

  it('keeps to max_characters and says what is missing', async () => {
    const { editor } = await editing({ maxCharacters: 100 }, { 'a.txt': 'x'.repeat(500) })
    const { content } = await editor.run({ command: 'view', path: 'a.txt' })
    expect(content.slice(0, 100)).toMatch(/^Here's the result.*x+$/s)
    expect(content.slice(100)).toMatch(/^\n\.\.\. \(\d+ of \d+ characters left out; use view_range to see them\)\n$/)
  })
})

describe('create', () => {
  it('makes a file with its folders, as one transaction', async () => {
    const { editor, journal, text, root } = await editing({ meta: { actor: 'model', tags: ['session-1'] } })
    const path = join(root, 'src/new/a.ts')
    const { content } = await editor.run({ command: 'create', path, file_text: 'x\n' }, { parent: 'prompt-1' })
    expect(content).toBe(`File created successfully at: ${path}`)
    expect(text('src/new/a.ts')).toBe('x\n')
    const [{ actor, tags, parent, entries } = {}, ...others] = await historyOf(journal)
    expect(others).toEqual([])
    expect({ actor, tags, parent }).toEqual({ actor: 'model', tags: ['text-editor', 'session-1'], parent: 'prompt-1' })
    expect(entries?.map(({ op }) => op)).toEqual(['mkdir', 'mkdir', 'write'])
  })

  it('does not overwrite', async () => {
    const { editor, text, root } = await editing({}, { 'a.txt': 'old' })
    mkdirSync(join(root, 'folder'))
    for (const path of ['a.txt', 'folder']) {
      expect(await editor.run({ command: 'create', path, file_text: 'new' })).toEqual({
        content: `Error: File already exists at: ${path}. Cannot overwrite files using command \`create\`.`,
        isError: true,
      })
    }
    expect(text('a.txt')).toBe('old')
  })
})

describe('str_replace', () => {
  it('replaces one place and shows it', async () => {
    const { editor, text } = await editing({}, { 'a.txt': '1\n2\n3\n4\n5\n6\n7\n8\n9\n' })
    const { content } = await editor.run({
      command: 'str_replace',
      path: 'a.txt',
      old_str: '6\n',
      new_str: 'six\n\t6b\n',
    })
    expect(text('a.txt')).toBe('1\n2\n3\n4\n5\nsix\n\t6b\n7\n8\n9\n')
    expect(content).toMatch(
      /^The file a\.txt has been edited\. Here's the result of running `cat -n` on a snippet of a\.txt:\n/,
    )
    expect(content).toContain('     6\tsix\n     7\t\t6b\n')
    expect(content).not.toContain('     1\t1')
  })

  it('without new_str takes away', async () => {
    const { editor, text } = await editing({}, { 'a.txt': 'a b c' })
    await editor.run({ command: 'str_replace', path: 'a.txt', old_str: ' b' })
    expect(text('a.txt')).toBe('a c')
  })

  it.each([
    ['File not found', { path: 'none.txt', old_str: 'a', new_str: 'b' }],
    ['No match found for replacement. Please check your text and try again.', { old_str: 'zzz', new_str: 'b' }],
    [
      'Found 3 matches for replacement text. Please provide more context to make a unique match.',
      { old_str: 'a', new_str: 'b' },
    ],
    ['`old_str` is empty: name the text to replace, or use `insert`.', { old_str: '', new_str: 'b' }],
    ['Parameter `old_str` (a text) is required for command: str_replace.', { new_str: 'b' }],
    ['Parameter `old_str` (a text) is required for command: str_replace. It is 7.', { old_str: 7, new_str: 'b' }],
  ])('says: %s', async (words, input) => {
    const { editor, journal, text } = await editing({}, { 'a.txt': 'a a a' })
    const result = await editor.run({ command: 'str_replace', path: 'a.txt', ...input })
    expect(result).toEqual({ content: `Error: ${words}`, isError: true })
    expect(text('a.txt')).toBe('a a a')
    expect(await historyOf(journal)).toEqual([])
  })

  it('keeps CRLF, byte order mark, tabs, a missing last line end and permissions', async () => {
    const { editor, bytes, root } = await editing({}, { 'a.txt': '\ufeff\tone\r\n\ttwo\r\n\tthree' })
    chmodSync(join(root, 'a.txt'), 0o750)
    await editor.run({ command: 'str_replace', path: 'a.txt', old_str: '\tone\n\ttwo', new_str: '\tone\n\tnew\n\ttwo' })
    expect(bytes('a.txt').toString()).toBe('\ufeff\tone\r\n\tnew\r\n\ttwo\r\n\tthree')
    if (process.platform !== 'win32') expect(statSync(join(root, 'a.txt')).mode & 0o777).toBe(0o750)
  })

  it('keeps UTF-16, and Latin-1 where that is said', async () => {
    const utf16 = Buffer.from('\ufeffgrün\r\nblau\r\n', 'utf16le')
    const { editor, bytes } = await editing({}, { 'a.txt': utf16 })
    await editor.run({ command: 'str_replace', path: 'a.txt', old_str: 'grün', new_str: 'gelb' })
    expect(bytes('a.txt')).toEqual(Buffer.from('\ufeffgelb\r\nblau\r\n', 'utf16le'))
    const latin = await editing({ encoding: 'latin1' }, { 'a.txt': Buffer.from('grün', 'latin1') })
    await latin.editor.run({ command: 'str_replace', path: 'a.txt', old_str: 'ü', new_str: 'ö' })
    expect(latin.bytes('a.txt')).toEqual(Buffer.from('grön', 'latin1'))
  })

  it('refuses what is no text, and a folder', async () => {
    const { editor, root } = await editing({}, { 'a.bin': Uint8Array.of(0, 255, 254) })
    mkdirSync(join(root, 'folder'))
    const { content } = await editor.run({ command: 'str_replace', path: 'a.bin', old_str: 'a', new_str: 'b' })
    expect(content).toContain('is not UTF-8 text')
    const folder = await editor.run({ command: 'str_replace', path: 'folder', old_str: 'a', new_str: 'b' })
    expect(folder.content).toContain('folder is not a file')
  })
})

describe('insert', () => {
  it.each([
    ['at the start', 'a\nb\n', 0, 'x', 'x\na\nb\n'],
    ['between', 'a\nb\n', 1, 'x\ny', 'a\nx\ny\nb\n'],
    ['with its own line end', 'a\nb\n', 1, 'x\n', 'a\nx\nb\n'],
    ['at the end', 'a\nb\n', 2, 'x', 'a\nb\nx\n'],
    ['behind a last line without an end', 'a\nb', 2, 'x', 'a\nb\nx'],
    ['into nothing', '', 0, 'x', 'x'],
    ['into CRLF', 'a\r\nb\r\n', 1, 'x\ny', 'a\r\nx\r\ny\r\nb\r\n'],
    ['nothing, which is an empty line', 'a\nb\n', 1, '', 'a\n\nb\n'],
  ])('%s', async (_, before, insert_line, insert_text, after) => {
    const { editor, text } = await editing({}, { 'a.txt': before })
    const { content, isError } = await editor.run({ command: 'insert', path: 'a.txt', insert_line, insert_text })
    expect([isError, content.split('\n')[0]]).toEqual([
      false,
      "The file a.txt has been edited. Here's the result of running `cat -n` on a snippet of a.txt:",
    ])
    expect(text('a.txt')).toBe(after)
  })

  it('takes new_str as older versions called it', async () => {
    const { editor, text } = await editing(ANY_UNDO, { 'a.txt': 'a\n' })
    await editor.run({ command: 'insert', path: 'a.txt', insert_line: 1, new_str: 'b' })
    expect(text('a.txt')).toBe('a\nb\n')
  })

  it.each([
    [
      { insert_line: 3, insert_text: 'x' },
      'Invalid `insert_line` parameter: 3. It should be within the range of lines of the file: [0, 2]',
    ],
    [
      { insert_line: -1, insert_text: 'x' },
      'Invalid `insert_line` parameter: -1. It should be within the range of lines of the file: [0, 2]',
    ],
    [{ insert_line: 1 }, 'Parameter `insert_text` (a text) is required for command: insert.'],
    [{ insert_text: 'x' }, 'Parameter `insert_line` (a number) is required for command: insert.'],
  ])('refuses %j', async (input, words) => {
    const { editor, text } = await editing({}, { 'a.txt': 'a\nb\n' })
    expect(await editor.run({ command: 'insert', path: 'a.txt', ...input })).toEqual({
      content: `Error: ${words}`,
      isError: true,
    })
    expect(text('a.txt')).toBe('a\nb\n')
  })
})

describe('undo_edit', () => {
  it('takes back edit after edit of this file, and no other', async () => {
    const { editor, text, root } = await editing(ANY_UNDO)
    await editor.run({ command: 'create', path: 'a.txt', file_text: 'one\n' })
    await editor.run({ command: 'str_replace', path: 'a.txt', old_str: 'one', new_str: 'two' })
    await editor.run({ command: 'create', path: 'b.txt', file_text: 'b\n' })
    const undo = () => editor.run({ command: 'undo_edit', path: join(root, 'a.txt') })
    expect((await undo()).content).toMatch(/^Last edit to .*a\.txt undone successfully\. Here's the result/)
    expect(text('a.txt')).toBe('one\n')
    expect((await undo()).content).toContain('is not there any more')
    expect(existsSync(join(root, 'a.txt'))).toBe(false)
    expect((await undo()).content).toBe(`Error: No edit history found for ${join(root, 'a.txt')}.`)
    expect(text('b.txt')).toBe('b\n')
  })

  it('knows edits from before a restart, and only those of the editor', async () => {
    const root = scratchFolder()
    const first = await openJournal(root)
    await createTextEditor(first, ANY_UNDO).run({ command: 'create', path: 'a.txt', file_text: 'mine\n' })
    await first.close()
    const journal = await openJournal(root)
    const editor = createTextEditor(journal, ANY_UNDO)
    await journal.write('b.txt', 'of somebody else')
    expect((await editor.run({ command: 'undo_edit', path: 'b.txt' })).content).toContain('No edit history found')
    expect((await editor.run({ command: 'undo_edit', path: 'a.txt' })).isError).toBe(false)
    expect(existsSync(join(root, 'a.txt'))).toBe(false)
    await journal.close()
  })

  it('does not take away what a person wrote since', async () => {
    const { editor, text, root } = await editing(ANY_UNDO)
    await editor.run({ command: 'create', path: 'a.txt', file_text: 'model\n' })
    writeFileSync(join(root, 'a.txt'), 'person\n')
    const { content, isError } = await editor.run({ command: 'undo_edit', path: 'a.txt' })
    expect([isError, content.includes('changed since')]).toEqual([true, true])
    expect(text('a.txt')).toBe('person\n')
  })

  it('is not there in later versions', async () => {
    const { editor } = await editing()
    expect((await editor.run({ command: 'undo_edit', path: 'a.txt' })).content).toBe(
      'Error: Unrecognized command "undo_edit". The allowed commands for the str_replace_based_edit_tool tool are: view, create, str_replace, insert',
    )
  })
})

describe('bad input', () => {
  it.each([
    null,
    undefined,
    'view',
    7,
    [],
    {},
    { command: 'rm' },
    { command: 'view' },
    { command: 'view', path: '' },
    { command: 'constructor', path: 'a' },
  ])('%j is an error result', async (input) => {
    const { editor, journal } = await editing()
    const { isError, content } = await editor.run(input)
    expect([isError, content.startsWith('Error: ')]).toEqual([true, true])
    expect(await historyOf(journal)).toEqual([])
  })

  it.each(['../outside.txt', '/etc/passwd', 'link/outside.txt', '.journal/FORMAT', 'a\0b'])(
    'the path %j is refused by every command',
    async (path) => {
      const { editor, root, journal } = await editing()
      const outside = scratchFolder()
      writeFileSync(join(outside, 'outside.txt'), 'secret')
      symlinkSync(outside, join(root, 'link'))
      for (const command of ['view', 'create', 'str_replace', 'insert']) {
        const rest = { file_text: 'x', old_str: 'secret', new_str: 'x', insert_line: 0, insert_text: 'x' }
        const { isError, content } = await editor.run({ command, path, ...rest })
        expect([command, isError]).toEqual([command, true])
        expect(content).not.toContain('secret')
      }
      expect(readFileSync(join(outside, 'outside.txt'), 'utf8')).toBe('secret')
      expect(await historyOf(journal)).toEqual([])
    },
  )

  it('a folder that a link makes of the outside is not listed', async () => {
    const { editor, root } = await editing()
    symlinkSync(scratchFolder(), join(root, 'link'))
    for (const path of ['link', '..', '/', '.journal', '.journal/log']) {
      expect((await editor.run({ command: 'view', path })).content).toContain('is outside of the workspace')
    }
  })

  it('a closed journal is no error of the model', async () => {
    const { editor, journal } = await editing()
    await journal.close()
    await expect(editor.run({ command: 'create', path: 'a', file_text: '' })).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

it('puts all commands into one transaction that is handed over', async () => {
  const journal = await scratchJournal()
  const transaction = journal.begin({ message: 'rename' })
  const editor = createTextEditor(journal, { transaction })
  await editor.run({ command: 'create', path: 'a.txt', file_text: 'one\n' })
  await editor.run({ command: 'str_replace', path: 'a.txt', old_str: 'one', new_str: 'two' })
  expect((await editor.run({ command: 'view', path: 'a.txt' })).content).toContain('     1\ttwo')
  expect((await editor.run({ command: 'str_replace', path: 'a.txt', old_str: 'one', new_str: '' })).isError).toBe(true)
  expect(existsSync(join(journal.root, 'a.txt'))).toBe(false)
  await transaction.commit()
  expect(readFileSync(join(journal.root, 'a.txt'), 'utf8')).toBe('two\n')
  expect((await historyOf(journal)).length).toBe(1)
  expect(failure(() => createTextEditor(journal, { transaction, ...ANY_UNDO })).code).toBe('INVALID')
})
