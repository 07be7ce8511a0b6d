import { open, readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { isJournalName } from '../../entry/path.ts'
import type { State } from '../../entry/state.ts'
import { hasSystemCode } from '../../errors.ts'
import { systemError } from './system-error.ts'

export interface FolderEntry {
  readonly name: string
  readonly isDirectory: boolean
}

export interface FileFacts {
  readonly size: number
  readonly created: Date
  readonly modified: Date
  readonly accessed: Date
  readonly isDirectory: boolean
  readonly isFile: boolean
  /** Permission bits, three octal digits. */
  readonly permissions: string
}

const CHUNK = 64 * 1024

/** Files as a client sees them: what is on disk, under what its open transaction changes. Journals are not shown. Paths are absolute, without links. */
export class FileView {
  readonly #changes: ReadonlyMap<string, State>
  readonly #readThrough: ((path: string) => Promise<Uint8Array>) | null
  #below: Map<string, string[]> | null = null

  /** `readThrough` reads in the transaction, so that its commit fails when somebody else changes what was read. */
  constructor(
    changes: ReadonlyMap<string, State> = new Map(),
    readThrough: ((path: string) => Promise<Uint8Array>) | null = null,
  ) {
    this.#changes = changes
    this.#readThrough = readThrough
  }

  async facts(path: string): Promise<FileFacts> {
    const state = this.#changes.get(path)
    if (state === null) throw systemError('ENOENT', 'stat', path)
    const found = await stat(path).catch((error: unknown) => {
      if (state === undefined) throw error
      return null
    })
    const now = new Date()
    const times = {
      created: found?.birthtime ?? now,
      modified: state === undefined ? (found?.mtime ?? now) : now,
      accessed: found?.atime ?? now,
    }
    if (state === undefined || state.kind === 'symlink') {
      if (found === null) throw systemError('ENOENT', 'stat', path)
      const { size, mode } = found
      const kind = { isDirectory: found.isDirectory(), isFile: found.isFile() }
      return { size, ...times, ...kind, permissions: mode.toString(8).slice(-3) }
    }
    const size = state.kind === 'file' ? state.size : (found?.size ?? 0)
    const kind = { isDirectory: state.kind === 'dir', isFile: state.kind === 'file' }
    return { size, ...times, ...kind, permissions: state.mode.toString(8).padStart(3, '0').slice(-3) }
  }

  /** What stands at a path: null for nothing. */
  async kind(path: string): Promise<'file' | 'dir' | 'other' | null> {
    try {
      const { isDirectory, isFile } = await this.facts(path)
      return isDirectory ? 'dir' : isFile ? 'file' : 'other'
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT')) return null
      throw error
    }
  }

  async entries(folder: string): Promise<FolderEntry[]> {
    const state = this.#changes.get(folder)
    if (state === null) throw systemError('ENOENT', 'scandir', folder)
    if (state?.kind === 'file') throw systemError('ENOTDIR', 'scandir', folder)
    const found = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
      if (state === undefined) throw error
      return []
    })
    const entries = new Map(found.map((entry) => [entry.name, entry.isDirectory()]))
    for (const path of this.#changedBelow(folder)) {
      const changed = this.#changes.get(path)
      if (changed === null) entries.delete(basename(path))
      else entries.set(basename(path), changed?.kind === 'dir')
    }
    return [...entries].filter(([name]) => !isJournalName(name)).map(([name, isDirectory]) => ({ name, isDirectory }))
  }

  async read(path: string): Promise<Buffer> {
    const state = this.#changes.get(path)
    if (state === null) throw systemError('ENOENT', 'open', path)
    if (state?.kind === 'dir') throw systemError('EISDIR', 'read')
    await this.#checkReadable(path)
    return this.#readThrough === null ? readFile(path) : Buffer.from(await this.#readThrough(path))
  }

  /** A pipe would keep whoever reads it waiting. @throws Error in the words of the system */
  async #checkReadable(path: string): Promise<void> {
    const kind = await this.kind(path)
    if (kind === 'file') return
    if (kind === 'dir') throw systemError('EISDIR', 'read')
    throw systemError(kind === null ? 'ENOENT' : 'EINVAL', 'open', path)
  }

  /** The first lines; of a large file no more is read than that. */
  async head(path: string, count: number): Promise<string> {
    const source = await this.#source(path)
    try {
      const decoder = new StringDecoder('utf-8')
      const lines: string[] = []
      let rest = ''
      for (let at = 0; lines.length < count; ) {
        const bytes = await source.read(at, CHUNK)
        if (bytes.byteLength === 0) break
        at += bytes.byteLength
        const parts = (rest + decoder.write(bytes)).split('\n')
        rest = parts.pop() as string
        lines.push(...parts.slice(0, Math.ceil(count - lines.length)))
      }
      rest += decoder.end()
      if (rest !== '' && lines.length < count) lines.push(rest)
      return lines.join('\n')
    } finally {
      await source.close()
    }
  }

  /** The last lines, with LF. */
  async tail(path: string, count: number): Promise<string> {
    await this.facts(path)
    const source = await this.#source(path)
    try {
      const chunks: Buffer[] = []
      let found = 0
      for (let at = source.size; at > 0 && found < count; ) {
        const from = Math.max(0, at - CHUNK)
        const bytes = await source.read(from, at - from)
        if (bytes.byteLength === 0) break
        at = from
        chunks.unshift(bytes)
        for (let next = bytes.indexOf(10); next >= 0; next = bytes.indexOf(10, next + 1)) found += 1
      }
      const lines = Buffer.concat(chunks).toString('utf-8').replaceAll('\r\n', '\n').split('\n')
      return lines.slice(-count).join('\n')
    } finally {
      await source.close()
    }
  }

  async #source(path: string) {
    if (this.#readThrough !== null) {
      const bytes = await this.read(path)
      const read = async (at: number, length: number) => bytes.subarray(at, at + length)
      return { size: bytes.byteLength, read, close: async () => {} }
    }
    await this.#checkReadable(path)
    const handle = await open(path, 'r')
    const read = async (at: number, length: number) => {
      const buffer = Buffer.allocUnsafe(length)
      const { bytesRead } = await handle.read(buffer, 0, length, at)
      return buffer.subarray(0, bytesRead)
    }
    return { size: (await handle.stat()).size, read, close: () => handle.close() }
  }

  #changedBelow(folder: string): readonly string[] {
    if (this.#below === null) {
      this.#below = new Map()
      for (const path of this.#changes.keys()) {
        const parent = dirname(path)
        const known = this.#below.get(parent)
        if (known === undefined) this.#below.set(parent, [path])
        else known.push(path)
      }
    }
    return this.#below.get(folder) ?? []
  }
}
