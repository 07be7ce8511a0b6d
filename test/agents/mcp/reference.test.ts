/**
 * The reference filesystem server and ours, started side by side on two folders with the same content: the same calls have the same results, refusals included,
 * and leave the same trees. Where ours differs on purpose, `DIFFERENCES` says why, and both behaviours are asserted.
 */
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { type Connected, ours, reference, scratch, textOf } from './clients.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const POSIX = process.platform !== 'win32'

/** Makes the same folder for both. */
function furnish(root: string): void {
  mkdirSync(join(root, 'src/deep/deeper'), { recursive: true })
  mkdirSync(join(root, 'empty'))
  mkdirSync(join(root, 'node_modules/pkg'), { recursive: true })
  writeFileSync(join(root, 'node_modules/pkg/index.js'), 'module.exports = 1\n')
  writeFileSync(join(root, 'a.txt'), 'one\ntwo\nthree\n')
  writeFileSync(join(root, 'no-end.txt'), 'one\ntwo')
  writeFileSync(join(root, 'blank.txt'), '')
  writeFileSync(join(root, 'src/main.ts'), 'function main() {\n    const a = 1\n    return a\n}\n')
  writeFileSync(join(root, 'src/deep/x.ts'), `export const x = 1\n${'// filling\n'.repeat(300)}`)
  writeFileSync(join(root, 'src/deep/deeper/.hidden.ts'), 'hidden\n')
  writeFileSync(join(root, 'umlaut-ä.txt'), 'grün\n')
  writeFileSync(join(root, 'pixel.png'), Buffer.from('iVBORw0KGgo=', 'base64'))
  writeFileSync(join(root, 'tone.mp3'), Buffer.from([1, 2, 3]))
  writeFileSync(join(root, 'data.bin'), Buffer.from([0, 255, 254, 10, 13]))
  writeFileSync(
    join(root, 'long.txt'),
    Array.from({ length: 5000 }, (_, n) => `line ${n} ${'é'.repeat(n % 7)}`).join('\n'),
  )
  writeFileSync(join(root, 'fence.md'), '```js\ncode\n```\n````\n')
  writeFileSync(join(root, 'script.sh'), '#!/bin/sh\n')
  chmodSync(join(root, 'script.sh'), 0o750)
  writeFileSync(join(root, '../outside.txt'), 'outside\n')
  mkdirSync(join(root, '../other'))
  symlinkSync('src/main.ts', join(root, 'link-in'))
  symlinkSync('../outside.txt', join(root, 'link-out'))
  symlinkSync('../other', join(root, 'folder-out'))
  symlinkSync('src', join(root, 'folder-in'))
  symlinkSync('gone.txt', join(root, 'dangling'))
}

interface Node {
  readonly [name: string]: string
}

/** Everything below a folder, but our journal. */
function treeOf(root: string, folder = ''): Node {
  const found: Record<string, string> = {}
  for (const name of readdirSync(join(root, folder)).sort()) {
    if (name === '.journal') continue
    const path = folder === '' ? name : `${folder}/${name}`
    const stat = lstatSync(join(root, path))
    const mode = (stat.mode & 0o777).toString(8)
    if (stat.isDirectory()) Object.assign(found, { [`${path}/`]: mode }, treeOf(root, path))
    else if (stat.isSymbolicLink()) found[path] = 'link'
    else found[path] = `${mode} ${readFileSync(join(root, path)).toString('base64')}`
  }
  return found
}

interface Pair {
  readonly ours: Connected
  readonly theirs: Connected
  readonly ourRoot: string
  readonly theirRoot: string
}

async function pair(): Promise<Pair> {
  const [ourRoot, theirRoot] = [scratch('work'), scratch('work')]
  furnish(ourRoot)
  furnish(theirRoot)
  const [our, their] = await Promise.all([ours(ourRoot), reference(theirRoot)])
  return { ours: our, theirs: their, ourRoot, theirRoot }
}

