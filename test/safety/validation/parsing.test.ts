import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import type { JournalError } from '../../../src/errors.ts'
import type { ParseRequest } from '../../../src/safety/validation/parse.ts'
import type { Parsing } from '../../../src/safety/validation/parsing.ts'
import { runNode } from '../../cli/journal-process.ts'
import { DIST } from '../../crash/built.ts'

// The thread runs what was built: in the sources there is none.
const BUILT = `${DIST}/safety/validation/parsing.js`
let ParsingClass: new (limits: { timeoutMs: number; memoryBytes: number }) => Parsing

beforeAll(async () => {
  if (!existsSync(BUILT)) throw new Error(`${BUILT} is missing: run 'npm run build' first`)
  ParsingClass = ((await import(/* @vite-ignore */ pathToFileURL(BUILT).href)) as { Parsing: typeof ParsingClass })
    .Parsing
})

/** Of the built library, whose class of errors is another one. */
async function refusal(action: Promise<unknown>): Promise<JournalError> {
  try {
    await action
  } catch (error) {
    expect(error).toMatchObject({ name: 'JournalError', hint: expect.stringContaining('Nothing was changed') })
    return error as JournalError
  }
  throw new Error('nothing was thrown')
}

function request(type: ParseRequest['dialect']['type'], text: string): ParseRequest {
  return { dialect: { type }, bytes: Buffer.from(text), references: false }
}

/** Each level doubles what the parser of TypeScript does. */
const ENDLESS = `x=${'<T>('.repeat(40)}}`

describe('the thread that parses', () => {
  test('leaves the bytes with the caller, whose turn it does not take', async () => {
    const parsing = new ParsingClass({ timeoutMs: 30_000, memoryBytes: 2 ** 30 })
    const json = request('json', JSON.stringify(Array.from({ length: 300_000 }, (_, index) => ({ index }))))
    const length = json.bytes.byteLength
    let turns = 0
    const timer = setInterval(() => {
      turns += 1
    }, 1)
    const { flaws } = await parsing.run('a.json', json)
    clearInterval(timer)
    expect(flaws).toEqual([])
    expect(json.bytes.byteLength).toBe(length)
    expect(turns).toBeGreaterThan(0)
    await parsing.close()
  })

  test('is ended with a text that takes too long; the texts behind it are parsed by a new one', async () => {
    const parsing = new ParsingClass({ timeoutMs: 1500, memoryBytes: 2 ** 30 })
    const first = refusal(parsing.run('bomb.ts', request('typescript', ENDLESS)))
    const second = parsing.run('a.json', request('json', '{'))
    const error = await first
    expect(error).toMatchObject({ code: 'VALIDATOR', path: 'bomb.ts', details: { validator: 'typescript' } })
    expect(error.message).toContain('did not end within 1500 ms')
    expect((await second).flaws).toHaveLength(1)
    await parsing.close()
  })

  test('is ended by a signal', async () => {
    const parsing = new ParsingClass({ timeoutMs: 60_000, memoryBytes: 2 ** 30 })
    const cancel = new AbortController()
    const waiting = refusal(parsing.run('bomb.ts', request('typescript', ENDLESS), cancel.signal))
    setTimeout(() => cancel.abort(), 50)
    expect((await waiting).code).toBe('ABORTED')
    expect((await refusal(parsing.run('a.json', request('json', '{}'), cancel.signal))).code).toBe('ABORTED')
    expect((await parsing.run('a.json', request('json', '{}'))).flaws).toEqual([])
    await parsing.close()
  })

  test('is ended when it wants too much memory, and not the process', async () => {
    const parsing = new ParsingClass({ timeoutMs: 60_000, memoryBytes: 32 * 1024 * 1024 })
    const text = `[${'{"a":1},'.repeat(1_500_000)}1]`
    const error = await refusal(parsing.run('big.json', request('json', text)))
    expect(error).toMatchObject({ code: 'VALIDATOR', message: expect.stringContaining('more memory') })
    expect((await parsing.run('a.json', request('json', '{}'))).flaws).toEqual([])
    await parsing.close()
  })

  test('does not keep the process, and is not left behind by one that closes nothing', async () => {
    const script = `import { openJournal } from ${JSON.stringify(pathToFileURL(`${DIST}/index.js`).href)}
      import { mkdtempSync } from 'node:fs'; import { tmpdir } from 'node:os'
      const journal = await openJournal(mkdtempSync(tmpdir() + '/journal-thread-'), { validation: 'basic' })
      await journal.write('a.json', '{}'); await journal.write('b.json', '{').catch((error) => console.log(error.code))`
    const run = await runNode(['--input-type=module', '-e', script])
    expect(run).toMatchObject({ code: 0, stdout: 'VALIDATION\n', stderr: '' })
  })
})

