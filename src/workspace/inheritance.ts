import type { Disk, FileHandle } from '../disk/disk.ts'
import { hasSystemCode } from '../errors.ts'

const SET_GROUP_ID = 0o2000
const NEW_FILE = 0o666
const NEW_FOLDER = 0o777
const DEFAULT_ACL = 'system.posix_acl_default'
const ACCESS_ACL = 'system.posix_acl_access'

/** What a new file or folder would get from the folder it is made in. */
export interface Inheritance {
  readonly fileMode: number
  readonly folderMode: number
  /** The group, where the folder hands its own down (setgid). */
  readonly gid: number | null
  /** The access list for a new file, where the folder has a default one. */
  readonly accessList: readonly [name: string, value: Uint8Array] | null
}

/** Permission bits that a default access list leaves to a file created with `mode` (acl(5), "Object creation and default ACLs"). */
function modeUnder(list: Uint8Array, mode: number): number {
  const view = new DataView(list.buffer, list.byteOffset, list.byteLength)
  let user = 0
  let group = 0
  let mask: number | null = null
  let other = 0
  for (let at = 4; at + 8 <= list.byteLength; at += 8) {
    const tag = view.getUint16(at, true)
    const permissions = view.getUint16(at + 2, true)
    if (tag === 0x01) user = permissions
    else if (tag === 0x04) group = permissions
    else if (tag === 0x10) mask = permissions
    else if (tag === 0x20) other = permissions
  }
  return mode & ((user << 6) | ((mask ?? group) << 3) | other)
}

/** Reads what `folder` (an existing, absolute path) hands down. `umask`: of this process. */
export function inheritanceOf(disk: Disk, folder: string, umask: number): Inheritance {
  let handle: FileHandle | null = null
  try {
    handle = disk.open(folder, 'read')
    const stat = disk.stat(handle)
    const list = disk.attributes(handle).find(([name]) => name === DEFAULT_ACL)?.[1]
    const setGroup = (stat.mode & SET_GROUP_ID) !== 0
    return {
      fileMode: list === undefined ? NEW_FILE & ~umask : modeUnder(list, NEW_FILE),
      folderMode:
        (list === undefined ? NEW_FOLDER & ~umask : modeUnder(list, NEW_FOLDER)) | (setGroup ? SET_GROUP_ID : 0),
      gid: setGroup ? stat.gid : null,
      accessList: list === undefined ? null : [ACCESS_ACL, list],
    }
  } catch (error) {
    // A folder that may be entered but not read, or a platform that opens no folders.
    if (!hasSystemCode(error, 'EACCES', 'EPERM', 'EISDIR')) throw error
    return { fileMode: NEW_FILE & ~umask, folderMode: NEW_FOLDER & ~umask, gid: null, accessList: null }
  } finally {
    if (handle !== null) disk.close(handle)
  }
}
