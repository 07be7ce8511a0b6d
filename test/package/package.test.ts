import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

vi.setConfig({ testTimeout: 60_000 })

const run = promisify(execFile)
const WINDOWS = process.platform === 'win32'
const MINUTE = 60_000
const project = fileURLToPath(new URL('../..', import.meta.url))

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

let folder: string
let consumer: string
let packed: Packed

function npm(args: readonly string[], cwd: string): Promise<{ stdout: string; stderr: string }> {
  return run('npm', [...args, '--loglevel=error'], { cwd, shell: WINDOWS })
}

/** Runs a module in the project that has installed the package; gives what it printed, as JSON. */
async function inConsumer(program: string): Promise<unknown> {
  const file = join(consumer, 'program.mjs')
  await writeFile(file, program)
  const { stdout } = await run(process.execPath, [file], { cwd: consumer })
  return JSON.parse(stdout)
}

function installed(...path: string[]): string {
  return join(consumer, 'node_modules', ...path)
}

beforeAll(async () => {
  // Packing would build, and so take dist/ away under other tests that run at the same time; `npm test` has built it already.
  if (!existsSync(join(project, 'dist', 'index.js'))) throw new Error('There is no dist/: run `npm run build` first')
  folder = await mkdtemp(join(tmpdir(), 'write-journal-package-'))
  consumer = join(folder, 'consumer')
  await mkdir(consumer)
  const { stdout } = await npm(['pack', '--ignore-scripts', '--json', '--pack-destination', folder], project)
  packed = JSON.parse(stdout)[0]
  await writeFile(join(consumer, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }')
  await npm(['install', '--prefer-offline', '--no-audit', '--no-fund', join(folder, packed.filename)], consumer)
}, 4 * MINUTE)

afterAll(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true })
})

describe('the packed package', () => {
  it('holds the build, the documents and nothing else', () => {
    const paths = packed.files.map((file) => file.path)
    const allowed = /^(dist\/|docs\/|journal-format\.md$|README\.md$|LICENSE$|CHANGELOG\.md$|package\.json$)/
    expect(paths.filter((path) => !allowed.test(path))).toEqual([])
    expect(paths).toEqual(
      expect.arrayContaining([
        'dist/index.js',
        'dist/index.d.ts',
        'dist/cli/main.js',
        'journal-format.md',
        'README.md',
        'LICENSE',
        'CHANGELOG.md',
      ]),
    )
    const code = `dist/cli/code/${process.versions.v8}-${process.platform}-${process.arch}/`
    const built = paths.filter((path) => path.startsWith('dist/') && !(path.startsWith(code) && path.endsWith('.code')))
    expect(built.filter((path) => !/\.(js|d\.ts)$/.test(path))).toEqual([
      'dist/cli/LICENSES.txt',
      'dist/cli/package.json',
    ])
  })

  it('says what it is: MIT, the Node it needs, ES modules, its entry points', async () => {
    const manifest = JSON.parse(await readFile(installed('write-journal', 'package.json'), 'utf8'))
    expect(manifest).toMatchObject({
      license: 'MIT',
      type: 'module',
      engines: { node: '>=20.19.0' },
      bin: { journal: 'dist/cli/main.js' },
      exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    })
    expect(await readFile(installed('write-journal', 'LICENSE'), 'utf8')).toContain('MIT License')
  })

  it('brings none of its development dependencies', () => {
    for (const name of ['typescript', 'vitest', 'fast-check', 'lodash-es', '@biomejs/biome', 'rolldown', 'commander']) {
      expect(existsSync(installed(name)), name).toBe(false)
    }
  })

  it('has an entry for each adapter, and none needs more than what it is for', async () => {
    const found = await inConsumer(`
      const entries = ['anthropic', 'apply-patch', 'ai-sdk', 'fs', 'fs-extra', 'write-file-atomic', 'langchain']
      const names = {}
      for (const entry of entries) {
        names[entry] = await import('write-journal/' + entry).then(
          (loaded) => Object.keys(loaded).filter((name) => name !== 'module.exports').sort(),
          (error) => error.code,
        )
      }
      console.log(JSON.stringify(names))
    `)
    expect(found).toEqual({
      anthropic: ['TextEditor', 'createTextEditor'],
      'apply-patch': ['ApplyPatch', 'createApplyPatch'],
      'ai-sdk': ['journalTools'],
      fs: ['OpenedFs', 'createFs', 'openFs', 'openFsSync'],
      'fs-extra': ['createFsExtra', 'default', 'fsExtraOf'],
      'write-file-atomic': ['createWriteFile', 'default'],
      langchain: 'ERR_MODULE_NOT_FOUND',
    })
  })

  it('writes before it returns, from where it is installed', async () => {
    const root = join(folder, 'sync')
    await mkdir(root)
    const found = await inConsumer(`
      import { openFsSync } from 'write-journal/fs'
      import writeFile from 'write-journal/write-file-atomic'
      const { fs } = openFsSync(${JSON.stringify(root)})
      fs.writeFileSync(${JSON.stringify(join(root, 'a.txt'))}, 'a')
      writeFile.sync(${JSON.stringify(join(root, 'b.txt'))}, 'b')
      console.log(JSON.stringify([fs.readFileSync(${JSON.stringify(join(root, 'a.txt'))}, 'utf8'), fs.readdirSync(${JSON.stringify(root)})]))
    `)
    expect(found).toEqual(['a', ['a.txt', 'b.txt']])
  })

  it('does not let anyone reach into its rooms', async () => {
    const found = await inConsumer(`
      const code = await import('write-journal/dist/log/frame.js').then(() => 'loaded', (error) => error.code)
      console.log(JSON.stringify(code))
    `)
    expect(found).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })
})