type Args = Record<string, unknown>
type MakeArgs = (root: string) => Args

/** The same call to both; what each said, with its root as `ROOT`. */
async function both({ ours, theirs, ourRoot, theirRoot }: Pair, name: string, args: MakeArgs) {
  const plain = (said: unknown, root: string) =>
    JSON.parse(
      JSON.stringify(said)
        .replaceAll(encodeURI(root), 'ROOT')
        .replaceAll(root, 'ROOT')
        .replaceAll(dirname(root), 'AROUND'),
    ) as unknown
  const told = async (connected: Connected, root: string) => {
    const { content, structuredContent, isError = false } = await connected.call(name, args(root))
    return plain({ content, structuredContent: structuredContent ?? null, isError }, root)
  }
  return { ours: await told(ours, ourRoot), theirs: await told(theirs, theirRoot) }
}

/** Lists come in the order of the file system, which is nobody's promise. */
function sorted(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, part) =>
    typeof part === 'string' && part.includes('\n') ? part.split('\n').sort().join('\n') : part,
  )
}

type Row = readonly [what: string, name: string, args: MakeArgs]

const READS: readonly Row[] = [
  ['a file', 'read_file', (root) => ({ path: join(root, 'a.txt') })],
  ['a file', 'read_text_file', (root) => ({ path: join(root, 'a.txt') })],
  ['a relative path', 'read_text_file', () => ({ path: 'src/main.ts' })],
  ['an empty file', 'read_text_file', () => ({ path: 'blank.txt' })],
  ['bytes that are no text', 'read_text_file', () => ({ path: 'data.bin' })],
  ['a name in another form of Unicode', 'read_text_file', () => ({ path: 'umlaut-ä.txt'.normalize('NFD') })],
  ['the head', 'read_text_file', () => ({ path: 'a.txt', head: 2 })],
  ['more head than there is', 'read_text_file', () => ({ path: 'a.txt', head: 20 })],
  ['the head of a file without a last line end', 'read_text_file', () => ({ path: 'no-end.txt', head: 2 })],
  ['the head of a long file', 'read_text_file', () => ({ path: 'long.txt', head: 4321 })],
  ['a head that is no whole number', 'read_text_file', () => ({ path: 'a.txt', head: 1.5 })],
  ['a head below nothing', 'read_text_file', () => ({ path: 'a.txt', head: -3 })],
  ['no head', 'read_text_file', () => ({ path: 'a.txt', head: 0 })],
  ['the tail', 'read_text_file', () => ({ path: 'a.txt', tail: 2 })],
  ['more tail than there is', 'read_text_file', () => ({ path: 'a.txt', tail: 20 })],
  ['the tail of a file without a last line end', 'read_text_file', () => ({ path: 'no-end.txt', tail: 1 })],
  ['the tail of a long file', 'read_text_file', () => ({ path: 'long.txt', tail: 4321 })],
  ['the tail of an empty file', 'read_text_file', () => ({ path: 'blank.txt', tail: 3 })],
  ['a tail below nothing', 'read_text_file', () => ({ path: 'a.txt', tail: -3 })],
  ['head and tail', 'read_text_file', () => ({ path: 'a.txt', head: 1, tail: 1 })],
  ['a file that is not there', 'read_text_file', () => ({ path: 'gone.txt' })],
  ['the head of one that is not there', 'read_text_file', () => ({ path: 'gone.txt', head: 1 })],
  ['the tail of one that is not there', 'read_text_file', () => ({ path: 'gone.txt', tail: 1 })],
  ['a file below one that is not there', 'read_text_file', () => ({ path: 'gone/gone.txt' })],
  ['a file below a file', 'read_text_file', () => ({ path: 'a.txt/b.txt' })],
  ['a folder', 'read_text_file', () => ({ path: 'src' })],
  ['the head of a folder', 'read_text_file', () => ({ path: 'src', head: 1 })],
  ['through a link', 'read_text_file', () => ({ path: 'link-in' })],
  ['through a linked folder', 'read_text_file', () => ({ path: 'folder-in/main.ts' })],
  ['through a link that leads out', 'read_text_file', () => ({ path: 'link-out' })],
  ['through a folder that leads out', 'read_text_file', () => ({ path: 'folder-out/x' })],
  ['through a dangling link', 'read_text_file', () => ({ path: 'dangling' })],
  ['outside', 'read_text_file', () => ({ path: '/etc/hostname' })],
  ['outside by dots', 'read_text_file', (root) => ({ path: `${root}/../outside.txt` })],
  ['outside by relative dots', 'read_text_file', () => ({ path: '../outside.txt' })],
  ['a folder whose name only begins alike', 'read_text_file', (root) => ({ path: `${root}-not/x` })],
  ['a name with NUL', 'read_text_file', () => ({ path: 'a\0.txt' })],
  ['an empty name', 'read_text_file', () => ({ path: '' })],
  ['a path of Windows', 'read_text_file', () => ({ path: 'C:\\Users\\x' })],
  ['an image', 'read_media_file', () => ({ path: 'pixel.png' })],
  ['a sound', 'read_media_file', () => ({ path: 'tone.mp3' })],
  ['any other file', 'read_media_file', () => ({ path: 'umlaut-ä.txt' })],
  ['an image that is not there', 'read_media_file', () => ({ path: 'gone.png' })],
  ['several', 'read_multiple_files', () => ({ paths: ['a.txt', 'gone.txt', '/etc/hostname', 'src/main.ts'] })],
  ['none', 'read_multiple_files', () => ({ paths: [] })],
  ['a list', 'list_directory', (root) => ({ path: root })],
  ['a list of an empty folder', 'list_directory', () => ({ path: 'empty' })],
  ['a list of a file', 'list_directory', () => ({ path: 'a.txt' })],
  ['a list of nothing', 'list_directory', () => ({ path: 'gone' })],
  ['a list through a link', 'list_directory', () => ({ path: 'folder-in' })],
  ['sizes', 'list_directory_with_sizes', () => ({ path: '.' })],
  ['sizes by size', 'list_directory_with_sizes', () => ({ path: 'src/deep', sortBy: 'size' })],
  ['sizes by something else', 'list_directory_with_sizes', () => ({ path: 'src', sortBy: 'age' })],
  ['a tree', 'directory_tree', (root) => ({ path: root })],
  ['a tree without some', 'directory_tree', (root) => ({ path: root, excludePatterns: ['node_modules', '*.txt'] })],
  ['a tree by a relative path', 'directory_tree', () => ({ path: 'src', excludePatterns: ['deep/*'] })],
  ['a tree of a file', 'directory_tree', () => ({ path: 'a.txt' })],
  ['a search', 'search_files', (root) => ({ path: root, pattern: '**/*.ts' })],
  ['a search in one folder', 'search_files', () => ({ path: '.', pattern: '*.txt' })],
  [
    'a search that leaves out',
    'search_files',
    () => ({ path: '.', pattern: '**', excludePatterns: ['node_modules/**', 'src'] }),
  ],
  ['a search for nothing', 'search_files', () => ({ path: '.', pattern: '*.none' })],
  ['a search for links', 'search_files', () => ({ path: '.', pattern: 'link-*' })],
  ['a search nowhere', 'search_files', () => ({ path: 'gone', pattern: '*' })],
  ['allowed directories', 'list_allowed_directories', () => ({})],
  ['a path that is a number', 'read_text_file', () => ({ path: 7 })],
  ['no path', 'write_file', () => ({ content: 'x' })],
  ['edits that are none', 'edit_file', () => ({ path: 'a.txt', edits: 'x' })],
  ['an edit without a text', 'edit_file', () => ({ path: 'a.txt', edits: [{ oldText: 'x' }] })],
  ['a tool that is not there', 'no_such_tool', () => ({})],
]

