import { expect } from 'vitest'
import type { ChainedCommit } from '../../src/entry/commit.ts'
import { changesOf } from '../../src/entry/entry.ts'
import { openMemory } from '../../src/history/index-database.ts'
import { JournalError } from '../../src/index.ts'
import { type SalvageReport, salvage } from '../../src/salvage/salvage.ts'
import { collect, openOn, ROOT, workspace } from '../journal/fixture.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { differences } from '../sim/tree.ts'
import type { Answer } from './answers.ts'
import { JOURNAL, SEGMENT } from './built.ts'
import type { Subject } from './trial.ts'

export function salvageOn(disk: SimDisk, dryRun = false): Promise<SalvageReport> {
  return salvage(ROOT, { disk, openDatabase: () => openMemory(), dryRun })
}

function valueIn(answer: Answer | undefined): unknown {
  return answer?.is === 'value' ? answer.value : undefined
}

/** Everything of the journal that a salvage may change, as contents. */
function originals(disk: SimDisk): Map<string, string> {
  const found = new Map<string, string>()
  for (const [name, node] of disk.tree(JOURNAL)) {
    if (node.kind === 'file' && /^(log|blobs)\/|^(FORMAT|CHECKPOINT)$/.test(name)) found.set(name, node.content)
  }
  return found
}

/**
 * Salvages a damaged journal and holds what is left to all that is promised: it opens and verifies, every transaction in it is as it was, every
 * version reads as it did or is said to be lost, nothing in the workspace changed, and what was changed is kept byte for byte.
 * `damaged`: as it was before an earlier try that was interrupted.
 * @returns null when nothing could be saved, and nothing was changed
 */
export async function salvageAndCheck(subject: Subject, disk: SimDisk, damaged = disk): Promise<SalvageReport | null> {
  const before = workspace(disk)
  const files = originals(damaged)
  const whole = disk.tree(ROOT)
  const planned = await salvageOn(disk, true).catch((error: unknown) => error)
  expect(differences(whole, disk.tree(ROOT)), 'a dry run changes nothing').toEqual([])
  let report: SalvageReport
  try {
    report = await salvageOn(disk)
  } catch (error) {
    if (!(error instanceof JournalError)) throw error
    expect(planned).toMatchObject({ code: error.code })
    expect(differences(whole, disk.tree(ROOT, ['.journal/LOCK'])).filter((line) => !line.includes('LOCK'))).toEqual([])
    return null
  }
  if (report.kept === null && damaged !== disk) report = noted(disk)
  else expect(planned).toMatchObject({ salvaged: report.salvaged, lost: report.lost, versions: report.versions })
  expect(differences(before, workspace(disk)), 'the workspace').toEqual([])
  checkKept(disk, files)
  await checkHistory(subject, disk, report)
  expect(await salvageOn(disk), 'a second one').toMatchObject({ lost: [], versions: [], kept: null })
  const writer = await openOn(disk, { segmentSize: SEGMENT })
  expect(writer.recovery).toMatchObject({ replayed: [], reverted: [], conflicts: [] })
  await writer.write('later.txt', 'later')
  expect((await writer.verify()).problems).toEqual([])
  await writer.close()
  const reader = await openOn(disk, { readOnly: true })
  expect((await reader.verify({ workspace: true })).problems).toEqual([])
  await reader.close()
  return report
}

/** What the try that was interrupted at its very end had written down. */
function noted(disk: SimDisk): SalvageReport {
  const name = [...disk.tree(`${JOURNAL}/broken`).keys()].find((file) => file.endsWith('-report.json'))
  return JSON.parse(disk.readText(`${JOURNAL}/broken/${name}`)) as SalvageReport
}

function checkKept(disk: SimDisk, files: ReadonlyMap<string, string>): void {
  const now = originals(disk)
  const kept = new Set<string>()
  if (!disk.exists(`${JOURNAL}/broken`)) disk.mkdirp(`${JOURNAL}/broken`)
  for (const node of disk.tree(`${JOURNAL}/broken`).values()) if (node.kind === 'file') kept.add(node.content)
  for (const [name, content] of files) {
    if (now.get(name) !== content) expect(kept.has(content), `${name} is kept`).toBe(true)
  }
}

async function checkHistory({ good, versions }: Subject, disk: SimDisk, report: SalvageReport): Promise<void> {
  const reader = await openOn(disk, { readOnly: true })
  const known = valueIn(good.reading.get('history')) as ChainedCommit[]
  const found = await collect(reader.history({ order: 'oldest' }))
  expect(found).toHaveLength(report.salvaged)
  for (const commit of found) expect(commit).toEqual(known[commit.seq - 1])
  const verified = await reader.verify({ workspace: true })
  expect(verified.problems.map(({ message }) => message)).toEqual([])
  const missing = new Set(known.map(({ seq }) => seq))
  for (const { seq } of found) missing.delete(seq)
  const lost = new Set(report.lost.map(({ seq }) => seq))
  const head = (await reader.anchor()).seq
  for (const seq of missing) if (seq <= head) expect(lost.has(seq), `number ${seq} is said to be lost`).toBe(true)
  for (const seq of lost) {
    expect(missing.has(seq), `number ${seq} is lost`).toBe(true)
    const named = report.lost.find((transaction) => transaction.seq === seq)
    // Its name is read from the damaged bytes themselves, of which one may be one of the name.
    if (named !== undefined && named.tx !== null)
      expect(unlike(named.tx, known[seq - 1]?.tx ?? ''), named.tx).toBeLessThan(2)
  }
  const gaps = (verified.gaps ?? []).flatMap(({ lost: range }) => (range === null ? [] : [range]))
  for (const seq of lost)
    expect(
      gaps.some(({ from, to }) => from <= seq && seq <= to),
      `a gap for ${seq}`,
    ).toBe(true)
  const gone = new Set(report.versions.map(({ hash }) => hash))
  for (const [path, seq] of versions) {
    const answer = await reader.readAt(path, seq).then(
      (bytes) => Buffer.from(bytes).toString('latin1'),
      (error: unknown) => error as JournalError,
    )
    const expected = good.reading.get(`readAt ${path} ${seq}`)
    const touching = known.filter(
      (commit) =>
        commit.seq <= seq && commit.entries.some((entry) => changesOf(entry).some((change) => change.path === path)),
    )
    if (typeof answer !== 'string') {
      expect(answer, `${path} at ${seq}`).toBeInstanceOf(JournalError)
      expect(answer.code, `${path} at ${seq}: ${answer.message}`).toBe('NOT_FOUND')
      const after = touching
        .at(-1)
        ?.entries.flatMap(changesOf)
        .findLast((change) => change.path === path)?.after
      const said = missing.has(seq) || (after?.kind === 'file' && gone.has(after.hash)) || expected?.is === 'error'
      expect(said, `${path} at ${seq}: ${answer.message}`).toBe(true)
    } else if (!missing.has(touching.at(-1)?.seq ?? 0)) expect(answer, `${path} at ${seq}`).toBe(valueIn(expected))
  }
  await reader.close()
}

/** In how many characters two names of the same length differ. */
function unlike(a: string, b: string): number {
  if (a.length !== b.length) return a.length + b.length
  return [...a].filter((character, at) => character !== b[at]).length
}