describe('the installed library', () => {
  it('writes and undoes', async () => {
    const workspace = join(folder, 'workspace')
    await mkdir(workspace)
    await writeFile(join(workspace, 'a.txt'), 'before')
    const found = await inConsumer(`
      import { readFileSync } from 'node:fs'
      import { JournalError, openJournal } from 'write-journal'
      const root = ${JSON.stringify(workspace)}
      const text = () => readFileSync(root + '/a.txt', 'utf8')
      const journal = await openJournal(root, { actor: 'consumer' })
      const receipt = await journal.write('a.txt', 'after')
      const written = text()
      await journal.undo(receipt.tx)
      const undone = text()
      const code = await journal.remove('nothing.txt').catch((error) => error instanceof JournalError && error.code)
      await journal.close()
      console.log(JSON.stringify({ written, undone, code }))
    `)
    expect(found).toEqual({ written: 'after', undone: 'before', code: 'NOT_FOUND' })
  })

  it(
    'has types that a strict nodenext project resolves',
    async () => {
      await mkdir(installed('@types'), { recursive: true })
      await symlink(join(project, 'node_modules', '@types', 'node'), installed('@types', 'node'), 'junction')
      await writeFile(
        join(consumer, 'tsconfig.json'),
        JSON.stringify({
          compilerOptions: {
            module: 'nodenext',
            target: 'es2023',
            lib: ['es2023', 'esnext.disposable'],
            types: ['node'],
            strict: true,
            exactOptionalPropertyTypes: true,
            noEmit: true,
          },
          files: ['consumer.ts'],
        }),
      )
      await writeFile(
        join(consumer, 'consumer.ts'),
        `import { JournalError, openJournal } from 'write-journal'
import { createTextEditor } from 'write-journal/anthropic'
import { createApplyPatch } from 'write-journal/apply-patch'
import { createFs, openFs } from 'write-journal/fs'
import fsExtra from 'write-journal/fs-extra'
import writeFile from 'write-journal/write-file-atomic'
export async function adapters(root: string): Promise<string> {
  await using opened = await openFs(root, { durability: 'os' })
  opened.fs.mkdirSync('a', { recursive: true })
  const journal = await openJournal(root)
  const { content }: { content: string } = await createTextEditor(journal).run({ command: 'view', path: 'a' })
  const { status } = await createApplyPatch(journal).operation({ type: 'delete_file', path: 'a' })
  await createFs(journal).promises.writeFile('a', new Uint8Array(1), { mode: 0o600 })
  await writeFile('a', 'text', { mode: 0o600, chown: false })
  writeFile('a', 'text', (error) => console.log(error?.message))
  writeFile.sync('a', 'text')
  const exists: boolean = await fsExtra.pathExists('a')
  await fsExtra.copy('a', 'b', { overwrite: false })
  fsExtra.outputJsonSync('c', { exists }, { spaces: 2 })
  // @ts-expect-error A mode is a number.
  await writeFile('a', 'text', { mode: 'rw' })
  return content + status
}
export async function rename(root: string): Promise<number> {
  await using journal = await openJournal(root, { actor: 'types', durability: 'full' })
  const receipt = await journal.transact({ message: 'rename' }, async (tx) => {
    await tx.edit('b.ts', [{ oldText: 'x', newText: 'y', all: true }])
    await tx.write('a.ts', new Uint8Array(1), { mode: 0o644 })
  })
  const before: string | null | undefined = receipt.files[0]?.before
  for await (const commit of journal.history({ path: 'b.ts', limit: 1 })) console.log(commit.chain, before)
  // @ts-expect-error A receipt's place in the history is a number.
  const wrong: string = receipt.seq
  return wrong.length
}
export function codeOf(error: unknown): string {
  return error instanceof JournalError && error.code === 'CONFLICT' ? error.hint : ''
}
`,
      )
      const tsc = join(project, 'node_modules', 'typescript', 'bin', 'tsc')
      const { stdout } = await run(process.execPath, [tsc, '-p', consumer]).catch((error) => error)
      expect(stdout).toBe('')
    },
    2 * MINUTE,
  )
})

