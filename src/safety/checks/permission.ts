import type { FileStat } from '../../disk/disk.ts'
import type { Proposal } from '../../transaction/guard.ts'
import { ancestorsOf, parentOf } from '../../workspace/safe-path.ts'
import type { Reason } from './report.ts'

/** Who writes. */
export interface Identity {
  readonly uid: number
  readonly groups: readonly number[]
}

const WRITE = 2
const ENTER = 1
const READ = 4

/** The user of this process; null where permissions are not told by numbers. */
export function identity(): Identity | null {
  const uid = process.geteuid?.()
  if (uid === undefined) return null
  return { uid, groups: [process.getegid?.() ?? -1, ...(process.getgroups?.() ?? [])] }
}

/** By the permission bits; access lists may say otherwise. */
export function allows(
  { mode, uid, gid }: Pick<FileStat, 'mode' | 'uid' | 'gid'>,
  who: Identity,
  wanted: number,
): boolean {
  const shift = who.uid === uid ? 6 : who.groups.includes(gid) ? 3 : 0
  return ((mode >> shift) & wanted) === wanted
}

/** Folders in which names cannot be changed, and files that cannot be read to keep what is in them. */
export function checkPermissions(proposal: Proposal, who = identity()): Reason[] {
  const { observer } = proposal.site
  const { disk } = observer
  if (disk.superuser || who === null) return []
  const reasons: Reason[] = []
  const folders = new Map<string, boolean>()
  for (const path of proposal.draft.changes.keys()) {
    const folder = standing(proposal, path)
    const known = folders.get(folder)
    const stat = known === undefined ? disk.lstat(observer.absolute(folder)) : null
    const writable = known ?? (stat === null || allows(stat, who, WRITE | ENTER))
    folders.set(folder, writable)
    if (!writable)
      reasons.push({ path, message: `names cannot be changed in the folder ${folder || '.'}`, refuses: true })
    const file = disk.lstat(observer.absolute(path))
    if (file?.kind === 'file' && !allows(file, who, READ))
      reasons.push({ path, message: 'what is there cannot be read, and so not be kept', refuses: true })
  }
  return reasons
}

/** The nearest folder above a path that is there already. */
function standing({ site: { observer } }: Proposal, path: string): string {
  if (observer.disk.lstat(observer.absolute(parentOf(path)))?.kind === 'dir') return parentOf(path)
  return ancestorsOf(path).find((folder) => observer.disk.lstat(observer.absolute(folder))?.kind === 'dir') ?? ''
}
