import { realpathSync } from 'node:fs'
import path from 'node:path'
import type { SettingsScope } from '../../agents/hooks/settings-file.ts'
import { unifiedPatch } from '../../history/unified-patch.ts'
import { agreed } from '../agreed.ts'
import { declare, oneOf, positive } from '../declaration.ts'
import { UsageError } from '../failure.ts'
import { counted } from '../measure.ts'
import { patchText } from '../patch-text.ts'
import { printable } from '../printable.ts'
import type { Session } from '../session.ts'
import { hasJournal } from '../workspace-root.ts'

interface Options {
  readonly user?: boolean
  readonly project?: boolean
  readonly local?: boolean
  readonly init?: boolean
  readonly command?: string
  readonly yes?: boolean
  readonly dryRun?: boolean
  readonly forget?: boolean
  readonly limit?: number
}

type Action = 'install' | 'uninstall' | 'doctor' | 'prompts'

const PROMPTS = 20

export default declare<[action: Action | undefined], Options>({
  description:
    'Hooks of Claude Code: everything that a session changes, through its tools or its shell, is in the history with the prompt it was done for. Without an action, it is the hook itself: it reads one event from standard input, prints nothing, and never fails.',
  arguments: [
    [
      '[action]',
      'install, uninstall: put the hooks into the settings, take them out; doctor: do they work; prompts: what each prompt came to',
    ],
  ],
  options: [
    ['--user', 'the settings of the person, for all projects'],
    ['--project', 'the settings of the project, for everybody who works on it (default)'],
    ['--local', 'the settings of the project that are not shared'],
    ['--init', 'make a journal where a project has none, when a session starts there'],
    ['--command <text>', 'install: how to run this program, ending in `journal hook`; default: what is found'],
    ['-y, --yes', 'write the settings without asking'],
    ['--dry-run', 'only show what would change in the settings'],
    ['--forget', 'doctor: remove the traces of failures'],
    ['-n, --limit <count>', `prompts: at most so many; default ${PROMPTS}`, positive],
  ],
  examples: [
    ['journal hook install', 'in a project with a journal: journal what Claude Code does'],
    ['journal hook doctor', 'does it work?'],
    ['journal hook prompts', 'what the last prompts changed'],
  ],
  async run(session, [given], options) {
    if (given === undefined) {
      if (process.stdin.isTTY) throw new UsageError('nothing to do', 'Say install, uninstall, doctor or prompts.')
      const { answerHook } = await import('../../agents/hooks/hook.ts')
      return answerHook({ init: options.init === true })
    }
    const action = oneOf<Action>('install', 'uninstall', 'doctor', 'prompts')(given)
    if (action === 'doctor') return doctor(session, options.forget === true)
    if (action === 'prompts') return prompts(session, options.limit ?? PROMPTS)
    return changeSettings(session, action, options)
  },
})

async function changeSettings(session: Session, action: 'install' | 'uninstall', options: Options): Promise<void> {
  const { output } = session
  const { SettingsFile, settingsPath } = await import('../../agents/hooks/settings-file.ts')
  const { isAllOurs, isHookCommand, withHooks, withoutHooks } = await import('../../agents/hooks/installed-hooks.ts')
  const { hookCommand } = await import('../../agents/hooks/hook-command.ts')
  const scope = scopeOf(options)
  const project = projectOf(session)
  const file = SettingsFile.read(settingsPath(scope, project))
  const command =
    options.command ?? hookCommand(scope, project, realpathSync(process.argv[1] ?? ''), options.init === true)
  if (!isHookCommand(command)) {
    throw new UsageError(`${printable(command)} does not end in \`journal hook\``, 'Only so it can be found again.')
  }
  const before = file.text
  const emptied = action === 'uninstall' && before !== null && (await isAllOurs(before, file.path))
  const after =
    action === 'install'
      ? await withHooks(before, file.path, command)
      : before === null || emptied
        ? null
        : await withoutHooks(before, file.path)
  const changes = after !== before
  if (changes && !output.json) {
    const patch = await unifiedPatch(path.basename(file.path), before, after)
    await output.write(patchText({ path: file.path, patch }, output))
  }
  const written = changes && options.dryRun !== true && (options.yes === true || (await agreed(session, file.path)))
  if (written) file.write(after)
  const word = action === 'install' ? 'has the hooks' : 'has none of the hooks'
  await output.result({ path: file.path, command: action === 'install' ? command : null, changes, written }, () => [
    !changes
      ? `${printable(file.path)} ${word} already`
      : written
        ? `${printable(file.path)} ${word} now`
        : 'nothing was written',
  ])
  if (action === 'install' && scope !== 'user' && !options.init && !hasJournal(project))
    output.note('hint: there is no journal here yet, and without one the hooks do nothing: run `journal init`.')
}

function scopeOf(options: Options): SettingsScope {
  const scopes = (['user', 'project', 'local'] as const).filter((scope) => options[scope] === true)
  if (scopes.length > 1) throw new UsageError('more than one of --user, --project, --local', 'Name one.')
  return scopes[0] ?? 'project'
}

/** The workspace; without one, the folder where one would be made. */
function projectOf(session: Session): string {
  try {
    return session.root
  } catch {
    return path.resolve(session.globals.root ?? '.')
  }
}

async function doctor(session: Session, forget: boolean): Promise<void> {
  const { output } = session
  const { diagnose, forgetTraces } = await import('../../agents/hooks/doctor.ts')
  const project = projectOf(session)
  const root = hasJournal(project) ? realpathSync(project) : null
  if (forget && root !== null) forgetTraces(root)
  const diagnosis = await diagnose(project, root)
  const { green, red, dim } = output.colors
  await output.result(diagnosis, () =>
    diagnosis.findings.flatMap(({ ok, check, message, hint }) => [
      `${ok ? green('ok  ') : red('FAIL')} ${check}: ${printable(message)}`,
      ...(hint === undefined ? [] : [`     ${dim('hint:')} ${printable(hint)}`]),
    ]),
  )
  if (!diagnosis.ok) session.exitCode = 1
}

async function prompts(session: Session, limit: number): Promise<void> {
  const { output } = session
  const { promptsIn } = await import('../../agents/hooks/prompts.ts')
  await session.look(async (reading) => {
    for (const prompt of await promptsIn(reading.history({}), limit)) {
      if (output.json) await output.object(prompt)
      else {
        const { transactions, files } = prompt
        const amount = `${counted(transactions, 'transaction')}, ${counted(files.length, 'file')}`
        const cells = [prompt.prompt, output.time(prompt.until), amount, printable(prompt.text ?? '-')]
        await output.line(output.row(cells, [18, 12, 26]))
      }
    }
  })
}
