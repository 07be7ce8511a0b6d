import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { SimulatedSession } from '../agents/hooks/simulator.ts'
import { errorOf, journal, journalLines, journalObject, MAIN, temporaryFolder, workspace } from './journal-process.ts'

interface Place {
  readonly root: string
  readonly home: string
  readonly settings: string
  readonly options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv }
}

async function place(): Promise<Place> {
  const [root, home] = [await workspace(), temporaryFolder()]
  const env = { HOME: home, USERPROFILE: home, CLAUDE_CONFIG_DIR: '', CLAUDE_PROJECT_DIR: '' }
  return { root, home, settings: path.join(root, '.claude', 'settings.json'), options: { cwd: root, env } }
}

function commandsIn(file: string): string[] {
  const { hooks } = JSON.parse(readFileSync(file, 'utf8')) as {
    hooks: Record<string, { hooks: { command: string }[] }[]>
  }
  return [
    ...new Set(
      Object.values(hooks).flatMap((groups) => groups.flatMap((group) => group.hooks.map((each) => each.command))),
    ),
  ]
}

describe('journal hook install and uninstall', () => {
  it('shows what it would write, and writes nothing without a yes', async () => {
    const { settings, options } = await place()
    const looked = await journal(['hook', 'install', '--dry-run'], options)
    expect(looked).toMatchObject({ code: 0, stdout: expect.stringContaining('+    "PreToolUse": [') })
    const asked = await journal(['hook', 'install'], options)
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('nobody to ask') })
    expect(existsSync(settings)).toBe(false)
  })

  it('makes the file, does nothing the second time, and removes it again', async () => {
    const { settings, options } = await place()
    expect(await journalObject(['hook', 'install', '--yes'], options)).toEqual({
      path: settings,
      command: 'journal hook',
      changes: true,
      written: true,
    })
    expect(statSync(settings).mode & 0o777).toBe(0o644 & ~process.umask())
    const text = readFileSync(settings, 'utf8')
    expect(await journalObject(['hook', 'install', '--yes'], options)).toMatchObject({ changes: false, written: false })
    expect(readFileSync(settings, 'utf8')).toBe(text)
    expect(await journalObject(['hook', 'uninstall', '--yes'], options)).toMatchObject({ changes: true, written: true })
    expect(existsSync(settings)).toBe(false)
    expect(await journalObject(['hook', 'uninstall', '--yes'], options)).toMatchObject({ changes: false })
  })

  it('keeps the rest of a file byte for byte, its mode, and the link to it', async () => {
    const { root, settings, options } = await place()
    const kept = path.join(root, 'dotfiles.json')
    const text = '\ufeff{\r\n\t"model": "opus",\r\n\t"hooks": { "Stop": [] }\r\n}'
    writeFileSync(kept, text)
    chmodSync(kept, 0o600)
    mkdirSync(path.dirname(settings))
    symlinkSync(kept, settings)
    await journalObject(['hook', 'install', '--yes'], options)
    expect(readFileSync(kept, 'utf8')).toMatch(/^\ufeff\{\r\n\t"model": "opus",\r\n/)
    expect(statSync(kept).mode & 0o777).toBe(0o600)
    expect(lstatSync(settings).isSymbolicLink()).toBe(true)
    writeFileSync(kept, text.replace('{ "Stop": [] }', '{ "Stop": [{ "hooks": [] }] }'))
    const before = readFileSync(kept)
    await journalObject(['hook', 'install', '--yes'], options)
    await journalObject(['hook', 'uninstall', '--yes'], options)
    expect(readFileSync(kept)).toEqual(before)
  })

  it.each([
    ['{\n  // a comment\n  "a": 1\n}\n', 'a comment'],
    ['{ "a": 1', 'closing brace'],
    ['{"hooks":{"PreToolUse":"x"}}', 'no list'],
    ['\0\0', 'text'],
  ])('leaves a file alone that it cannot read for sure: %j', async (text, reason) => {
    const { settings, options } = await place()
    mkdirSync(path.dirname(settings))
    writeFileSync(settings, text)
    for (const action of ['install', 'uninstall']) {
      const run = await journal(['hook', action, '--yes', '--json'], options)
      expect(run.code).toBe(1)
      expect(errorOf(run)).toMatchObject({ code: 'INVALID', message: expect.stringContaining(reason), path: settings })
    }
    expect(readFileSync(settings, 'utf8')).toBe(text)
  })

  it('writes the settings that are asked for', async () => {
    const { root, home, options } = await place()
    const local = path.join(root, '.claude', 'settings.local.json')
    const user = path.join(home, '.claude', 'settings.json')
    expect(await journalObject(['hook', 'install', '--local', '--yes'], options)).toMatchObject({ path: local })
    expect(await journalObject(['hook', 'install', '--user', '--init', '--yes'], options)).toMatchObject({ path: user })
    expect(commandsIn(local)).toEqual([`"${process.execPath}" "${MAIN}" hook`])
    expect(commandsIn(user)).toEqual([`"${process.execPath}" "${MAIN}" hook --init`])
    const moved = { ...options, env: { ...options.env, CLAUDE_CONFIG_DIR: path.join(home, 'elsewhere') } }
    const elsewhere = await journalObject(['hook', 'install', '--user', '--yes'], moved)
    expect(elsewhere).toMatchObject({ path: path.join(home, 'elsewhere', 'settings.json') })
  })

  it('finds the program among the packages of the project', async () => {
    const { root, settings, options } = await place()
    const program = path.join(root, 'node_modules', '.bin', 'journal')
    mkdirSync(path.dirname(program), { recursive: true })
    writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`, { mode: 0o755 })
    await journalObject(['hook', 'install', '--yes'], options)
    expect(commandsIn(settings)).toEqual(['"$CLAUDE_PROJECT_DIR"/node_modules/.bin/journal hook'])
    expect(await journalObject(['hook', 'doctor'], options)).toMatchObject({ ok: true })
  })

  it.each([
    [['hook', 'install', '--user', '--local', '--yes'], 'more than one'],
    [['hook', 'install', '--command', 'rm -rf /', '--yes'], 'journal hook'],
    [['hook', 'instal'], 'none of'],
  ])('refuses what makes no sense: %j', async (args, reason) => {
    const { settings, options } = await place()
    const run = await journal(args, options)
    expect(run).toMatchObject({ code: 2, stderr: expect.stringContaining(reason) })
    expect(existsSync(settings)).toBe(false)
  })
})

describe('journal hook doctor', () => {
  interface Diagnosis {
    readonly ok: boolean
    readonly findings: readonly { readonly check: string; readonly ok: boolean; readonly message: string }[]
  }

  async function doctor(options: Place['options'], ...more: string[]): Promise<Diagnosis & { code: number | null }> {
    const run = await journal(['hook', 'doctor', '--json', ...more], options)
    return { ...(JSON.parse(run.stdout) as Diagnosis), code: run.code }
  }

  function failed({ findings }: Diagnosis): string[] {
    return findings.filter(({ ok }) => !ok).map(({ check, message }) => `${check}: ${message}`)
  }

  const COMMAND = `"${process.execPath}" "${MAIN}" hook`

  it('says that all is well, by trying it', async () => {
    const { options } = await place()
    await journal(['hook', 'install', '--yes', '--command', COMMAND], options)
    const diagnosis = await doctor(options)
    expect(failed(diagnosis)).toEqual([])
    expect(diagnosis).toMatchObject({ ok: true, code: 0 })
    expect(diagnosis.findings.find(({ check }) => check === 'trial')?.message).toMatch(/works, \d+ ms a call at most/)
    const text = await journal(['hook', 'doctor'], options)
    expect(text).toMatchObject({ code: 0, stdout: expect.stringContaining('ok   versions: write-journal ') })
  })

  it('says that nothing is installed, and that there is no journal', async () => {
    const { options } = await place()
    const bare = { ...options, cwd: temporaryFolder() }
    const diagnosis = await doctor(bare)
    expect(diagnosis.code).toBe(1)
    expect(failed(diagnosis)).toEqual(['settings: no settings have these hooks', `journal: no journal in ${bare.cwd}`])
  })

  it.each([
    ['no-such-program-at-all journal hook', /ended with 127/],
    ['echo hello; : journal hook', /printed what nobody asked for: hello/],
    ['true journal hook', /nothing came into the history/],
    ['exit 2; journal hook', /ended with 2/],
  ])('says when the command does not do it: %s', async (command, reason) => {
    const { options } = await place()
    await journal(['hook', 'install', '--yes', '--command', command], options)
    const diagnosis = await doctor(options)
    expect(diagnosis.code).toBe(1)
    expect(failed(diagnosis)).toEqual([expect.stringMatching(reason)])
  })

  it('says when hooks are turned off, cannot be read, or are there twice', async () => {
    const { root, settings, options } = await place()
    await journal(['hook', 'install', '--yes', '--command', COMMAND], options)
    const text = readFileSync(settings, 'utf8')
    writeFileSync(settings, text.replace('{', '{ "disableAllHooks": true,'))
    await journal(['hook', 'install', '--local', '--yes', '--command', COMMAND], options)
    const twice = failed(await doctor(options))
    expect(twice).toEqual([expect.stringContaining('turns all hooks off'), expect.stringContaining('heard twice')])
    writeFileSync(path.join(root, '.claude', 'settings.local.json'), '{ // mine\n}')
    writeFileSync(settings, text)
    expect(failed(await doctor(options))).toEqual([expect.stringContaining('a comment')])
  })

  it('finds what failed hooks left behind, and forgets it when told to', async () => {
    const { root, options } = await place()
    await journal(['hook', 'install', '--yes', '--command', COMMAND], options)
    await new SimulatedSession(root).raw('{')
    const diagnosis = await doctor(options)
    expect(failed(diagnosis)).toEqual([expect.stringMatching(/traces: 1 failed within a day.*no JSON/)])
    expect(await doctor(options, '--forget')).toMatchObject({ ok: true, code: 0 })
    expect(await doctor(options)).toMatchObject({ ok: true })
  })
})

describe('journal hook prompts', () => {
  it('lists what prompts came to', async () => {
    const { root, options } = await place()
    const session = new SimulatedSession(root)
    await session.start()
    await session.prompt('First things\nfirst', 'prompt-1')
    await session.write('a.txt', 'a')
    await session.edit('a.txt', 'a', 'b')
    await session.prompt('Nothing')
    await session.prompt('Second', 'prompt-2')
    await session.bash('echo x > x.txt; echo y > y.txt')
    await session.settled()
    const prompts = await journalLines(['hook', 'prompts'], options)
    expect(prompts).toMatchObject([
      { prompt: 'prompt-2', session: session.id, text: 'Second', transactions: 1, files: ['x.txt', 'y.txt'] },
      { prompt: 'prompt-1', session: session.id, text: 'First things first', transactions: 2, files: ['a.txt'] },
    ])
    expect(await journalLines(['hook', 'prompts', '-n', '1'], options)).toHaveLength(1)
    const text = await journal(['hook', 'prompts'], options)
    expect(text.stdout.split('\n')[1]).toMatch(/^prompt-1\t.*Z\t2 transactions, 1 file\tFirst things first$/)
  })
})
