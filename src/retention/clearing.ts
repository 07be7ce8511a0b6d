import type { Store } from '../store/opening.ts'

/** What was removed. */
export interface Cleared {
  readonly files: number
  readonly bytes: number
}

const NS_A_MS = 1_000_000n

/** Removes what no open transaction has in `staging`. Nothing may be committing. */
export function removeStaged(store: Store, open: ReadonlySet<string>): Promise<Cleared> {
  return removeFiles(store, store.layout.staging, (name) => !open.has(name.slice(0, name.indexOf('.'))))
}

/** Removes what repairs cut off before `before` (milliseconds since 1970). */
export function removeBroken(store: Store, before: number): Promise<Cleared> {
  return removeFiles(store, store.layout.broken, (_name, mtimeNs) => Number(mtimeNs / NS_A_MS) < before)
}

async function removeFiles(
  { disk }: Store,
  folder: string,
  chosen: (name: string, mtimeNs: bigint) => boolean,
): Promise<Cleared> {
  let files = 0
  let bytes = 0
  for (const { name } of disk.readDirectory(folder)) {
    const stat = disk.lstat(`${folder}/${name}`)
    if (stat === null || stat.kind === 'dir' || !chosen(name, stat.mtimeNs)) continue
    disk.unlink(`${folder}/${name}`)
    files += 1
    bytes += stat.size
  }
  if (files > 0) await disk.syncDirectory(folder)
  return { files, bytes }
}
