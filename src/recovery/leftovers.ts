import type { ContentStore } from '../content/content-store.ts'
import { hashFile } from '../content/hash.ts'
import type { Disk } from '../disk/disk.ts'
import { openAside } from '../disk/file.ts'
import { effectsOf } from '../entry/effects.ts'
import { changesOf } from '../entry/entry.ts'
import type { ContentHash, State } from '../entry/state.ts'
import { GONE, siblingName } from '../workspace/aside-name.ts'
import { ancestorsOf } from '../workspace/safe-path.ts'
import type { FlightCommit } from './log-scan.ts'
import { isTornForm } from './torn-form.ts'

/** A file that a killed process left in `staging`, or beside its target. */
export interface Leftover {
  /** Absolute. */
  readonly file: string
  readonly tx: string
  /** The workspace path it was for, where that is known. */
  readonly path: string | null
  /** Its transaction is in the log. */
  readonly committed: boolean
  /** It may be what was moved aside to make room; otherwise it is a copy of the journal's own. */
  readonly displaced: boolean
  /** A recovery left it. */
  readonly ofRecovery: boolean
}

const NAME = /^(t[0-9a-z]{15})\.(.+)$/
/** Files that take or took the place of one in the workspace; with `r.` those of a recovery, with `w7.` in term 7; with the last ending of a writer that was deposed. */
const PLACED = /^(r\.)?(?:w\d+\.)?(\d+)(\.from|\.gone)?(\.old)*(\.fenced)*$/

/** Everything a killed process left behind. */
export function findLeftovers(disk: Disk, root: string, staging: string, flight: readonly FlightCommit[]): Leftover[] {
  const leftovers: Leftover[] = []
  const committed = new Map(flight.map(({ commit }) => [commit.tx, commit]))
  const names = disk.lstat(staging) === null ? [] : disk.readDirectory(staging)
  for (const { name } of names) {
    const [, tx = '', rest = ''] = NAME.exec(name) ?? []
    const commit = committed.get(tx)
    const [placed, ofRecovery, index] = PLACED.exec(rest) ?? []
    const known = commit !== undefined && placed !== undefined && ofRecovery === undefined
    const path = known ? (effectsOf(commit.entries)[Number(index)]?.path ?? null) : null
    leftovers.push({
      file: `${staging}/${name}`,
      tx,
      path,
      committed: commit !== undefined,
      displaced: placed !== undefined,
      ofRecovery: ofRecovery !== undefined,
    })
  }
  const device = disk.lstat(staging)?.dev
  const devices = new Map<string, bigint | undefined>()
  const deviceOf = (folder: string): bigint | undefined => {
    if (!devices.has(folder)) devices.set(folder, disk.lstat(folder)?.dev)
    return devices.get(folder)
  }
  for (const { commit } of flight) {
    for (const [index, { path }] of effectsOf(commit.entries).entries()) {
      // Beside the target, or higher up where its folder goes away too.
      for (const folder of [...ancestorsOf(path), ''].map((above) => (above === '' ? root : `${root}/${above}`))) {
        const on = deviceOf(folder)
        if (on === undefined) continue
        if (on === device) break
        for (const suffix of ['', '.old', GONE]) {
          const file = `${folder}/${siblingName(path, commit.tx, index, suffix)}`
          if (disk.lstat(file) !== null) {
            leftovers.push({ file, tx: commit.tx, path, committed: true, displaced: true, ofRecovery: false })
          }
        }
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

function preservedIn(flight: readonly FlightCommit[]): ContentHash[] {
  return flight.flatMap(({ commit }) =>
    commit.entries.flatMap((entry) =>
      entry.op === 'preserve' && entry.after?.kind === 'file' ? [entry.after.hash] : [],
    ),
  )
}

/** What tells a file or symbolic link apart: its content hash, or its target. */
export function markOf(state: State): string | null {
  if (state?.kind === 'file') return state.hash
  return state?.kind === 'symlink' ? `-> ${state.target}` : null
}

/** Was it taken away from its path, so that nothing was there for a moment? */
export function isGone({ file: found }: Leftover): boolean {
  const file = found.replace(/(\.fenced)+$/, '')
  return file.endsWith(GONE) || file.endsWith(`${GONE}.wj`)
}

/** The mark of what an interrupted recovery had moved aside; null for anything else. Its path is not known. */
export async function asideMark(disk: Disk, leftover: Leftover): Promise<string | null> {
  if (!leftover.displaced || leftover.path !== null || !isGone(leftover)) return null
  const stat = disk.lstat(leftover.file)
  if (stat?.kind === 'symlink') return markOf({ kind: 'symlink', target: disk.readLink(leftover.file) })
  if (stat?.kind !== 'file') return null
  const handle = openAside(disk, leftover.file)
  return (await hashFile(disk, handle).finally(() => disk.close(handle))).hash
}

/**
 * Can it be dropped without losing anything? Only a file that was moved aside, and that no commit and no content in the journal accounts
 * for, is somebody's. The journal's own new files may be torn, or half written when the process was killed.
 */
export async function isAccountedFor(
  disk: Disk,
  leftover: Leftover,
  flight: readonly FlightCommit[],
  known: ReadonlySet<ContentHash>,
  contents: ContentStore,
): Promise<boolean> {
  if (!leftover.committed || !leftover.displaced) return true
  const stat = disk.lstat(leftover.file)
  if (stat?.kind !== 'file' || stat.size === 0) return true
  const handle = openAside(disk, leftover.file)
  const { hash } = await hashFile(disk, handle).finally(() => disk.close(handle))
  // That the content happens to be in the journal says nothing: only what a transaction names is kept.
  if (known.has(hash)) return true
  if (leftover.ofRecovery) {
    // What a recovery replaces though no transaction names it, it keeps before. Where nothing can be exchanged or linked it makes a copy, perhaps half of one.
    for (const kept of preservedIn(flight)) {
      if (kept === hash || (await isTornForm(disk, leftover.file, contents, kept))) return true
    }
  }
  for (const { commit } of flight) {
    for (const { path, before, after } of effectsOf(commit.entries)) {
      if (leftover.path !== null && path !== leftover.path) continue
      for (const state of [before, after]) {
        if (state?.kind === 'file' && (await isTornForm(disk, leftover.file, contents, state.hash))) return true
      }
    }
  }
  return false
}