describe('the installed command', () => {
  const command = () => installed('.bin', WINDOWS ? 'journal.cmd' : 'journal')

  async function journal(...args: string[]): Promise<{ stdout: string }> {
    return run(command(), args, { cwd: consumer, shell: WINDOWS })
  }

  it('says its version and its commands', async () => {
    const { version } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))
    expect((await journal('--version')).stdout.trim()).toBe(version)
    const { stdout } = await journal('--help')
    for (const name of ['init', 'commit', 'log', 'undo', 'recover', 'verify']) expect(stdout).toContain(name)
  })

  it('makes a journal, and shows its history', async () => {
    const root = join(folder, 'by-command')
    await mkdir(root)
    await journal('init', '--root', root)
    const batch = join(folder, 'batch.jsonl')
    await writeFile(batch, '{"op":"write","path":"a.txt","content":"hello"}\n')
    const receipt = JSON.parse((await journal('commit', '--batch', batch, '--root', root, '--json')).stdout)
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('hello')
    const log = (await journal('log', '--root', root, '--json')).stdout.trim().split('\n')
    expect(log.map((line) => JSON.parse(line).tx)).toEqual([receipt.tx])
  })

  it('serves agents, with nothing installed for it', async () => {
    const root = join(folder, 'by-agent')
    await mkdir(root)
    expect(existsSync(installed('@modelcontextprotocol'))).toBe(false)
    const found = await inConsumer(`
      import { spawn } from 'node:child_process'
      import { once } from 'node:events'
      import { createInterface } from 'node:readline'
      const server = spawn(process.execPath, [${JSON.stringify(installed('write-journal', 'dist', 'cli', 'main.js'))}, 'mcp', ${JSON.stringify(root)}])
      const lines = createInterface(server.stdout)[Symbol.asyncIterator]()
      const ask = async (id, method, params) => {
        server.stdin.write(JSON.stringify({ jsonrpc: '2.0', id, method, params }) + '\\n')
        for (;;) {
          const message = JSON.parse((await lines.next()).value)
          if (message.id === id) return message.result
        }
      }
      await ask(1, 'initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'c', version: '1' } })
      server.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\\n')
      const written = await ask(2, 'tools/call', { name: 'write_file', arguments: { path: 'a.txt', content: 'hello' } })
      server.stdin.end()
      const [code] = await once(server, 'exit')
      console.log(JSON.stringify([written.content[0].text, code]))
    `)
    expect(found).toEqual(['Successfully wrote to a.txt', 0])
    expect(await readFile(join(root, 'a.txt'), 'utf8')).toBe('hello')
  })

  it('has a builder and a reviewer beside the library', async () => {
    const root = join(folder, 'built')
    await mkdir(root)
    const found = await inConsumer(`
      import { openJournal } from 'write-journal'
      import { buildModule } from 'write-journal/builder'
      import { applyReview } from 'write-journal/reviewer'
      const journal = await openJournal(${JSON.stringify(root)})
      const { files } = await buildModule(journal, { folder: 'm', files: [{ path: 'a.txt', content: 'one\\n' }] })
      const { applied } = await applyReview(journal, [{ path: 'm/a.txt', lines: 1, newText: 'two' }])
      await journal.close()
      console.log(JSON.stringify([files.length, applied.length]))
    `)
    expect(found).toEqual([1, 1])
    expect(await readFile(join(root, 'm', 'a.txt'), 'utf8')).toBe('two\n')
  })
})
