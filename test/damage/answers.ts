import type { ChainedCommit } from '../../src/entry/commit.ts'
import { changesOf } from '../../src/entry/entry.ts'
import { type Journal, JournalError, type VerifyReport } from '../../src/index.ts'
import { collect, openOn, ROOT } from '../journal/fixture.ts'
import type { SimDisk, Tree } from '../sim/sim-disk.ts'
import { SEGMENT } from './built.ts'

/** What one question was answered with: a value, or the code of a typed error. */
export type Answer =
  | { readonly is: 'value'; readonly value: unknown }
  | { readonly is: 'error'; readonly error: JournalError }
  | { readonly is: 'fault'; readonly fault: unknown }

/** Everything that a journal says, by question. */
export interface Answers {
  readonly reading: ReadonlyMap<string, Answer>
  readonly writing: ReadonlyMap<string, Answer>
  readonly report: VerifyReport | null
  /** Said when it was opened for writing. */
  readonly tornBytes: number
  readonly tree: Tree
}

/** Longer than any of them takes on these journals by far. */
const HANG_MS = 20_000

async function ask(map: Map<string, Answer>, question: string, answer: () => Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${question} hangs`)), HANG_MS)
  })
  try {
    const value = await Promise.race([answer(), hang])
    map.set(question, { is: 'value', value })
    return value
  } catch (error) {
    map.set(question, error instanceof JournalError ? { is: 'error', error } : { is: 'fault', fault: error })
    return undefined
  } finally {
    clearTimeout(timer)
  }
}

/** Paths and numbers of every version in a history. */
function versionsOf(commits: readonly ChainedCommit[]): [path: string, seq: number][] {
  return commits.flatMap(({ entries, seq }) =>
    entries
      .flatMap(changesOf)
      .filter(({ after }) => after?.kind === 'file')
      .map(({ path }): [string, number] => [path, seq]),
  )
}

async function contentOf(journal: Journal, path: string, at: number): Promise<string> {
  return Buffer.from(await journal.readAt(path, at)).toString('latin1')
}

/** `versions`: to be asked for although the history may not tell of them any more. */
async function read(disk: SimDisk, versions: readonly [string, number][] | null): Promise<Map<string, Answer>> {
  const map = new Map<string, Answer>()
  let journal: Journal | undefined
  await ask(map, 'open', async () => {
    journal = await openOn(disk, { readOnly: true })
  })
  const open = journal
  if (open === undefined) return map
  const commits = (await ask(map, 'history', () => collect(open.history({ order: 'oldest' })))) as ChainedCommit[]
  for (const [path, seq] of versions ?? versionsOf(commits)) {
    await ask(map, `readAt ${path} ${seq}`, () => contentOf(open, path, seq))
  }
  await ask(map, 'verify', () => open.verify({ workspace: true }))
  await ask(map, 'anchor', () => open.anchor())
  await open.close()
  return map
}

async function write(disk: SimDisk): Promise<[map: Map<string, Answer>, tornBytes: number]> {
  const map = new Map<string, Answer>()
  let journal: Journal | undefined
  await ask(map, 'open', async () => {
    journal = await openOn(disk, { segmentSize: SEGMENT })
  })
  if (journal === undefined) return [map, 0]
  const { head, recovery } = journal
  map.set('head', { is: 'value', value: head })
  const open = journal
  await ask(map, 'history', () => collect(open.history({ order: 'oldest' })))
  await ask(map, 'write', async () => (await open.write('later.txt', 'later')).seq)
  await ask(map, 'close', () => open.close())
  return [map, recovery.tornBytes]
}

/** Asks a journal everything: first readers, then a writer. Changes nothing on `disk`, which nobody may have open. */
export async function answersOf(disk: SimDisk, versions: readonly [string, number][] | null = null): Promise<Answers> {
  const reading = await read(disk.crash('process'), versions)
  const left = disk.crash('process')
  const [writing, tornBytes] = await write(left)
  const tree = left.tree(ROOT, ['.journal', 'later.txt'])
  const verified = reading.get('verify')
  const report = verified?.is === 'value' ? (verified.value as VerifyReport) : null
  return { reading, writing, report, tornBytes, tree }
}

export function versionsIn(answers: Answers): [string, number][] {
  const history = answers.reading.get('history')
  if (history?.is !== 'value') throw new Error('the undamaged journal has no history')
  return versionsOf(history.value as ChainedCommit[])
}