describe.runIf(POSIX)('what is read', () => {
  let servers: Pair
  beforeAll(async () => {
    servers = await pair()
  })
  // The clients of `pair` are closed after each test, so all rows are one test.
  test('is the same, call by call', async () => {
    for (const [what, name, args] of READS) {
      const said = await both(servers, name, args)
      expect(sorted(said.ours), `${name}: ${what}`).toEqual(sorted(said.theirs))
    }
    const { ours: our, theirs } = await both(servers, 'get_file_info', () => ({ path: 'script.sh' }))
    const facts = (value: unknown) => JSON.stringify(value).replace(/(created|modified|accessed): [^\\]*/g, '$1: TIME')
    expect(facts(our)).toBe(facts(theirs))
    expect(facts(our)).toContain('permissions: 750')
  })
})

const WRITES: readonly Row[] = [
  ['a new file', 'write_file', () => ({ path: 'new.txt', content: 'neu\n' })],
  ['over a file', 'write_file', (root) => ({ path: join(root, 'a.txt'), content: 'grün 🌱\n' })],
  ['over a file with permissions of its own', 'write_file', () => ({ path: 'script.sh', content: '#!/bin/bash\n' })],
  ['nothing', 'write_file', () => ({ path: 'blank.txt', content: '' })],
  ['through a link', 'write_file', () => ({ path: 'link-in', content: 'function main() {\n  const a = 1\n}\n' })],
  ['through a linked folder', 'write_file', () => ({ path: 'folder-in/linked.ts', content: 'x\n' })],
  ['through a link that leads out', 'write_file', () => ({ path: 'link-out', content: 'x' })],
  ['through a folder that leads out', 'write_file', () => ({ path: 'folder-out/x.txt', content: 'x' })],
  ['through a dangling link', 'write_file', () => ({ path: 'dangling', content: 'x' })],
  ['below nothing', 'write_file', () => ({ path: 'gone/x.txt', content: 'x' })],
  ['below a file', 'write_file', () => ({ path: 'a.txt/x.txt', content: 'x' })],
  ['outside', 'write_file', () => ({ path: '../outside.txt', content: 'x' })],
  ['an edit', 'edit_file', () => ({ path: 'src/deep/x.ts', edits: [{ oldText: 'x = 1', newText: 'x = 2' }] })],
  [
    'several edits in order',
    'edit_file',
    () => ({
      path: 'no-end.txt',
      edits: [
        { oldText: 'one', newText: 'two' },
        { oldText: 'two', newText: 'three' },
      ],
    }),
  ],
  [
    'the first place of many',
    'edit_file',
    () => ({ path: 'src/deep/x.ts', edits: [{ oldText: '// filling\n', newText: '// first\n' }] }),
  ],
  [
    'an edit without looking at blanks',
    'edit_file',
    () => ({
      path: 'src/main.ts',
      edits: [
        { oldText: 'function main() {\nconst a = 1', newText: 'function main() {\n  const a = 2\n    const b = 3' },
      ],
    }),
  ],
  ['dollars in a new text', 'edit_file', () => ({ path: 'new.txt', edits: [{ oldText: 'neu', newText: '$& $1 $$' }] })],
  [
    'an edit in a fence',
    'edit_file',
    () => ({ path: 'fence.md', edits: [{ oldText: 'code', newText: 'more\ncode' }] }),
  ],
  ['an edit that removes', 'edit_file', () => ({ path: 'fence.md', edits: [{ oldText: '````\n', newText: '' }] })],
  ['an empty old text', 'edit_file', () => ({ path: 'new.txt', edits: [{ oldText: '', newText: 'before\n' }] })],
  ['no edits', 'edit_file', () => ({ path: 'new.txt', edits: [] })],
  [
    'an edit that is a rehearsal',
    'edit_file',
    () => ({ path: 'new.txt', edits: [{ oldText: 'before', newText: 'behind' }], dryRun: true }),
  ],
  [
    'a text that is not there',
    'edit_file',
    () => ({
      path: 'new.txt',
      edits: [
        { oldText: 'before', newText: 'x' },
        { oldText: 'nowhere', newText: 'x' },
      ],
    }),
  ],
  [
    'a text with CRLF in a file with LF',
    'edit_file',
    () => ({ path: 'src/deep/x.ts', edits: [{ oldText: '// first\r\n', newText: '// again\r\n' }] }),
  ],
  ['an edit of nothing', 'edit_file', () => ({ path: 'gone.txt', edits: [{ oldText: 'a', newText: 'b' }] })],
  ['an edit of a folder', 'edit_file', () => ({ path: 'src', edits: [{ oldText: 'a', newText: 'b' }] })],
  ['an edit outside', 'edit_file', () => ({ path: 'link-out', edits: [{ oldText: 'a', newText: 'b' }] })],
  ['a folder', 'create_directory', () => ({ path: 'made' })],
  ['folders', 'create_directory', () => ({ path: 'very/deep/folder' })],
  ['a folder that is there', 'create_directory', () => ({ path: 'src' })],
  ['a folder where a file is', 'create_directory', () => ({ path: 'a.txt' })],
  ['a folder outside', 'create_directory', () => ({ path: '../made' })],
  ['a move', 'move_file', () => ({ source: 'new.txt', destination: 'made/moved.txt' })],
  ['a move of a folder', 'move_file', () => ({ source: 'src/deep', destination: 'very/moved' })],
  ['a move of an empty folder', 'move_file', () => ({ source: 'empty', destination: 'still-empty' })],
  ['a move over a file', 'move_file', () => ({ source: 'a.txt', destination: 'blank.txt' })],
  ['a move over a folder', 'move_file', () => ({ source: 'a.txt', destination: 'src' })],
  ['a move of nothing', 'move_file', () => ({ source: 'gone', destination: 'there' })],
  ['a move to below nothing', 'move_file', () => ({ source: 'a.txt', destination: 'gone/a.txt' })],
  ['a move to outside', 'move_file', () => ({ source: 'a.txt', destination: '../a.txt' })],
  ['a move of what a link leads to', 'move_file', () => ({ source: 'link-in', destination: 'src/moved.ts' })],
]

