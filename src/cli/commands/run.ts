import os from 'node:os'
import path from 'node:path'
import type { Collected } from '../../capture/collect-options.ts'
import { exitCodeOf, type Outcome } from '../../capture/command.ts'
import { JournaledRun, type RunOptions } from '../../capture/run.ts'
import { announceCommand } from '../../capture/running-commands.ts'
import { NodeDisk } from '../../disk/node-disk.ts'
import { JournalError } from '../../errors.ts'
import { Layout } from '../../store/layout.ts'
import { declare, positive } from '../declaration.ts'
import { counted } from '../measure.ts'
import type { Output } from '../output.ts'
import { present } from '../present.ts'
import { receiptText } from '../receipt-text.ts'
import { leftOutText, SCOPE_ROWS, type ScopeFlags, scopeOf } from '../scope-options.ts'
import type { MetaOptions, Session } from '../session.ts'

interface Options extends MetaOptions, ScopeFlags {
  readonly shell?: boolean
  readonly cwd?: string
  readonly timeout?: number
}

/** Lines of a receipt that are printed. */
const MOST_LINES = 50

export default declare<[words: string[]], Options>({
  description:
    'Runs a command in the workspace. Whatever it creates, changes, moves or removes there becomes one transaction that can be undone, also when the command fails or is killed. Ends with the exit code of the command.',
  arguments: [['<command...>', 'the program and what it takes; put -- before it']],
  options: [
    ['--shell', 'hand the words to the shell, as one line'],
    ['--cwd <dir>', 'where it runs; default: the current folder if it is in the workspace, else the workspace'],
    ['--timeout <seconds>', 'end it after so long', positive],
    ...SCOPE_ROWS,
  ],
  commits: true,
  passThrough: true,
  ownSignals: true,
  details: `What it was and how it ended stand in the history: the command line in the message, and among the tags run and exit:0 (or signal:SIGTERM, timeout).
Exit codes: that of the command; 124 after a timeout; 126 and 127 when it cannot be started or is not found; 128 and the number of a signal. When what it did
could not be recorded: that of the failure, see \`journal help\`; the next run or \`journal adopt --all\` takes it in.
With --json the object comes behind all that the command prints, which goes to standard error then.`,
  examples: [
    ['journal run -- npm run format', 'one transaction, whatever it changes'],
    ["journal run --shell 'sed -i s/old/new/g src/*.ts && npm test'", 'a line for the shell'],
    ['journal undo head', 'take back all that it did'],
  ],
  async run(session, [[program = '', ...args]], options) {
    const { output } = session
    const run = new JournaledRun(session.root, program, args, runOptions(session, options))
    const signals = new Signals()
    const ended = await announceCommand(new NodeDisk(), new Layout(session.root))
    try {
      const before = await session.write((journal) => journal.collect(run.before))
      noteBaseline(before, output)
      signals.check()
      // The journal is not open meanwhile: the command may use it too.
      const outcome = await run.run({
        onStart: (send) => signals.to(send),
        stdout: output.json ? 'stderr' : 'inherit',
      })
      signals.last()
      const collected = await session.write((journal) => journal.collect(run.after(outcome)))
      session.exitCode = exitCodeOf(outcome)
      await report(run.line, outcome, before, collected, output)
    } finally {
      ended()
      signals.end()
    }
  },
})

function runOptions(session: Session, { shell, cwd, timeout, ...rest }: Options): RunOptions {
  const here = process.cwd()
  const inside = here === session.root || here.startsWith(`${session.root}${path.sep}`)
  return {
    ...session.meta(rest),
    ...scopeOf(rest),
    ...present<RunOptions>({ shell, timeoutMs: timeout === undefined ? undefined : timeout * 1000 }),
    cwd: cwd === undefined ? (inside ? here : session.root) : path.resolve(cwd),
    output: 'inherit',
  }
}

function noteBaseline({ receipts }: Collected, output: Output): void {
  const paths = receipts.reduce((sum, { files }) => sum + files.length, 0)
  if (paths > 0)
    output.note(output.colors.dim(`first took in ${counted(paths, 'file')} that the journal did not know so`))
}

/** On standard error, or as JSON: standard output is the command's. */
async function report(
  command: string,
  outcome: Outcome,
  before: Collected,
  { receipt, receipts, leftOut, looked }: Collected,
  output: Output,
): Promise<void> {
  const { exitCode, signal, timedOut, durationMs } = outcome
  if (output.json) {
    const baseline = before.receipts.map(({ tx, seq, files }) => ({ tx, seq, files: files.length }))
    const ended = { command, exitCode, signal, timedOut, durationMs }
    return output.object({ ...ended, receipt, receipts, leftOut, looked, baseline })
  }
  const lines = receipts.flatMap((each) => receiptText(each, output, 'recorded as'))
  if (receipt === null) lines.push('It changed nothing in the workspace.')
  for (const line of lines.slice(0, MOST_LINES)) output.note(line)
  if (lines.length > MOST_LINES) output.note(`  and ${lines.length - MOST_LINES} more: journal show ${receipt?.tx}`)
  for (const line of leftOutText(leftOut, output)) output.note(line)
  if (timedOut) output.note('It took too long and was ended.')
  else if (signal !== null) output.note(`It was ended by ${signal}.`)
}

/** SIGINT and SIGTERM are for the command, while there is one; what it did is recorded all the same. */
class Signals {
  readonly #listeners = new Map<NodeJS.Signals, () => void>()
  #received: NodeJS.Signals | null = null
  #send: ((signal: NodeJS.Signals) => void) | null = null
  #count = 0
  #ending = false

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const listener = (): void => this.#take(signal)
      this.#listeners.set(signal, listener)
      process.on(signal, listener)
    }
  }

  /** @throws JournalError `ABORTED` when one came before the command began */
  check(): void {
    if (this.#received === null) return
    const exitCode = 128 + (os.constants.signals[this.#received] ?? 0)
    throw new JournalError('ABORTED', 'Interrupted before the command began', {
      hint: 'Run it again.',
      details: { exitCode },
    })
  }

  to(send: (signal: NodeJS.Signals) => void): void {
    this.#send = send
  }

  /** The command has ended: what comes now is for the journal, which has nearly done. */
  last(): void {
    this.#send = null
    this.#ending = true
    this.#count = 0
  }

  end(): void {
    for (const [signal, listener] of this.#listeners) process.off(signal, listener)
  }

  #take(signal: NodeJS.Signals): void {
    this.#received = signal
    this.#count += 1
    // A terminal sends the first one to all of its processes.
    const fromTerminal = signal === 'SIGINT' && this.#count === 1 && process.stdin.isTTY === true
    if (this.#send !== null) {
      if (!fromTerminal) this.#send(signal)
    } else if (this.#ending && this.#count > 1) process.exit(128 + (os.constants.signals[signal] ?? 0))
  }
}
