import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { built } from '../crash/built.ts'
import { differences, Ledger, treeOf } from '../crash/ledger.ts'
import { type Told, Victim } from '../crash/victim.ts'
import { home, raze } from './cleaning.ts'
import { has, noMount, noShim } from './ground.ts'
import { FILE_SYSTEMS, type FileSystem, Image } from './image.ts'
import { WHOLE } from './rounds.ts'
import { compileShim, ShimPage } from './shim.ts'
import { reopened } from './sweep.ts'

/** What a running process may do is taken away under it, and sometimes given back. */

let folder: string
let victim: Victim | undefined

beforeEach(async () => {
  if (process.platform === 'linux') await built()
  folder = home()
})
afterEach(async () => {
  victim?.kill()
  await victim?.ended
  victim = undefined
  raze(folder)
})

function begin(root: string): Victim {
  mkdirSync(root)
  victim = new Victim('../kernel/lone.mjs', { root, stop: `${folder}/stop` }, `${folder}/told.jsonl`)
  return victim
}

/** Waits for `more` more of such lines. */
async function wait(child: Victim, kind: string, more: number): Promise<void> {
  const count = (): number => child.told().filter((line) => line.kind === kind).length
  const wanted = count() + more
  await child.until(() => count() >= wanted)
  expect(count(), `${kind}: ${JSON.stringify(child.told().slice(-3))}`).toBeGreaterThanOrEqual(wanted)
}

async function end(child: Victim): Promise<Told[]> {
  writeFileSync(`${folder}/stop`, '')
  await child.until(() => false)
  expect(child.told().at(-1)).toMatchObject({ kind: 'closed' })
  return child.told()
}

/** Refusals that are not as they should be. */
function wrong(told: readonly Told[], codes: readonly string[]): Told[] {
  const fine = ({ name, code }: Told): boolean => name === 'JournalError' && codes.includes(code as string)
  return told.filter((line) => {
    return line.kind === 'fault' || line.kind === 'changed' || (line.kind === 'refused' && !fine(line))
  })
}

test('a limit on the size of files: NO_SPACE, and once it is raised the process works on', async ({ skip }) => {
  if (!has('prlimit')) skip('prlimit is not installed')
  const child = begin(`${folder}/work`)
  for (const limit of [4096, 100_000, 1024 * 1024]) {
    await wait(child, 'ack', 3)
    execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${limit}:`])
    await wait(child, 'refused', 3)
    execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:'])
  }
  await wait(child, 'ack', 3)
  const told = await end(child)
  expect(wrong(told, ['NO_SPACE', 'POISONED'])).toEqual([])
  expect(await reopened(`${folder}/work`, told)).toEqual([])
}, 60_000)

const WITHDRAWALS: readonly {
  readonly what: string
  readonly name: string
  readonly command: (point: string) => readonly [string, ...string[]]
}[] = [
  {
    // ext4 does this by itself upon an error, with errors=remount-ro. A plain remount is refused while files are open.
    what: 'turns read-only',
    name: 'ext4',
    command: (point) => ['mount', '-o', 'remount,abort', point],
  },
  { what: 'shuts down', name: 'xfs', command: (point) => ['xfs_io', '-x', '-c', 'shutdown', point] },
  {
    what: 'shuts down with its own log written',
    name: 'xfs',
    command: (point) => ['xfs_io', '-x', '-c', 'shutdown -f', point],
  },
]

/** Takes a file system away under a running process. What it had not written back is gone afterwards, as in a power cut. */
async function withdraw(
  { name, command }: (typeof WITHDRAWALS)[number],
  skip: (reason: string) => never,
): Promise<{ readonly root: string; readonly told: readonly Told[] }> {
  const fileSystem = FILE_SYSTEMS.find((other) => other.name === name) as FileSystem
  const reason = noShim() ?? noMount(fileSystem.make)
  if (reason !== null) skip(reason)
  const image = Image.make(folder, fileSystem)
  const root = `${image.point}/work`
  const child = begin(root)
  await wait(child, 'ack', 5)
  const [program, ...given] = command(image.point)
  execFileSync(program, given)
  await wait(child, 'refused', 5)
  const told = await end(child)
  image.cutPower()
  expect(wrong(told, ['PERMISSION', 'IO', 'POISONED'])).toEqual([])
  return { root, told }
}

// The others differ in detail only.
for (const withdrawal of WHOLE ? WITHDRAWALS : WITHDRAWALS.slice(0, 2)) {
  const title = `a file system (${withdrawal.name}) that ${withdrawal.what} under a running process: typed errors`
  test(`${title}, and after a restart of the machine all that was acknowledged is there`, async ({ skip }) => {
    const { root, told } = await withdraw(withdrawal, skip)
    const page = new ShimPage(compileShim(folder), `${folder}/shim`, root)
    page.restart('11111111-1111-4111-8111-111111111111')
    const recovery = new Victim('writer.mjs', { root, only: 'open' }, `${folder}/recovery.jsonl`, [], page.env)
    await recovery.ended
    expect(recovery.told().map(({ kind }) => kind)).toEqual(['open', 'closed'])
    expect(recovery.told()[0]).toMatchObject({ recovery: { conflicts: [] } })
    expect(await reopened(root, told)).toEqual([])
  }, 60_000)

  // Recovery cannot know that anything but a person has emptied a file: the machine was not restarted.
  test(`${title}, and mounted again without a restart what it dropped is a conflict, and in the history`, async ({
    skip,
  }) => {
    const { root, told } = await withdraw(withdrawal, skip)
    const { openJournal } = await built()
    const ledger = new Ledger()
    const journal = await openJournal(root)
    expect([...(await ledger.read(journal)), ...ledger.missing(told)]).toEqual([])
    const conflicts = new Set(journal.recovery.conflicts.map(({ path }) => path))
    const missed = differences(ledger.tree, treeOf(root)).filter((line) => !conflicts.has(line.split(':')[0] as string))
    expect(missed).toEqual([])
    const adopted = await journal.adopt()
    await journal.undo(adopted?.tx ?? 'nothing was adopted')
    await journal.close()
    expect(differences(ledger.tree, treeOf(root))).toEqual([])
    expect((await reopened(root, told)).filter((fault) => !fault.startsWith('kept: found by recovery'))).toEqual([])
  }, 60_000)
}