describe.runIf(POSIX)('what is written', () => {
  test('has the same results, and leaves the same tree', async () => {
    const servers = await pair()
    for (const [what, name, args] of WRITES) {
      const said = await both(servers, name, args)
      expect(said.ours, `${name}: ${what}`).toEqual(said.theirs)
      expect(treeOf(servers.ourRoot), `the tree after ${name}: ${what}`).toEqual(treeOf(servers.theirRoot))
    }
    expect(treeOf(join(servers.ourRoot, '..', 'other'))).toEqual({})
    // Everything that ours did is in its history, and can be taken back, to the last byte.
    const { transactions } = await servers.ours.structured<{
      transactions: { transaction: string; actor: string; tags: string[] }[]
    }>('history', { limit: 100 })
    expect(new Set(transactions.map(({ actor }) => actor))).toEqual(new Set(['tester']))
    expect(transactions.map(({ tags }) => tags[0])).toContain('mcp:move_file')
    for (const { transaction } of transactions) {
      const undone = await servers.ours.call('undo', { transaction })
      // Writing what is there already is in the history, and leaves nothing to take back.
      if (undone.isError === true) expect(textOf(undone)).toContain('left every path as it was')
    }
    const fresh = scratch('work')
    furnish(fresh)
    expect(treeOf(servers.ourRoot)).toEqual(treeOf(fresh))
  })
})

