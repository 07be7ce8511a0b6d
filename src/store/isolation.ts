import type { Disk } from '../disk/disk.ts'
import type { Segments } from '../log/segments.ts'
import type { Layout } from './layout.ts'

/** Ending of what a deposed writer had in `staging`: by the name that it knows there is nothing. */
const FENCED = '.fenced'
const ASIDE = /^staging-\d+$/

/**
 * Fences off writers that were deposed and may still be alive: whatever they are in the middle of, their next step fails, or happens where nobody looks.
 * To be called by who holds the lock, before the log is scanned. It may be interrupted anywhere and called again.
 *
 * - Files in `staging` get other names, so none of them can be put into the workspace any more.
 * - The last segment of the log becomes another file with the same content, so nothing is appended to it any more.
 *
 * Everything else a writer does while it holds `FENCE`; see `WriterLock.depose`.
 */
export async function isolate(disk: Disk, layout: Layout, segments: Segments): Promise<void> {
  const names = disk.readDirectory(layout.directory).map(({ name }) => name)
  for (const name of names) if (ASIDE.test(name)) settleStaging(disk, layout, name)
  const alive = names.filter((name) => /^DEPOSED\.\d+$/.test(name) && isAlive(disk, `${layout.directory}/${name}`))
  if (alive.length === 0) return
  const aside = `staging-${Math.max(...alive.map((name) => Number(name.slice('DEPOSED.'.length))))}`
  if (disk.lstat(layout.staging) !== null) {
    disk.rename(layout.staging, `${layout.directory}/${aside}`)
    settleStaging(disk, layout, aside)
  }
  const last = segments.list().at(-1)
  if (last === undefined) return
  const path = segments.path(last)
  const copy = `${layout.staging}/segment`
  if (disk.lstat(copy) !== null) disk.unlink(copy)
  disk.clone(path, copy, 0o600)
  const handle = disk.open(copy, 'write')
  await disk.sync(handle, true).finally(() => disk.close(handle))
  disk.rename(copy, path)
  await disk.syncDirectory(layout.log)
}

/** Is the process still there? Its lock dies with it. */
function isAlive(disk: Disk, path: string): boolean {
  const handle = disk.open(path, 'write')
  const gone = disk.lock(handle)
  disk.close(handle)
  if (gone) disk.unlink(path)
  return !gone
}

/** What may be somebody's goes back into `staging`, where recovery looks, by another name. */
function settleStaging(disk: Disk, layout: Layout, aside: string): void {
  const folder = `${layout.directory}/${aside}`
  if (disk.lstat(layout.staging) === null) disk.makeDirectory(layout.staging, 0o700)
  for (const { name } of disk.readDirectory(folder))
    disk.rename(`${folder}/${name}`, `${layout.staging}/${name}${FENCED}`)
  disk.removeDirectory(folder)
}
