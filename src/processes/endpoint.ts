import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { hasSystemCode } from '../errors.ts'

const WINDOWS = process.platform === 'win32'
/** Bytes that the path of a Unix domain socket may have, on the strictest of systems. */
const MAX_PATH = 100

/** A place where other processes of the same user reach this one. */
export interface Endpoint {
  /** A name in the journal's folder, an absolute path, or that of a named pipe. */
  readonly socket: string
  /** To be called when the server is closed. */
  readonly release: () => void
}

/**
 * In the user's folder for such things, which no copy of a workspace brings along; in the journal's own where there is none. `left`: of a writer that was
 * killed. Null where neither takes sockets.
 */
export async function listen(
  server: net.Server,
  directory: string,
  term: number,
  left: string | null = null,
): Promise<Endpoint | null> {
  if (WINDOWS) {
    const pipe = `\\\\.\\pipe\\write-journal-${randomBytes(12).toString('hex')}`
    await bound(server, pipe)
    return { socket: pipe, release: () => undefined }
  }
  removeStale(directory)
  for (const folder of runtimeFolders()) {
    if (left !== null && path.dirname(left) === folder && left.endsWith('.sock')) await removeLeft(left)
    const socket = path.join(folder, `${randomBytes(12).toString('hex')}.sock`)
    if (Buffer.byteLength(socket) > MAX_PATH) continue
    if (await took(server, socket, socket)) return { socket, release: () => fs.rmSync(socket, { force: true }) }
  }
  const name = `writer-${term}.sock`
  // Kept open: the server removes its socket by the name that it was given.
  const folder = fs.openSync(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  const address = reach(directory, name, folder)
  if (address !== null && (await took(server, address, path.join(directory, name)))) {
    return {
      socket: name,
      release: () => {
        fs.closeSync(folder)
        fs.rmSync(path.join(directory, name), { force: true })
      },
    }
  }
  fs.closeSync(folder)
  return null
}

/** False where the file system has no sockets. */
async function took(server: net.Server, address: string, file: string): Promise<boolean> {
  try {
    await bound(server, address)
    fs.chmodSync(file, 0o600)
    return true
  } catch (error) {
    if (hasSystemCode(error, 'EOPNOTSUPP', 'ENOTSUP', 'EPERM', 'EACCES', 'EROFS', 'EINVAL', 'ENOSYS', 'ENOSPC'))
      return false
    throw error
  }
}

/** Connects to what `listen` called so. Rejects with a system error. */
export async function connect(directory: string, socket: string): Promise<net.Socket> {
  if (socket.includes('/') || socket.includes('\\')) return connected(socket)
  const folder = fs.openSync(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  try {
    return await connected(reach(directory, socket, folder) ?? path.join(directory, socket))
  } finally {
    fs.closeSync(folder)
  }
}

/** A socket's path may have a hundred bytes, a workspace's many more: then it is reached through the open folder. Null where that cannot be. */
function reach(directory: string, name: string, folder: number): string | null {
  const whole = path.join(directory, name)
  if (Buffer.byteLength(whole) <= MAX_PATH) return whole
  if (process.platform === 'linux') return `/proc/self/fd/${folder}/${name}`
  const relative = path.relative(process.cwd(), whole)
  return Buffer.byteLength(relative) <= MAX_PATH ? relative : null
}

function bound(server: net.Server, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(address, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function connected(address: string): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(address)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      resolve(socket)
    })
  })
}

/** A copy of a workspace names the socket of the writer that the original has: whose somebody listens to stays. */
async function removeLeft(socket: string): Promise<void> {
  try {
    const answering = await connected(socket)
    answering.destroy()
  } catch (error) {
    if (hasSystemCode(error, 'ECONNREFUSED')) fs.rmSync(socket, { force: true })
  }
}

/** What writers that were killed have left. Nobody is there any more: the caller holds the writer's lock. */
function removeStale(directory: string): void {
  for (const name of fs.readdirSync(directory)) {
    if (/^writer-\d+\.sock$/.test(name)) fs.rmSync(path.join(directory, name), { force: true })
  }
}

/** Folders of this user that nobody else may look into, the best first. */
function runtimeFolders(): string[] {
  const { XDG_RUNTIME_DIR: runtime } = process.env
  const user = process.getuid?.() ?? 0
  const wanted = [
    ...(runtime !== undefined && path.isAbsolute(runtime) ? [path.join(runtime, 'write-journal')] : []),
    path.join(os.tmpdir(), `write-journal-${user}`),
  ]
  return wanted.filter((folder) => isOwn(folder, user))
}

/** Makes it when it is missing. False when somebody else has taken its name. */
function isOwn(folder: string, user: number): boolean {
  try {
    fs.mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if (!hasSystemCode(error, 'EEXIST')) return false
  }
  const stat = fs.lstatSync(folder, { throwIfNoEntry: false })
  return stat?.isDirectory() === true && stat.uid === user && (stat.mode & 0o077) === 0
}