describe('the tools', () => {
  test('have the same names, arguments, results and hints', async () => {
    const root = scratch()
    const [our, their] = await Promise.all([ours(root), reference(root)])
    const theirs = (await their.client.listTools()).tools
    const known = new Map((await our.client.listTools()).tools.map((tool) => [tool.name, tool]))
    expect(theirs.map(({ name }) => name)).toHaveLength(14)
    for (const { name, title, inputSchema, outputSchema, annotations } of theirs) {
      const tool = known.get(name)
      expect({ title: tool?.title, inputSchema: tool?.inputSchema, outputSchema: tool?.outputSchema }, name).toEqual({
        title,
        inputSchema,
        outputSchema,
      })
      expect(tool?.annotations, name).toEqual(annotations)
    }
    for (const [name, { description = '', annotations, outputSchema }] of known) {
      expect(description.length, name).toBeGreaterThan(20)
      expect(annotations?.readOnlyHint, name).toBeTypeOf('boolean')
      expect(outputSchema, name).toBeDefined()
    }
  })
})

/** Where ours differs from the reference on purpose, and why. The same table stands in docs/mcp.md. */
const DIFFERENCES = [
  'CRLF stays',
  'a text that is not UTF-8 is not damaged',
  'a folder is not written over',
  'hard links are spoken of',
  'a journal is neither shown nor written',
] as const

