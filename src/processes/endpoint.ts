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

/** Null where the file system has no sockets, and there is no other place for one. */
export async function listen(server: net.Server, directory: string, term: number): Promise<Endpoint | null> {
  if (WINDOWS) {
    const pipe = `\\\\.\\pipe\\write-journal-${randomBytes(12).toString('hex')}`
    await bound(server, pipe)
    return { socket: pipe, release: () => undefined }
  }
  const name = `writer-${term}.sock`
  removeStale(directory)
  // Kept open: the server removes its socket by the name that it was given.
  const folder = fs.openSync(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  try {
    await bound(server, reach(directory, name, folder))
    fs.chmodSync(path.join(directory, name), 0o600)
    return {
      socket: name,
      release: () => {
        fs.closeSync(folder)
        fs.rmSync(path.join(directory, name), { force: true })
      },
    }
  } catch (error) {
    fs.closeSync(folder)
    if (!hasSystemCode(error, 'EOPNOTSUPP', 'ENOTSUP', 'EPERM', 'EACCES', 'EINVAL', 'ENAMETOOLONG', 'ENOSYS'))
      throw error
  }
  const elsewhere = ownFolder()
  if (elsewhere === null) return null
  const far = path.join(elsewhere, `${randomBytes(12).toString('hex')}.sock`)
  if (Buffer.byteLength(far) > MAX_PATH) return null
  await bound(server, far)
  fs.chmodSync(far, 0o600)
  return { socket: far, release: () => fs.rmSync(far, { force: true }) }
}

/** Connects to what `listen` called so. Rejects with a system error. */
export async function connect(directory: string, socket: string): Promise<net.Socket> {
  if (socket.includes('/') || socket.includes('\\')) return connected(socket)
  const folder = fs.openSync(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  try {
    return await connected(reach(directory, socket, folder))
  } finally {
    fs.closeSync(folder)
  }
}

/** A socket's path may have a hundred bytes, a workspace's many more: then it is reached through the open folder. */
function reach(directory: string, name: string, folder: number): string {
  const whole = path.join(directory, name)
  if (Buffer.byteLength(whole) <= MAX_PATH) return whole
  if (process.platform === 'linux') return `/proc/self/fd/${folder}/${name}`
  const relative = path.relative(process.cwd(), whole)
  if (Buffer.byteLength(relative) <= MAX_PATH) return relative
  throw Object.assign(new Error('ENAMETOOLONG: the path of a socket'), { code: 'ENAMETOOLONG' })
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

/** What writers that were killed have left. Nobody is there any more: the caller holds the writer's lock. */
function removeStale(directory: string): void {
  for (const name of fs.readdirSync(directory)) {
    if (/^writer-\d+\.sock$/.test(name)) fs.rmSync(path.join(directory, name), { force: true })
  }
}

/** A folder for temporary files that nobody else may look into; null when somebody else has taken its name. */
function ownFolder(): string | null {
  const folder = path.join(os.tmpdir(), `write-journal-${process.getuid?.() ?? 0}`)
  try {
    fs.mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if (!hasSystemCode(error, 'EEXIST')) return null
  }
  const stat = fs.lstatSync(folder)
  const mine = stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0
  return mine ? folder : null
}
