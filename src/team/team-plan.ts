import { hashBytes } from '../content/hash.ts'
import type { ContentHash } from '../entry/state.ts'
import { type Sight, sightOf } from '../transaction/guard.ts'
import { newTransactionId } from '../transaction/transaction-id.ts'
import { type DraftSite, View } from '../transaction/view.ts'
import { PlannedFiles, type ReferenceKind } from './references.ts'
import { levelsOf, type TaskEdge } from './task-graph.ts'
import { checkTasks, type NamedTask, replaces, type TeamFile, type TeamRequest } from './team-task.ts'

/** Larger files are not searched for what they name. */
const SEARCHED_BYTES = 1024 * 1024
/** Of one transaction of a plan. */
const FILES_A_STEP = 5000
/**
 * Milliseconds that a round of waiting for the log, and putting one file in place, take: for the estimate alone. docs/performance.md has what they took where they
 * were measured; only their ratio matters.
 */
const ROUND_MS = 0.4
const FILE_MS = 0.1

/** Why a task comes before another. */
export interface Dependency {
  readonly first: string
  readonly next: string
  /** `after`: it was said so; `content`: it replaces a file that the other one edits; else the other's file names that of the first. */
  readonly why: 'after' | 'content' | ReferenceKind
  /** The file of the first, and that of the other. */
  readonly file?: string
  readonly by?: string
}

/** One transaction: work of one agent. */
export interface PlanStep {
  readonly agent: string
  readonly tasks: readonly string[]
  readonly files: readonly string[]
}

/** Steps that are done one after another, because they share files; groups of a level are done at the same time. */
export interface PlanGroup {
  readonly steps: readonly PlanStep[]
  /** Files that more than one agent changes. */
  readonly shared: readonly string[]
}

export interface PlanLevel {
  readonly groups: readonly PlanGroup[]
}

/** What is counted, and what that comes to. */
export interface Gain {
  readonly transactions: Compared
  /** Files put in place: one of a task, or of a step, counts once. */
  readonly fileOperations: Compared
  /** Times that somebody waits for the log: agents work side by side; of each, every transaction waits. */
  readonly rounds: Compared
  /** Of the time for waiting and for putting files in place, without that for thinking: an estimate. Negative: the order costs more than it saves. */
  readonly percent: number
}

export interface Compared {
  /** Each task a transaction of its own, each agent for itself. */
  readonly alone: number
  readonly planned: number
}

export interface TeamPlan {
  /** What its transactions belong to: their `parent`. */
  readonly id: string
  readonly tasks: readonly NamedTask[]
  readonly levels: readonly PlanLevel[]
  readonly dependencies: readonly Dependency[]
  /** Tasks that depend on each other: they stand on one level. */
  readonly cycles: readonly (readonly string[])[]
  readonly gain: Gain
  /** Of files that are replaced: the content that was there when it was planned; null: none. */
  readonly bases: Readonly<Record<string, ContentHash | null>>
}

/**
 * Puts the work of several agents in order. A file that is named by another is changed before it; work on shared files is done one after the other; and what one agent
 * does on a level is one transaction.
 * @throws JournalError `INVALID`, `PATH_OUTSIDE`
 */
export async function planTeam(site: DraftSite, request: TeamRequest): Promise<TeamPlan> {
  const view = new View(site)
  const tasks = checkTasks(request, (path) => view.resolve(path, { follow: true }))
  const { dependencies, edges, bases } = await dependenciesOf(sightOf(site), tasks)
  const nameOf = (task: number): string => (tasks[task] as NamedTask).name
  const { levels: numbers, cycles } = levelsOf(tasks.length, edges, nameOf)
  const levels = numbers.map((level) => ({ groups: groupsOf(level.map((task) => tasks[task] as NamedTask)) }))
  return {
    id: newTransactionId(),
    tasks,
    levels,
    dependencies,
    cycles: cycles.map((cycle) => cycle.map(nameOf)),
    gain: gainOf(tasks, levels),
    bases,
  }
}