describe.runIf(POSIX)('differences on purpose', () => {
  const tried: Record<(typeof DIFFERENCES)[number], (servers: Pair) => Promise<void>> = {
    'CRLF stays': async (servers) => {
      for (const root of [servers.ourRoot, servers.theirRoot])
        writeFileSync(join(root, 'crlf.txt'), 'one\r\ntwo\r\nthree\nfour\r\n')
      const said = await both(servers, 'edit_file', () => ({
        path: 'crlf.txt',
        edits: [{ oldText: 'one\ntwo', newText: 'eins\nzwei\ndrei' }],
      }))
      expect(said.ours).toEqual(said.theirs)
      expect(readFileSync(join(servers.theirRoot, 'crlf.txt'), 'utf8')).toBe('eins\nzwei\ndrei\nthree\nfour\n')
      expect(readFileSync(join(servers.ourRoot, 'crlf.txt'), 'utf8')).toBe('eins\r\nzwei\r\ndrei\r\nthree\nfour\r\n')
    },
    'a text that is not UTF-8 is not damaged': async (servers) => {
      const latin = Buffer.from('gr\xfcn one\n', 'latin1')
      const wide = Buffer.from('\ufeffone two\r\n', 'utf16le')
      for (const root of [servers.ourRoot, servers.theirRoot]) {
        writeFileSync(join(root, 'latin.txt'), latin)
        writeFileSync(join(root, 'wide.txt'), wide)
      }
      await both(servers, 'edit_file', () => ({ path: 'latin.txt', edits: [{ oldText: 'one', newText: 'two' }] }))
      await both(servers, 'edit_file', () => ({ path: 'wide.txt', edits: [{ oldText: 'one', newText: 'three' }] }))
      expect(readFileSync(join(servers.theirRoot, 'latin.txt')).includes(0xfc)).toBe(false)
      expect(readFileSync(join(servers.ourRoot, 'latin.txt'))).toEqual(latin)
      expect(readFileSync(join(servers.ourRoot, 'wide.txt'))).toEqual(Buffer.from('\ufeffthree two\r\n', 'utf16le'))
    },
    'a folder is not written over': async (servers) => {
      const said = await both(servers, 'write_file', () => ({ path: 'src', content: 'x' }))
      expect(JSON.stringify(said.theirs)).toMatch(
        /EISDIR: illegal operation on a directory, rename 'ROOT\/src\.[0-9a-f]+\.tmp' -> 'ROOT\/src'/,
      )
      expect(JSON.stringify(said.ours)).toContain("EISDIR: illegal operation on a directory, open 'ROOT/src'")
      expect(treeOf(servers.ourRoot)).toEqual(treeOf(servers.theirRoot))
    },
    'hard links are spoken of': async (servers) => {
      for (const root of [servers.ourRoot, servers.theirRoot]) linkSync(join(root, 'a.txt'), join(root, 'twin.txt'))
      const said = await both(servers, 'write_file', () => ({ path: 'a.txt', content: 'new\n' }))
      expect(treeOf(servers.ourRoot)).toEqual(treeOf(servers.theirRoot))
      expect(JSON.stringify(said.theirs)).not.toContain('hard-linked')
      expect(JSON.stringify(said.ours)).toContain('1 more hard-linked name(s)')
    },
    'a journal is neither shown nor written': async (servers) => {
      await servers.ours.text('write_file', { path: 'a.txt', content: 'x' })
      expect(readdirSync(servers.ourRoot)).toContain('.journal')
      expect(await servers.ours.text('list_directory', { path: '.' })).not.toContain('.journal')
      expect(await servers.ours.text('search_files', { path: '.', pattern: '**' })).not.toContain('.journal')
      for (const [name, args] of [
        ['read_text_file', {}],
        ['write_file', { content: 'x' }],
        ['list_directory', {}],
        ['create_directory', {}],
      ] as const) {
        for (const path of ['.journal', '.journal/FORMAT', '.JOURNAL/x', 'src/.journal']) {
          expect(await servers.ours.refused(name, { path, ...args })).toMatch(/^Access denied - path inside a journal/)
        }
      }
      expect(await servers.ours.refused('move_file', { source: '.journal', destination: 'x' })).toContain(
        'Access denied',
      )
      expect(await servers.ours.refused('remove', { path: '.journal', recursive: true })).toContain('PATH_OUTSIDE')
    },
  }
  test.each(DIFFERENCES)('%s', async (difference) => {
    await tried[difference](await pair())
  })

  test('the texts are those of the page', () => {
    const page = readFileSync(new URL('../../../docs/mcp.md', import.meta.url), 'utf8')
    for (const difference of DIFFERENCES) expect(page).toContain(`| ${difference} |`)
  })
})

