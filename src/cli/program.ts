import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { CATALOGUE, catalogued } from './catalogue.ts'
import { addGlobalOptions, declareOn } from './declaration.ts'
import { interrupted, reportFailure } from './failure.ts'
import { PipeClosed } from './output.ts'
import { type GlobalOptions, Session } from './session.ts'

const INTRODUCTION = `Every change of a workspace's files as a transaction: whole or not at all, kept in a history, and undone at any time.`

const TEACHING = `
AT is a transaction id, a sequence number (see \`journal log\`), \`head\`, or a time: 2026-01-31T12:00, or 10m, 2h, 3d ago.
Paths are relative to the current folder, or to --root when that is given.
Exit codes: 0 done, 1 failed and nothing changed, 2 wrong usage, 3 conflict, 4 corruption, 5 locked, 6 needs recovery.

Examples:
  # begin, write a file, look at the history, take the last transaction back
  $ journal init
  $ echo hello | journal write greeting.txt -m "say hello"
  $ journal log
  $ journal undo head`

/** The program with the names of all its commands; what a command takes is declared when it is needed. */
export class Program {
  readonly command: Command
  readonly #declared = new Set<string>()
  readonly #signal: AbortSignal
  #session: Session | undefined
  #ownSignals = false

  constructor(signal: AbortSignal) {
    this.#signal = signal
    this.command = new Command('journal')
      .description(INTRODUCTION)
      .usage('<command> [options]')
      .enablePositionalOptions()
      .configureHelp({ subcommandTerm: (subcommand) => subcommand.name() })
      .exitOverride()
      .configureOutput({ writeErr: () => {}, outputError: () => {} })
      .showSuggestionAfterError()
      .helpCommand(false)
      .version(version(), '-V, --version', 'print the version')
      .addHelpText('after', TEACHING)
      .hook('preSubcommand', async (_program, subcommand) => this.declare(subcommand))
    addGlobalOptions(this.command)
    for (const { heading, commands } of CATALOGUE) {
      for (const { name, summary } of commands) this.command.command(name).summary(summary).helpGroup(heading)
    }
  }

  /** Does the command look after signals itself? */
  get ownSignals(): boolean {
    return this.#ownSignals
  }

  /** The session of the command that ran, once it was parsed. */
  get session(): Session | undefined {
    return this.#session
  }

  /** Loads what one command takes. */
  async declare(command: Command): Promise<void> {
    const entry = catalogued(command.name())
    if (entry === undefined || this.#declared.has(entry.name)) return
    this.#declared.add(entry.name)
    const { default: declaration } = await entry.load()
    declareOn(command, declaration, async (subcommand) => {
      const globals: GlobalOptions = { ...this.command.opts<GlobalOptions>(), ...subcommand.opts<GlobalOptions>() }
      this.#ownSignals = declaration.ownSignals === true
      this.#session = new Session(globals, this.#ownSignals ? new AbortController().signal : this.#signal, this)
      return this.#session
    })
  }

  /** Loads what every command takes, for help and completion. */
  async declareAll(): Promise<void> {
    await Promise.all(this.command.commands.map((command) => this.declare(command)))
  }
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return version
}

/** Runs one command line and returns its exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  const interruption = new AbortController()
  const program = new Program(interruption.signal)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (program.ownSignals) return
      // The second time somebody is in a hurry; whatever is in flight then is recovered by the next open.
      if (interruption.signal.aborted) process.exit(130)
      interruption.abort()
    })
  }
  // Help has no session that would look after a pipe that closes.
  process.stdout.on('error', () => {})
  try {
    await program.command.parseAsync([...argv], { from: 'user' })
    await program.session?.output.flush()
    return program.session?.exitCode ?? 0
  } catch (error) {
    if (error instanceof PipeClosed) return program.session?.exitCode ?? 0
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    return failed(interruption.signal.aborted ? interrupted(error) : error, program, argv)
  }
}

async function failed(error: unknown, program: Program, argv: readonly string[]): Promise<number> {
  const { session } = program
  if (error instanceof CommanderError && error.code === 'commander.help') {
    process.stderr.write(program.command.helpInformation())
    return 2
  }
  session?.progress.clear()
  const exitCode = reportFailure(error, {
    json: session?.output.json ?? argv.includes('--json'),
    command: argv.find((argument) => catalogued(argument) !== undefined),
  })
  // What was printed before the failure still has to leave; a second failure has nothing to add.
  await session?.output.flush().catch(() => {})
  await new Promise((resolve) => process.stderr.write('', resolve))
  return exitCode
}