async function dependenciesOf(sight: Sight, tasks: readonly NamedTask[]) {
  const touching = new Map<string, Set<number>>()
  const texts = new Map<string, string>()
  const bases: Record<string, ContentHash | null> = {}
  for (const [task, { files }] of tasks.entries()) {
    for (const file of files) {
      touching.set(file.path, (touching.get(file.path) ?? new Set()).add(task))
      if ('content' in file) texts.set(file.path, file.content)
    }
  }
  const numbers = new Map(tasks.map(({ name }, task) => [name, task]))
  const dependencies: Dependency[] = []
  const edges: TaskEdge[] = []
  const known = new Set<string>()
  const note = (first: number, next: number, rest: Omit<Dependency, 'first' | 'next'>): void => {
    const key = `${first} ${next}`
    const hard = rest.why === 'after' || rest.why === 'content'
    if (known.has(key) && !hard) return
    known.add(key)
    edges.push({ first, next, hard })
    dependencies.push({ first: (tasks[first] as NamedTask).name, next: (tasks[next] as NamedTask).name, ...rest })
  }
  for (const [task, { after = [], files }] of tasks.entries()) {
    for (const other of after) note(numbers.get(other) as number, task, { why: 'after' })
    for (const file of files) {
      if (!replaces(file)) continue
      const there = await sight.read(file.path, Number.MAX_SAFE_INTEGER)
      bases[file.path] = there === null ? null : hashBytes(there)
      for (const other of touching.get(file.path) ?? [])
        if (other !== task) note(task, other, { why: 'content', file: file.path })
    }
  }
  const planned = new PlannedFiles(touching.keys())
  for (const [path, own] of touching) {
    const text = texts.get(path) ?? (await textAt(sight, path))
    if (text === null) continue
    for (const reference of planned.referencesOf(path, text)) {
      for (const first of touching.get(reference.path) ?? []) {
        for (const next of own) {
          // Who does both knows what it does; and who shares a file with the other stands in its group.
          if (first !== next) note(first, next, { why: reference.kind, file: reference.path, by: path })
        }
      }
    }
  }
  return { dependencies, edges, bases }
}

async function textAt(sight: Sight, path: string): Promise<string | null> {
  const bytes = await sight.read(path, SEARCHED_BYTES)
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/** Tasks that share files, directly or through others, in one group; what an agent does for itself alone, in one of its own. */
function groupsOf(tasks: readonly NamedTask[]): PlanGroup[] {
  const parent = tasks.map((_, at) => at)
  const top = (at: number): number => {
    let found = at
    while (parent[found] !== found) found = parent[found] as number
    parent[at] = found
    return found
  }
  const first = new Map<string, number>()
  for (const [at, { files }] of tasks.entries()) {
    for (const { path } of files) {
      const other = first.get(path)
      if (other === undefined) first.set(path, at)
      else parent[top(at)] = top(other)
    }
  }
  const together = new Map<string, NamedTask[]>()
  const agents = new Map<number, Set<string>>()
  for (const [at, { agent }] of tasks.entries()) agents.set(top(at), (agents.get(top(at)) ?? new Set()).add(agent))
  for (const [at, task] of tasks.entries()) {
    const key = (agents.get(top(at))?.size ?? 0) > 1 ? `shared ${top(at)}` : `own ${task.agent}`
    together.set(key, [...(together.get(key) ?? []), task])
  }
  return [...together.values()].map(groupOf)
}

function groupOf(tasks: readonly NamedTask[]): PlanGroup {
  const byAgent = new Map<string, NamedTask[]>()
  for (const task of tasks) byAgent.set(task.agent, [...(byAgent.get(task.agent) ?? []), task])
  const steps: PlanStep[] = []
  const agents = new Map<string, Set<string>>()
  for (const [agent, own] of byAgent) {
    let names: string[] = []
    let files = new Set<string>()
    const end = (): void => {
      if (names.length > 0) steps.push({ agent, tasks: names, files: [...files].sort() })
      names = []
      files = new Set()
    }
    for (const task of own) {
      if (files.size + task.files.length > FILES_A_STEP) end()
      names.push(task.name)
      for (const { path } of task.files) {
        files.add(path)
        agents.set(path, (agents.get(path) ?? new Set()).add(agent))
      }
    }
    end()
  }
  return { steps, shared: [...agents].flatMap(([path, { size }]) => (size > 1 ? [path] : [])).sort() }
}

function gainOf(tasks: readonly NamedTask[], levels: readonly PlanLevel[]): Gain {
  const steps = levels.flatMap(({ groups }) => groups.flatMap((group) => group.steps))
  const own = new Map<string, number>()
  for (const { agent } of tasks) own.set(agent, (own.get(agent) ?? 0) + 1)
  const transactions = { alone: tasks.length, planned: steps.length }
  const fileOperations = {
    alone: tasks.reduce((sum, { files }) => sum + distinct(files), 0),
    planned: steps.reduce((sum, { files }) => sum + files.length, 0),
  }
  const rounds = {
    alone: Math.max(...own.values()),
    planned: levels.reduce((sum, { groups }) => sum + Math.max(...groups.map((group) => group.steps.length)), 0),
  }
  const time = (kind: keyof Compared): number => rounds[kind] * ROUND_MS + fileOperations[kind] * FILE_MS
  return { transactions, fileOperations, rounds, percent: Math.round((1 - time('planned') / time('alone')) * 100) }
}

function distinct(files: readonly TeamFile[]): number {
  return new Set(files.map(({ path }) => path)).size
}
