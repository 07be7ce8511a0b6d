import type { BlobStore } from '../content/blob-store.ts'
import { hashFile } from '../content/hash.ts'
import type { Disk } from '../disk/disk.ts'
import { reading } from '../disk/file.ts'
import type { FileState, State } from '../entry/state.ts'
import type { Site } from '../workspace/materialization.ts'

/** Takes the content of `file` among the blobs, durably, and says what it was; null when nothing is there that can be kept. `file` itself stays. */
export async function preserved({ observer, contents, staging }: Site, tx: string, file: string): Promise<State> {
  const { disk } = observer
  const stat = disk.lstat(file)
  if (stat?.kind === 'symlink') return { kind: 'symlink', target: disk.readLink(file) }
  if (stat?.kind !== 'file') return null
  return keepContent(disk, contents.blobs, file, `${staging}/${tx}.p`, stat.mode)
}

async function keepContent(disk: Disk, blobs: BlobStore, file: string, copy: string, mode: number): Promise<FileState> {
  if (disk.lstat(copy) !== null) disk.unlink(copy)
  reading(disk, file, () => disk.clone(file, copy, 0o600))
  const handle = disk.open(copy, 'read')
  const { hash, size } = await hashFile(disk, handle).finally(() => disk.close(handle))
  if (await blobs.has(hash)) disk.unlink(copy)
  else await blobs.keep([{ hash, file: copy }])
  return { kind: 'file', hash, size, mode }
}
