import type { TextEdit } from '../entry/entry.ts'
import { asJournalError, JournalError } from '../errors.ts'
import type { Receipt } from '../transaction/receipt.ts'
import type { Transaction } from '../transaction/transaction.ts'
import type { PlanStep, TeamPlan } from './team-plan.ts'
import type { NamedTask, TeamFile } from './team-task.ts'

/** What a step of a plan came to. */
export interface StepReceipt extends Receipt {
  readonly agent: string
  readonly tasks: readonly string[]
}

export interface Coordinated {
  /** The `parent` of all of its transactions. */
  readonly plan: string
  /** In the order of the history. */
  readonly transactions: readonly StepReceipt[]
}

/** Runs a transaction of an agent. */
export type Transact = (
  meta: { readonly actor: string; readonly message: string; readonly parent: string; readonly tags: readonly string[] },
  fn: (tx: Transaction) => Promise<void>,
) => Promise<Receipt>

/** Characters of a message; more tasks than that has room for are counted. */
const MESSAGE_LENGTH = 2000

/**
 * Does the work of a plan, level after level: each step is a transaction of its agent, and edits are made on what is there when their turn has come, so that none is lost.
 * When a step fails, what is done stays, and nothing further is begun.
 * @throws JournalError that of the step, with what was done in its details
 */
export async function coordinate(plan: TeamPlan, transact: Transact): Promise<Coordinated> {
  const { levels, tasks: named, bases }: { [K in keyof TeamPlan]?: unknown } = plan ?? {}
  if (!Array.isArray(levels) || !Array.isArray(named) || typeof bases !== 'object') {
    throw new JournalError('INVALID', 'that is no plan', { hint: 'Give what journal.planTeam({ tasks }) answered.' })
  }
  const tasks = new Map(plan.tasks.map((task) => [task.name, task]))
  const done: StepReceipt[] = []
  let failure: { readonly step: PlanStep; readonly error: unknown } | null = null
  for (const { groups } of plan.levels) {
    await Promise.all(
      groups.map(async ({ steps }) => {
        for (const step of steps) {
          if (failure !== null) return
          try {
            const receipt = await perform(plan, step, tasks, transact)
            done.push({ ...receipt, agent: step.agent, tasks: step.tasks })
          } catch (error) {
            failure ??= { step, error }
          }
        }
      }),
    )
    if (failure !== null) throw stepError(plan, failure, done)
  }
  return { plan: plan.id, transactions: inOrder(done) }
}

function inOrder(done: readonly StepReceipt[]): StepReceipt[] {
  return [...done].sort((a, b) => a.seq - b.seq)
}

function perform(
  plan: TeamPlan,
  step: PlanStep,
  tasks: ReadonlyMap<string, NamedTask>,
  transact: Transact,
): Promise<Receipt> {
  const own = step.tasks.map((name) => tasks.get(name)).filter((task) => task !== undefined)
  const meta = { actor: step.agent, message: messageOf(own), parent: plan.id, tags: ['team'] }
  return transact(meta, async (tx) => {
    for (const [path, files] of byPath(own)) await change(tx, plan, path, files)
  })
}

/** What the tasks do to each file, in their order. */
function byPath(tasks: readonly NamedTask[]): Map<string, TeamFile[]> {
  const found = new Map<string, TeamFile[]>()
  for (const { files } of tasks) {
    for (const file of files) {
      const known = found.get(file.path)
      if (known === undefined) found.set(file.path, [file])
      else known.push(file)
    }
  }
  return found
}

/** Edits that follow each other are one edit: the file is read and made anew once. */
async function change(tx: Transaction, plan: TeamPlan, path: string, files: readonly TeamFile[]): Promise<void> {
  let edits: TextEdit[] = []
  const flush = async (): Promise<void> => {
    if (edits.length > 0) await tx.edit(path, edits)
    edits = []
  }
  const expect = plan.bases[path] ?? null
  for (const file of files) {
    if ('edits' in file) {
      edits.push(...file.edits)
      continue
    }
    await flush()
    if ('patch' in file) await tx.patch(path, file.patch)
    else if ('content' in file) await tx.write(path, file.content, { expect })
    else await tx.remove(path, { expect })
  }
  await flush()
}

function messageOf(tasks: readonly NamedTask[]): string {
  const said: string[] = []
  let length = 0
  for (const { name, message } of tasks) {
    const text = message ?? name
    if (length + text.length > MESSAGE_LENGTH) return `${said.join('; ')} and ${tasks.length - said.length} more`
    said.push(text)
    length += text.length
  }
  return said.join('; ')
}

function stepError(
  plan: TeamPlan,
  { step, error }: { readonly step: PlanStep; readonly error: unknown },
  done: readonly StepReceipt[],
): JournalError {
  const known = asJournalError(error, 'coordinating')
  const ready = new Set(done.flatMap(({ tasks }) => tasks))
  const failed = new Set(step.tasks)
  const left = plan.tasks.map(({ name }) => name).filter((name) => !ready.has(name) && !failed.has(name))
  return new JournalError(known.code, `${step.agent}, ${step.tasks.join(', ')}: ${known.message}`, {
    hint: `${known.hint} What was done before it stays, with parent ${plan.id} in the history; plan the rest anew.`,
    path: known.path,
    tx: known.tx,
    cause: error,
    details: {
      ...known.details,
      plan: plan.id,
      failed: step.tasks,
      done: inOrder(done).map(({ tx, agent, tasks }) => ({ tx, agent, tasks })),
      left,
    },
  })
}
