import type { FileStat } from '../disk/disk.ts'

/** All that tells a file from what it was before, short of reading it: as long as its stamp is the same and settled, so is the file. */
export function stampOf({ dev, ino, size, mode, uid, gid, mtimeNs, ctimeNs }: FileStat): string {
  return `${dev}:${ino}:${size}:${mode}:${uid}:${gid}:${mtimeNs}:${ctimeNs}`
}
