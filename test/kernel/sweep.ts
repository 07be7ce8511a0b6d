import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { built } from '../crash/built.ts'
import { differences, Ledger, treeOf } from '../crash/ledger.ts'
import { type Told, Victim } from '../crash/victim.ts'
import { KIND, ShimPage, type Strike } from './shim.ts'

export type Scene = 'opening' | 'committing' | 'recovering'

/** A run that takes longer than this hangs. */
const PATIENCE_MS = 30_000
/** In the middle of putting the first transaction's files in place. */
const DIES_AT = 3

/** Codes that the engine may answer a fault with. */
const CODES: Readonly<Record<NonNullable<Strike['error']>, readonly string[]>> = {
  EIO: ['IO', 'POISONED'],
  ENOSPC: ['NO_SPACE', 'POISONED'],
  EROFS: ['PERMISSION', 'POISONED'],
  EPERM: ['PERMISSION', 'POISONED'],
  EMFILE: ['IO', 'POISONED'],
}

interface Runs {
  readonly runs: number
  readonly faults: readonly string[]
}

/** Work that meets the strike at call `first`, `first + step` and so on, until a run meets none; each is examined. */
export async function sweep(
  library: string,
  home: string,
  scene: Scene,
  strike: Strike,
  { first, step }: { readonly first: number; readonly step: number },
): Promise<Runs> {
  const folder = `${home}/sweep`
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const page = new ShimPage(library, `${home}/shim`, `${folder}/work`)
  const order = { home: folder, page: page.file, scene, first, step }
  if (scene === 'recovering') await dieMidway(page, folder, `${home}/dying.jsonl`)
  page.arm(0, strike)
  const template = scene === 'recovering' ? { template: `${folder}/template` } : {}
  const script = '../kernel/sweep.mjs'
  const victim = new Victim(script, { ...order, ...template }, `${home}/sweep.jsonl`, [], page.env)
  const faults: string[] = []
  let runs = 0
  let seen = 0
  let last = Date.now()
  for (let over = false; !over; ) {
    over = !victim.running
    const told = victim.told()
    for (let end = seen; end < told.length; end += 1) {
      const ran = told[end] as Told
      if (ran.kind !== 'ran') continue
      const where = `${strike.act} ${strike.error ?? ''} at call ${ran.at} (${ran.what})`
      faults.push(...(await examine(told.slice(seen, end), ran, strike)).map((fault) => `${where}: ${fault}`))
      seen = end + 1
      runs += 1
      last = Date.now()
    }
    if (faults.length > 0 || Date.now() - last > PATIENCE_MS) break
    if (!over) await Promise.race([victim.ended, sleep(5)])
  }
  if (victim.running && faults.length === 0) faults.push(`a run hangs after ${runs} others`)
  victim.kill()
  const { code } = await victim.ended
  if (faults.length === 0 && code !== 0)
    faults.push(`the child ended with ${code}: ${JSON.stringify(victim.told().slice(seen))}`)
  return { runs, faults }
}

/** Leaves a workspace whose writer was killed while it put the files of a transaction in place. */
export async function dieMidway(page: ShimPage, folder: string, output: string): Promise<void> {
  page.arm(0, { act: 'kill before', mask: KIND.rename | KIND.link })
  const order = { home: folder, page: page.file, scene: 'dying', first: DIES_AT, step: 1 }
  await new Victim('../kernel/sweep.mjs', order, output, [], page.env).ended
  renameSync(`${folder}/work`, `${folder}/template`)
}

async function examine(told: readonly Told[], ran: Told, { error = 'EIO' }: Strike): Promise<string[]> {
  const faults: string[] = []
  for (const line of told) {
    if (line.kind === 'fault') faults.push(`not caught: ${JSON.stringify(line)}`)
    if (line.kind !== 'refused') continue
    const typed = line.name === 'JournalError' && CODES[error].includes(line.code as string)
    if (!typed) faults.push(`${line.where} fails with ${line.name} ${line.code}: ${line.stack}`)
    // Where taking back fails too, the journal takes no more, and recovery completes what is half there.
    if (line.changed === true && line.code !== 'POISONED')
      faults.push(`${line.where} failed and left changes: ${line.message}`)
  }
  const open = ran.open as string[]
  if (open.length > 0) faults.push(`still open after the end: ${open.join(', ')}`)
  faults.push(...(await reopened(ran.root as string, told)))
  if (faults.length === 0) rmSync(ran.root as string, { recursive: true })
  return faults
}

/** What is wrong with a workspace once its journal is opened again and nothing is in the way any more. */
export async function reopened(root: string, told: readonly Told[]): Promise<string[]> {
  const faults: string[] = []
  const { openJournal } = await built()
  const journal = await openJournal(root, { rebind: true }).catch((error: Error) => error)
  if (journal instanceof Error) return [`does not open again: ${journal.stack}`]
  try {
    const { conflicts } = journal.recovery
    if (conflicts.length > 0) faults.push(`conflicts where nobody edited: ${JSON.stringify(conflicts)}`)
    const ledger = new Ledger()
    faults.push(...(await ledger.read(journal)), ...ledger.missing(told))
    faults.push(...differences(ledger.tree, treeOf(root)))
    for (const { kind, message } of ledger.commits) if (kind === 'recovery') faults.push(`kept: ${message}`)
    const { ok, problems } = await journal.verify({ workspace: true })
    if (!ok) faults.push(`verify: ${JSON.stringify(problems.slice(0, 5))}`)
    await journal.write('works-on.txt', 'it does')
    const staged = readdirSync(`${root}/.journal/staging`)
    if (staged.length > 0) faults.push(`staging holds ${staged.join(', ')}`)
  } finally {
    await journal.close()
  }
  return faults
}