test.runIf(POSIX)('a folder named by a link, and one that comes and goes, are the same to both', async () => {
  const said: unknown[] = []
  for (const connect of [ours, reference]) {
    const around = scratch()
    mkdirSync(join(around, 'real/sub'), { recursive: true })
    symlinkSync('real', join(around, 'named'))
    writeFileSync(join(around, 'real/a.txt'), 'a\n')
    const server = await connect(join(around, 'named'), join(around, 'gone'))
    const plain = async (name: string, args: Args) => textOf(await server.call(name, args)).replaceAll(around, 'AROUND')
    said.push([
      await plain('list_allowed_directories', {}),
      await plain('read_text_file', { path: join(around, 'named/a.txt') }),
      await plain('read_text_file', { path: join(around, 'real/a.txt') }),
      await plain('write_file', { path: join(around, 'named/sub/b.txt'), content: 'b' }),
      await plain('search_files', { path: join(around, 'named'), pattern: '**/*.txt' }),
      await plain('edit_file', { path: 'a.txt', edits: [{ oldText: 'a', newText: 'A' }] }),
      await plain('write_file', { path: join(around, 'gone/x.txt'), content: 'x' }),
      treeOf(join(around, 'real')),
    ])
  }
  expect(said[0]).toEqual(said[1])
})

test('an image of a transaction that is open is read from it', async () => {
  const root = scratch()
  const server = await ours(root)
  await server.text('begin_transaction')
  await server.text('write_binary_file', { path: 'a.png', base64: 'AAEC' })
  const { content } = await server.call('read_media_file', { path: 'a.png' })
  expect(content).toEqual([{ type: 'image', data: 'AAEC', mimeType: 'image/png' }])
  expect(textOf(await server.call('list_directory', { path: root }))).toBe('[FILE] a.png')
})
