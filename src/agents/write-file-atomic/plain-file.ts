/** A file replaced as a whole where there is no journal: written beside, made durable, renamed over. */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'

export interface PlainFile {
  readonly path: string
  readonly bytes: Uint8Array
  /** Null: that of the file that is there. False: what is usual. */
  readonly mode: number | false | null
  readonly chown: { readonly uid: number; readonly gid: number } | false | null
  readonly fsync: boolean
}

interface Prepared {
  readonly target: string
  readonly temporary: string
  readonly mode: number | null
  readonly chown: { readonly uid: number; readonly gid: number } | null
}

/** `created` is told the name of the file beside, when it is there. */
export async function replaceFile(file: PlainFile, created: (name: string) => unknown): Promise<void> {
  const { target, temporary, mode, chown } = prepared(file)
  try {
    const handle = await fs.promises.open(temporary, 'wx', mode ?? 0o666)
    try {
      await created(temporary)
      await handle.writeFile(file.bytes)
      if (chown !== null) await handle.chown(chown.uid, chown.gid).catch(passOwner)
      if (mode !== null) await handle.chmod(mode)
      if (file.fsync) await handle.sync()
    } finally {
      await handle.close()
    }
    await fs.promises.rename(temporary, target)
  } catch (error) {
    await fs.promises.rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}

export function replaceFileSync(file: PlainFile, created: (name: string) => unknown): void {
  const { target, temporary, mode, chown } = prepared(file)
  try {
    const fd = fs.openSync(temporary, 'wx', mode ?? 0o666)
    try {
      created(temporary)
      fs.writeFileSync(fd, file.bytes)
      if (chown !== null) attempted(() => fs.fchownSync(fd, chown.uid, chown.gid))
      if (mode !== null) fs.fchmodSync(fd, mode)
      if (file.fsync) fs.fsyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
    fs.renameSync(temporary, target)
  } catch (error) {
    attempted(() => fs.rmSync(temporary, { force: true }), true)
    throw error
  }
}

function prepared({ path, mode, chown }: PlainFile): Prepared {
  const target = realPath(path)
  const there = fs.statSync(target, { throwIfNoEntry: false })
  const owner = there === undefined || process.getuid === undefined ? null : { uid: there.uid, gid: there.gid }
  return {
    target,
    temporary: `${target}.${randomBytes(6).toString('hex')}.tmp`,
    mode: mode === null ? (there === undefined ? null : there.mode & 0o7777) : mode === false ? null : mode & 0o7777,
    chown: chown === null ? owner : chown === false ? null : chown,
  }
}

/** Links are followed, so that the file that they lead to is replaced. */
function realPath(path: string): string {
  try {
    return fs.realpathSync(path)
  } catch {
    return path
  }
}

/** Who is not the superuser cannot give files away. */
export function passOwner(error: NodeJS.ErrnoException): void {
  const superuser = process.getuid?.() === 0
  if (error.code === 'ENOSYS' || (!superuser && (error.code === 'EPERM' || error.code === 'EINVAL'))) return
  throw error
}

function attempted(action: () => void, whatever = false): void {
  try {
    action()
  } catch (error) {
    if (!whatever) passOwner(error as NodeJS.ErrnoException)
  }
}
