import { readdir } from 'node:fs/promises'
import os from 'node:os'
import { join } from 'node:path'
import type { AbstractLevel } from 'abstract-level'

export type IndexDatabase = AbstractLevel<string | Buffer | Uint8Array, string, Uint8Array>

/** Opens the database in a folder. */
export type OpenDatabase = (location: string) => Promise<IndexDatabase>

const ENCODING = { keyEncoding: 'utf8', valueEncoding: 'view' } as const

/** LevelDB on the real file system. Loaded on first use: it costs as much as half of Node's start. */
export async function openLevel(location: string): Promise<IndexDatabase> {
  const { Level } = await import('level')
  // The database writes through a symbolic link that has the name of one of its files; the index can be made again.
  const names = await readdir(location, { withFileTypes: true }).catch(() => [])
  if (names.some((entry) => !entry.isFile())) await removeDatabase(location)
  const database = new Level<string, Uint8Array>(location, ENCODING)
  await database.open()
  return database as unknown as IndexDatabase
}

/** The database's folder, with all in it. */
export async function removeDatabase(location: string): Promise<void> {
  const { default: fs } = await import('fs-extra')
  await fs.remove(location)
}

/** A database in memory: for simulated disks, and where no file can be written at all. */
export async function openMemory(): Promise<IndexDatabase> {
  const { MemoryLevel } = await import('memory-level')
  const database = new MemoryLevel<string, Uint8Array>({ ...ENCODING, storeEncoding: 'buffer' })
  await database.open()
  return database as unknown as IndexDatabase
}

const SCRATCH = 'write-journal-index-'
const FRESH_MS = 60_000

/**
 * LevelDB in a folder of its own among the temporary files, for a process that cannot have the index itself; closing it removes the folder.
 * In memory it would take as much as the whole history needs.
 */
export async function openScratch(): Promise<IndexDatabase> {
  const [{ Level }, { default: fs }] = await Promise.all([import('level'), import('fs-extra')])
  const { destroy } = Level as unknown as { destroy: (location: string) => Promise<void> }
  const parent = os.tmpdir()
  for (const name of await fs.readdir(parent)) {
    if (!name.startsWith(SCRATCH)) continue
    const stat = await fs.lstat(join(parent, name)).catch(() => null)
    // Others may write here, too: nothing is followed, and only what is ours is removed.
    if (stat?.isDirectory() !== true || stat.uid !== (process.getuid?.() ?? stat.uid)) continue
    // One that was made just now may not be locked yet.
    if (Date.now() - stat.mtimeMs < FRESH_MS) continue
    // What a killed process left; one that is in use is locked, and stays.
    await destroy(join(parent, name)).catch(() => undefined)
  }
  const location = await fs.mkdtemp(join(parent, SCRATCH))
  class Scratch extends Level<string, Uint8Array> {
    override async close(): Promise<void> {
      await super.close()
      await fs.remove(location)
    }
  }
  const database = new Scratch(location, ENCODING)
  try {
    await database.open()
  } catch (error) {
    await fs.remove(location).catch(() => undefined)
    throw error
  }
  return database as unknown as IndexDatabase
}
