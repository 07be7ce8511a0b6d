import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test, vi } from 'vitest'
import { CATALOGUE } from '../../src/cli/catalogue.ts'
import { Program } from '../../src/cli/program.ts'
import { errorOf, journal, journalObject, temporaryFolder } from './journal-process.ts'

vi.setConfig({ testTimeout: 30_000 })

const NAMES = CATALOGUE.flatMap(({ commands }) => commands.map(({ name }) => name))

interface CommandHelp {
  readonly name: string
  readonly description: string
  readonly usage: string
  readonly options: readonly { flags: string }[]
}

describe.concurrent('usage', () => {
  test('the list of commands has every one, and the exit codes', async ({ expect }) => {
    const [help, flag] = await Promise.all([journal(['help']), journal(['--help'])])
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(flag.stdout).toBe(help.stdout)
    for (const name of NAMES) expect(help.stdout).toMatch(new RegExp(`^  ${name} +\\S`, 'm'))
    expect(help.stdout).toContain('Exit codes: 0 done')
  })

  test('every command of the contract, with its flags', async ({ expect }) => {
    const { commands } = await journalObject<{ commands: CommandHelp[] }>(['help'])
    const flags: Record<string, string[]> = {
      ...{
        init: ['--rebind'],
        commit: ['--batch <file>'],
        write: [],
        append: [],
        mv: [],
        mkdir: [],
        rmdir: [],
        chmod: [],
      },
      ...{
        rm: ['-r, --recursive'],
        edit: ['--old <text>', '--new <text>', '--all'],
        ln: [],
        status: [],
        adopt: [],
        diff: [],
      },
      log: ['-n, --limit <count>', '--actor <name>', '--tag <tag>', '--since <at>', '--until <at>', '--oldest'],
      ...{ show: [], cat: ['--at <at>'], undo: ['--force'], redo: [], restore: ['--to <at>', '--dry-run'] },
      ...{
        recover: ['--dry-run', '--revert', '--salvage'],
        verify: ['--no-workspace', '--head <hash>'],
        head: [],
        replay: ['--to <dir>', '--at <at>'],
        export: [],
      },
      ...{ checkpoint: [], stats: [], compact: [], purge: ['--dry-run'], completion: [], help: [] },
    }
    for (const [name, expected] of Object.entries(flags)) {
      const found = commands.find((command) => command.name === name)
      const given = found?.options.map((option) => option.flags)
      expect(given, name).toEqual(
        expect.arrayContaining([...expected, '--root <dir>', '--json', '--actor <name>', '-m, --message <text>']),
      )
    }
  })

  test('the help of each command teaches: a sentence, its options, examples', async ({ expect }) => {
    const program = new Program(new AbortController().signal)
    await program.declareAll()
    for (const command of program.command.commands) {
      const name = command.name()
      let help = ''
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
      expect(help, name).toMatch(new RegExp(`^Usage: journal ${name}\\b`))
      expect(help, name).toMatch(/\n\n[A-Z][^\n]{20,}/)
      expect(help, name).toMatch(/\nExamples:\n {2}# .+\n {2}\$ .*journal/)
      expect(help, name).toContain('--root <dir>')
    }
  })

  test('help of one command through its own option', async ({ expect }) => {
    const [help, option] = await Promise.all([journal(['help', 'write']), journal(['write', '--help'])])
    expect(option).toEqual(help)
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toMatch(/^Usage: journal write /)
  })

  test.for([
    ['an unknown command', ['frobnicate'], /unknown command 'frobnicate'/],
    ['an unknown option', ['log', '--frobnicate'], /unknown option '--frobnicate'/],
    ['a missing argument', ['write'], /missing required argument 'path'/],
    ['a missing option', ['edit', 'a.txt', '--old', 'x'], /required option '--new <text>'/],
    ['an argument too many', ['status', 'x'], /too many arguments/],
    ['a value of the wrong form', ['log', '-n', 'many'], /'many' is not a whole number/],
    ['a mode that is not octal', ['chmod', '9x', 'a'], /not an octal mode/],
    ['an expectation that is no hash', ['write', 'a', '--expect', 'abc'], /64 hex digits/],
    ['more old texts than new ones', ['edit', 'a', '--old', '1', '--old', '2', '--new', '3'], /2 × --old/],
    ['an unknown shell', ['completion', 'tcsh'], /unknown shell/],
    ['help of an unknown command', ['help', 'frobnicate'], /unknown command/],
  ] as const)('%s is wrong usage: exit code 2', async ([, args, message], { expect }) => {
    const cwd = temporaryFolder()
    const [text, json] = await Promise.all([journal(args, { cwd }), journal(['--json', ...args], { cwd })])
    expect(text).toMatchObject({ code: 2, stdout: '' })
    expect(text.stderr).toMatch(/^error: .*\nhint: .*\n$/)
    expect(text.stderr).toMatch(message)
    expect(json).toMatchObject({ code: 2, stdout: '' })
    expect(errorOf(json)).toEqual({
      code: 'INVALID',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    })
  })

  test('nothing at all prints the help on standard error', async ({ expect }) => {
    const run = await journal([])
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toContain('Usage: journal <command>')
  })

  test('a near miss suggests the command', async ({ expect }) => {
    const run = await journal(['recovr'])
    expect(run.stderr).toContain('Did you mean recover?')
  })

  test('the version is that of the package', async ({ expect }) => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(await journal(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })
})

describe.concurrent('completion', () => {
  test('the bash script is valid, and completes', async ({ expect }) => {
    const { stdout, code } = await journal(['completion', 'bash'])
    expect(code).toBe(0)
    const folder = temporaryFolder()
    const script = path.join(folder, 'journal.bash')
    writeFileSync(script, stdout)
    writeFileSync(path.join(folder, 'two words.txt'), '')
    execFileSync('bash', ['-n', script])
    const complete = (...words: string[]) => {
      const list = words.map((word) => `'${word}'`).join(' ')
      const probe = `source ${script}; COMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _journal; printf '%s\\n' "\${COMPREPLY[@]}"`
      return execFileSync('bash', ['-c', probe], { cwd: folder, encoding: 'utf8' }).trimEnd().split('\n')
    }
    expect(complete('journal', 're')).toEqual(['redo', 'restore', 'recover', 'replay', 'review'])
    expect(complete('journal', '--root', '/tmp', 'undo', '--f')).toEqual(['--force'])
    expect(complete('journal', 'rm', 'two')).toEqual(['two words.txt'])
    expect(complete('journal', 'completion', 'z')).toEqual(['zsh'])
    expect(complete('journal', 'log', '--actor', '')).toEqual([''])
  })

  test.for(['zsh', 'fish'])('the %s script names every command', async (shell, { expect }) => {
    const { script } = await journalObject<{ script: string }>(['completion', shell])
    for (const name of NAMES) expect(script).toContain(name)
  })
})