test.each([
  ['nothing', '{}', []],
  ['the parser of the file and no other', "{ validation: 'basic' }", ['jsonc', 'parser-thread']],
])('who asks for this much loads %s', async (_, options, expected) => {
  const script = `import { openJournal } from ${JSON.stringify(pathToFileURL(`${DIST}/index.js`).href)}
    import { mkdtempSync } from 'node:fs'; import { tmpdir } from 'node:os'
    const journal = await openJournal(mkdtempSync(tmpdir() + '/journal-load-'), ${options})
    await journal.write('a.json', '{').catch(() => {}); await journal.close()`
  const { stderr } = await runNode(['--input-type=module', '-e', script], { env: { NODE_DEBUG: 'esm' } })
  expect(stderr).toContain('/transaction/transaction.js')
  const parsers = ['@babel', 'yaml', 'markdown-it', 'toml-eslint-parser', 'tree-sitter', 'parser-thread', 'jsonc']
  const loaded = parsers.filter((name) => new RegExp(`file://\\S*${name}`).test(stderr))
  expect(loaded.sort()).toEqual(expected)
})

test('a grammar with a huge function does not keep the process for the time it takes to optimize it', async () => {
  const script = `const { Parsing } = await import(${JSON.stringify(pathToFileURL(BUILT).href)})
    const parsing = new Parsing({ timeoutMs: 30000, memoryBytes: 2 ** 30 })
    const bytes = Buffer.from('function Get-Thing { Write-Output "x" }\\n'.repeat(500))
    const { flaws } = await parsing.run('a.ps1', { dialect: { type: 'powershell' }, bytes, references: false })
    await parsing.close()
    console.log('flaws', flaws.length)`
  // The engine says which functions it compiles anew, and how large they are.
  const run = await runNode(['--trace-wasm-compilation-times', '--input-type=module', '-e', script])
  const sizes = [...run.stdout.matchAll(/using TurboFan.* bodysize (\d+)/g)].map(([, size]) => Number(size))
  expect(run).toMatchObject({ code: 0, stdout: expect.stringContaining('flaws 0\n') })
  expect(run.stdout).toMatch(/^Compiled /m)
  expect(Math.max(0, ...sizes)).toBeLessThan(100_000)
})

test('a grammar that is not installed says how to get it', async () => {
  // Far from any folder of packages.
  const script = `
    import { cpSync, mkdtempSync } from 'node:fs'; import { tmpdir } from 'node:os'; import { pathToFileURL } from 'node:url'
    const folder = mkdtempSync(tmpdir() + '/journal-bare-')
    cpSync(${JSON.stringify(`${DIST}/safety`)}, folder + '/safety', { recursive: true })
    cpSync(${JSON.stringify(`${DIST}/edit`)}, folder + '/edit', { recursive: true })
    cpSync(${JSON.stringify(`${DIST}/errors.js`)}, folder + '/errors.js')
    const { Parsing } = await import(pathToFileURL(folder + '/safety/validation/parsing.js').href)
    const parsing = new Parsing({ timeoutMs: 30000, memoryBytes: 2 ** 30 })
    const request = { dialect: { type: 'go' }, bytes: Buffer.from('package a'), references: false }
    for (let time = 0; time < 2; time += 1) await parsing.run('a.go', request).catch((error) => console.log(error.code, error.message, error.hint))
    await parsing.close()`
  const run = await runNode(['--input-type=module', '-e', script])
  expect(run.stderr).toBe('')
  expect(run.stdout).toMatch(
    /^(VALIDATOR a\.go cannot be checked: .*npm install @vscode\/tree-sitter-wasm.*types: \{ go: 'off' \}.*\n){2}$/,
  )
})
