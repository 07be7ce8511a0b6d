import { hashFile } from '../content/hash.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { Disk } from '../disk/disk.ts'
import { effectsOf } from '../entry/effects.ts'
import { changesOf } from '../entry/entry.ts'
import type { ContentHash } from '../entry/state.ts'
import { siblingName } from '../workspace/materialization.ts'
import { parentOf } from '../workspace/safe-path.ts'
import type { FlightCommit } from './log-scan.ts'

/** A file that a killed process left in `staging`, or beside its target. */
export interface Leftover {
  /** Absolute. */
  readonly file: string
  readonly tx: string
  /** The workspace path it was for, where that is known. */
  readonly path: string | null
  /** Its transaction is in the log, so it may be what was moved aside. */
  readonly committed: boolean
}

const NAME = /^(t[0-9a-z]{15})\.(.+)$/

/** Everything a killed process left behind. */
export function findLeftovers(disk: Disk, root: string, staging: string, flight: readonly FlightCommit[]): Leftover[] {
  const leftovers: Leftover[] = []
  const committed = new Map(flight.map(({ commit }) => [commit.tx, commit]))
  for (const { name } of disk.readDirectory(staging)) {
    const [, tx = '', rest = ''] = NAME.exec(name) ?? []
    const commit = committed.get(tx)
    const index = /^\d+(\.old)?$/.test(rest) ? Number.parseInt(rest, 10) : -1
    const path = commit === undefined ? null : (effectsOf(commit.entries)[index]?.path ?? null)
    leftovers.push({ file: `${staging}/${name}`, tx, path, committed: commit !== undefined })
  }
  const device = disk.lstat(staging)?.dev
  const devices = new Map<string, bigint | undefined>()
  for (const { commit } of flight) {
    for (const { path } of effectsOf(commit.entries)) {
      const parent = parentOf(path)
      const folder = parent === '' ? root : `${root}/${parent}`
      if (!devices.has(folder)) devices.set(folder, disk.lstat(folder)?.dev)
      const on = devices.get(folder)
      if (on === undefined || on === device) continue
      for (const suffix of ['', '.old', '.old.old']) {
        const file = `${folder}/${siblingName(path, commit.tx, suffix)}`
        if (disk.lstat(file) !== null) leftovers.push({ file, tx: commit.tx, path, committed: true })
      }
    }
  }
  return leftovers
}

/** Every content that the transactions in flight name. */
export function contentsOf(flight: readonly FlightCommit[]): Set<ContentHash> {
  const hashes = new Set<ContentHash>()
  for (const { commit } of flight) {
    for (const entry of commit.entries) {
      for (const { before, after } of changesOf(entry)) {
        if (before?.kind === 'file') hashes.add(before.hash)
        if (after?.kind === 'file') hashes.add(after.hash)
      }
    }
  }
  return hashes
}

/** Can it be dropped without losing anything? Only what no commit and no content in the journal accounts for is somebody's. */
export async function isAccountedFor(
  disk: Disk,
  leftover: Leftover,
  known: ReadonlySet<ContentHash>,
  contents: ContentStore,
): Promise<boolean> {
  if (!leftover.committed) return true
  const stat = disk.lstat(leftover.file)
  if (stat?.kind !== 'file') return true
  const handle = disk.open(leftover.file, 'read')
  const { hash } = await hashFile(disk, handle).finally(() => disk.close(handle))
  return known.has(hash) || (await contents.has(hash))
}
