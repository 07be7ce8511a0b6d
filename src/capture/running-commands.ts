import { randomBytes } from 'node:crypto'
import type { Disk } from '../disk/disk.ts'
import { dropFile } from '../disk/file.ts'
import { hasSystemCode } from '../errors.ts'
import { openOrCreate } from '../store/fence.ts'
import type { Layout } from '../store/layout.ts'

/** Who looks whether a file is locked has it locked for a moment. */
const TRIES = 100
const PAUSE_MS = 5
/** A file that nobody has locked for so long was left by a process that was killed. */
const LEFT_MS = 60_000
const FOLDER_MODE = 0o700

/**
 * Tells those who watch the workspace, in other processes too, that a command runs under the journal: what it changes is its own. The file that says so is locked
 * while the process lives.
 * @returns ends it
 */
export async function announceCommand(disk: Disk, { running }: Layout): Promise<() => void> {
  try {
    disk.makeDirectory(running, FOLDER_MODE)
  } catch (error) {
    if (!hasSystemCode(error, 'EEXIST')) throw error
  }
  const path = `${running}/${process.pid}-${randomBytes(8).toString('hex')}`
  const handle = openOrCreate(disk, path)
  for (let left = TRIES; !disk.lock(handle) && left > 0; left -= 1) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  return () => {
    disk.close(handle)
    dropFile(disk, path)
  }
}

/** Does a command run under the journal, in any process? */
export function isCommandRunning(disk: Disk, { running }: Layout): boolean {
  if (disk.lstat(running)?.kind !== 'dir') return false
  return disk.readDirectory(running).some(({ name }) => isLocked(disk, `${running}/${name}`))
}

function isLocked(disk: Disk, path: string): boolean {
  const stat = disk.lstat(path)
  if (stat?.kind !== 'file') return false
  try {
    const handle = disk.open(path, 'write')
    const free = disk.lock(handle)
    disk.close(handle)
    if (free && Date.now() - Number(stat.mtimeNs / 1_000_000n) > LEFT_MS) dropFile(disk, path)
    return !free
  } catch (error) {
    // It has just ended.
    if (hasSystemCode(error, 'ENOENT')) return false
    throw error
  }
}
