import { expect } from 'vitest'
import type { OpenDatabase } from '../../src/history/index-database.ts'
import { openMemory } from '../../src/history/index-database.ts'
import { type ErrorCode, type Journal, JournalError, type OpenOptions, openJournal } from '../../src/index.ts'
import { SimDisk, type SimOptions, type Tree } from '../sim/sim-disk.ts'
import { differences } from '../sim/tree.ts'

/** Where the workspace stands on a simulated disk. */
export const ROOT = '/ws'

/** A simulated disk with an empty workspace on it. */
export function newDisk(options: Partial<SimOptions> = {}): SimDisk {
  const disk = SimDisk.create(options)
  disk.mkdirp(ROOT)
  return disk
}

const openDatabase: OpenDatabase = () => openMemory()

export function openOn(disk: SimDisk, options: OpenOptions = {}): Promise<Journal> {
  return openJournal(ROOT, { disk, openDatabase, ...options })
}

/** The workspace without its journal. */
export function workspace(disk: SimDisk): Tree {
  return disk.tree(ROOT, ['.journal'])
}

/** Everything of the journal that is history: log and blobs. */
export function history(disk: SimDisk): Tree {
  return disk.tree(`${ROOT}/.journal`, ['LOCK', 'WORKSPACE', 'CHECKPOINT', 'index', 'staging'])
}

/** Names left in `staging`, once what is removed in the background is gone. */
export async function staged(disk: SimDisk): Promise<string[]> {
  for (let turn = 0; turn < 100; turn += 1) {
    if (disk.tree(`${ROOT}/.journal/staging`).size === 0) break
    await new Promise((resolve) => setImmediate(resolve))
  }
  return [...disk.tree(`${ROOT}/.journal/staging`).keys()]
}

/** What was thrown, which must be a typed error with a hint. */
export async function failure(action: () => unknown): Promise<JournalError> {
  try {
    await action()
  } catch (error) {
    expect(error, `an untyped error: ${String((error as Error).stack)}`).toBeInstanceOf(JournalError)
    const typed = error as JournalError
    expect(typed.hint.length).toBeGreaterThan(0)
    expect(typed.message.length).toBeGreaterThan(0)
    return typed
  }
  throw new Error('nothing was thrown')
}

/** The action fails with `code`, and neither the workspace nor the history is any different for it. */
export async function refused(disk: SimDisk, code: ErrorCode, action: () => unknown): Promise<JournalError> {
  const tree = workspace(disk)
  const log = history(disk)
  const waiting = disk.exists(`${ROOT}/.journal/staging`) ? await staged(disk) : []
  const error = await failure(action)
  expect(error.code, error.message).toBe(code)
  expect(differences(tree, workspace(disk))).toEqual([])
  expect(differences(log, history(disk))).toEqual([])
  if (disk.exists(`${ROOT}/.journal/staging`)) expect(await staged(disk)).toEqual(waiting)
  return error
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
