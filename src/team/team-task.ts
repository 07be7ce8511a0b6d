import type { TextEdit } from '../entry/entry.ts'
import { JournalError, shown } from '../errors.ts'

/** What is to be done to one file. `content`: all that it will have; `edits`: as `Transaction.edit` takes them; `patch`: a unified diff of it. */
export type TeamFile =
  | { readonly path: string; readonly edits: readonly TextEdit[] }
  | { readonly path: string; readonly patch: string }
  | { readonly path: string; readonly content: string }
  | { readonly path: string; readonly remove: true }

/** A piece of work of one agent: done as a whole, or not at all. */
export interface TeamTask {
  readonly agent: string
  /** Default: `agent#1`, `agent#2` … */
  readonly name?: string
  readonly message?: string
  readonly files: readonly TeamFile[]
  /** Names of tasks that must be done before. */
  readonly after?: readonly string[]
}

export interface TeamRequest {
  readonly tasks: readonly TeamTask[]
}

/** A task with its name, and with paths as they really are. */
export interface NamedTask extends TeamTask {
  readonly name: string
}

const MAX_TASKS = 2000
const MAX_FILES = 100_000
const KINDS = ['edits', 'patch', 'content', 'remove'] as const

/** Does it replace all that a file has? Then it must be the first to touch it. */
export function replaces(file: TeamFile): boolean {
  return 'content' in file || 'remove' in file
}

/**
 * @throws JournalError `INVALID`, `PATH_OUTSIDE`
 */
export function checkTasks(request: TeamRequest, locate: (path: string) => string): readonly NamedTask[] {
  const given: unknown = request?.tasks
  if (!Array.isArray(given) || given.length === 0) {
    throw invalid(
      `tasks must be a list of tasks, and is ${shown(given)}`,
      'Give { tasks: [{ agent, files: [{ path, edits }] }] }.',
    )
  }
  if (given.length > MAX_TASKS) throw invalid(`${given.length} tasks are more than ${MAX_TASKS}`, 'Plan them in parts.')
  const counts = new Map<string, number>()
  const names = new Set<string>()
  let files = 0
  const tasks = (given as readonly TeamTask[]).map((task, at): NamedTask => {
    const where = `task ${at + 1}`
    if (typeof task !== 'object' || task === null) throw invalid(`${where} is ${shown(task)}`, 'Give { agent, files }.')
    const { agent, message, after = [] } = task
    if (typeof agent !== 'string' || agent === '')
      throw invalid(`the agent of ${where} must be a text`, 'Say whose it is.')
    const count = (counts.get(agent) ?? 0) + 1
    counts.set(agent, count)
    const name = task.name ?? `${agent}#${count}`
    if (typeof name !== 'string' || name === '')
      throw invalid(`the name of ${where} must be a text`, 'Or leave it out.')
    if (names.has(name)) throw invalid(`two tasks are called ${shown(name)}`, 'Give each another name.')
    names.add(name)
    if (message !== undefined && typeof message !== 'string')
      throw invalid(`the message of ${shown(name)} must be a text`, 'Or leave it out.')
    if (!Array.isArray(after) || after.some((other) => typeof other !== 'string'))
      throw invalid(`after of ${shown(name)} must be a list of names of tasks`, 'Or leave it out.')
    if (!Array.isArray(task.files) || task.files.length === 0)
      throw invalid(`files of ${shown(name)} must be a list of files`, 'Give at least one: { path, edits }.')
    files += task.files.length
    if (files > MAX_FILES) throw invalid(`the tasks name more than ${MAX_FILES} files`, 'Plan them in parts.')
    return {
      agent,
      name,
      ...(message === undefined ? {} : { message }),
      after,
      files: task.files.map((file) => checkFile(file, name, locate)),
    }
  })
  for (const { name, after = [] } of tasks) {
    for (const other of after) {
      if (!names.has(other))
        throw invalid(`${shown(name)} is to come after ${shown(other)}, which is no task`, 'Correct after.')
    }
  }
  checkReplaced(tasks)
  return tasks
}

function checkFile(file: TeamFile, name: string, locate: (path: string) => string): TeamFile {
  if (typeof file !== 'object' || file === null || typeof file.path !== 'string')
    throw invalid(`a file of ${shown(name)} is ${shown(file)}`, 'Give { path, edits }.')
  const said = KINDS.filter((kind) => (file as unknown as Record<string, unknown>)[kind] !== undefined)
  const [kind] = said
  if (kind === undefined || said.length > 1)
    throw invalid(
      `${shown(file.path)} of ${shown(name)} must have one of ${KINDS.join(', ')}`,
      'Say what is to be done to it.',
    )
  const value = (file as unknown as Record<string, unknown>)[kind]
  const fits =
    kind === 'edits'
      ? Array.isArray(value) && value.length > 0 && value.every((edit) => typeof edit === 'object' && edit !== null)
      : kind === 'remove'
        ? value === true
        : typeof value === 'string'
  if (!fits) throw invalid(`${kind} of ${shown(file.path)} in ${shown(name)} is ${shown(value)}`, 'Correct it.')
  return { ...file, path: locate(file.path) }
}

/** Of two that replace a file, one would be lost. */
function checkReplaced(tasks: readonly NamedTask[]): void {
  const by = new Map<string, string>()
  for (const { name, files } of tasks) {
    const touched = new Set<string>()
    for (const file of files) {
      if (replaces(file)) {
        const other = by.get(file.path)
        if (other !== undefined || touched.has(file.path)) {
          throw new JournalError(
            'INVALID',
            `${file.path} is replaced by ${shown(name)}, and changed by ${shown(other ?? name)} before`,
            {
              hint: 'One of the two would be lost: let one of them edit it, or leave one out.',
              path: file.path,
            },
          )
        }
        by.set(file.path, name)
      }
      touched.add(file.path)
    }
  }
}

function invalid(message: string, hint: string): JournalError {
  return new JournalError('INVALID', message, { hint })
}
