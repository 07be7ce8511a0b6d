import { createReadStream } from 'node:fs'
import type { JournalError } from '../../errors.ts'
import type { Journal } from '../../journal.ts'
import type { SafetyReport } from '../../safety/checks/report.ts'
import type { IntegrityReport } from '../../safety/integrity.ts'
import type { ValidationLevel } from '../../safety/validation/level.ts'
import type { ValidationReport } from '../../safety/validation/validation.ts'
import { applyBatch, type BatchLine, readBatch } from '../batch.ts'
import { declare, level } from '../declaration.ts'
import { UsageError } from '../failure.ts'
import { issueLines } from '../issue-text.ts'
import { byteCount, counted } from '../measure.ts'
import type { Output } from '../output.ts'
import { printable } from '../printable.ts'
import type { Session } from '../session.ts'
import { standardInput } from '../standard-input.ts'
import { transactionName } from '../transaction-name.ts'

interface Options {
  readonly batch?: string
  readonly tx?: string
  readonly level?: ValidationLevel
}

export default declare<[paths: string[]], Options>({
  description:
    'Looks before anything is written. With paths: are the files valid as they are? With --batch: how safe would the batch be, from 0 to 1, and why? With --tx: is what a transaction wrote still what stands there? Changes nothing. Exit code 1 when the answer is no.',
  arguments: [['[path...]', 'files, or folders with all below them']],
  options: [
    ['--batch <file>', 'operations as `journal commit` takes them; `-` for standard input'],
    ['--tx <tx>', 'a transaction, to compare what it wrote with what is there'],
    ['--level <level>', 'basic: syntax; strict: imports and links too', level],
  ],
  examples: [
    ['journal check --batch changes.jsonl', 'a score, and every reason against it'],
    ['journal check --level strict docs src', 'are these files sound, their links and imports included?'],
    ['journal check --tx head', 'does the disk hold what the last transaction meant?'],
  ],
  async run(session, [paths], options) {
    const asked = [paths.length > 0, options.batch !== undefined, options.tx !== undefined].filter(Boolean)
    if (asked.length !== 1)
      throw new UsageError('one of paths, --batch and --tx is wanted', 'Use `journal check .` for the whole workspace.')
    session.requireWorkspace()
    if (options.batch !== undefined) return checkBatch(session, options.batch, options.level)
    await session.read(async (journal) => {
      if (options.tx !== undefined)
        await confirmed(session, await journal.confirm(await transactionName(options.tx, journal)))
      else await validated(session, await journal.validate(pathsOf(session, paths), levelOf(options.level)))
    })
  },
})

function levelOf(validation: ValidationLevel | undefined): { validation?: ValidationLevel } {
  return validation === undefined ? {} : { validation }
}

function pathsOf(session: Session, paths: readonly string[]): string[] {
  return [...(session.selection(paths) ?? [''])]
}

async function checkBatch(session: Session, file: string, validation: ValidationLevel | undefined): Promise<void> {
  const cwd = process.cwd()
  const source = file === '-' ? await standardInput(session) : createReadStream(file, { signal: session.signal })
  const lines = await readBatch(source, cwd)
  await session.read(async (journal) => {
    const report = await rehearsed(journal, lines, cwd, validation)
    if (!report.ok) session.exitCode = 1
    session.progress.clear()
    await session.output.result(report, () => safetyText(report, session.output))
  })
}

/** A line that fails is left out, and said; the others are looked at all the same. */
function rehearsed(
  journal: Journal,
  lines: readonly BatchLine[],
  cwd: string,
  validation: ValidationLevel | undefined,
): Promise<SafetyReport> {
  return journal.check(async (tx) => {
    const failures: JournalError[] = []
    for (const line of lines) {
      await applyBatch(tx, [line], cwd).catch((error: JournalError) => {
        if (error.code === 'ABORTED') throw error
        failures.push(error)
      })
    }
    if (failures.length > 0) throw new AggregateError(failures)
  }, levelOf(validation))
}

function safetyText(report: SafetyReport, output: Output): string[] {
  const { green, red, yellow, dim } = output.colors
  const verdict = report.ok ? green('ok') : red('would be refused')
  const amounts = dim(`${counted(report.paths, 'path')}, ${byteCount(report.bytes)}`)
  const lines = [`safety ${report.score.toFixed(2)}: ${verdict}, ${amounts}`]
  for (const { name, score, weight, reasons } of report.checks) {
    const paint = score === 1 ? green : reasons.some(({ refuses }) => refuses) ? red : yellow
    lines.push(output.row([name, paint(score.toFixed(2)), dim(`weight ${weight.toFixed(2)}`)], [12, 4, 0]))
    for (const { path, line, column, message } of reasons) {
      const place = path === undefined ? '' : `${printable(path)}${line === undefined ? '' : `:${line}:${column}`}: `
      lines.push(`  ${place}${printable(message)}`)
    }
  }
  return lines
}

async function validated(session: Session, report: ValidationReport): Promise<void> {
  const { issues, omitted, checked } = report
  if (issues.length > 0) session.exitCode = 1
  session.progress.clear()
  await session.output.result({ ok: issues.length === 0, ...report }, () => {
    const { green, red } = session.output.colors
    if (issues.length === 0) return [`${green('valid')}: ${counted(checked, 'file')} looked at`]
    const files = new Set(issues.map(({ path }) => path)).size
    const head = `${red('not valid')}: ${files} of ${counted(checked, 'file')}, ${counted(issues.length + omitted, 'fault')}`
    return [head, ...issues.flatMap(issueLines), ...(omitted > 0 ? [`  and ${omitted} more`] : [])]
  })
}

async function confirmed(session: Session, report: IntegrityReport): Promise<void> {
  if (!report.ok) session.exitCode = 1
  await session.output.result(report, () => {
    const { green, red } = session.output.colors
    if (report.ok) return [`${green('as meant')}: ${counted(report.paths, 'path')} of ${report.tx}`]
    const short = (hash: string | null): string => hash?.slice(0, 16) ?? 'no file'
    const lines = report.differing.map(
      ({ path, expected, found }) => `  ${printable(path)}: ${short(found)} instead of ${short(expected)}`,
    )
    return [`${red('not as meant')}: ${report.differing.length} of ${counted(report.paths, 'path')}`, ...lines]
  })
}
