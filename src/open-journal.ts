import { EventEmitter } from 'node:events'
import { checked, OPEN } from './arguments.ts'
import type { Disk } from './disk/disk.ts'
import { withoutExchange } from './disk/legacy-disk.ts'
import { NodeDisk } from './disk/node-disk.ts'
import { JournalError } from './errors.ts'
import type { HistoryIndex } from './history/history-index.ts'
import { Journal } from './journal.ts'
import { openIndex } from './open-index.ts'
import type { OpenOptions } from './options.ts'
import type { RecoveryReport } from './recovery/report.ts'
import { type SalvageReport, salvage } from './salvage/salvage.ts'
import { LOCK_TIMEOUT_MS, Seat, type SeatSite } from './seat.ts'
import {
  bindWorkspace,
  createLayout,
  type Layout,
  makeJournalFolder,
  readFormat,
  settleLayout,
} from './store/layout.ts'
import { asOpeningError, checkBelonging, locateRoot, noJournal, openStore } from './store/opening.ts'
import { WriterLock } from './store/writer-lock.ts'
import { teamConfig } from './team/config-file.ts'

/** Setting it to anything but `0` or nothing turns every optimization off. */
const LEGACY_VARIABLE = 'WRITE_JOURNAL_LEGACY'

/**
 * Opens the journal of a folder: makes it where there is none, recovers what a crash left in flight.
 * @throws JournalError `NOT_FOUND`, `LOCKED` with the holder's process id, `CORRUPT`, `NEEDS_RECOVERY`, `FOREIGN`, `NEWER_FORMAT`, …
 */
export async function openJournal(root: string, options: OpenOptions = {}): Promise<Journal> {
  checked('the options', options, OPEN)
  if (options.validation !== undefined) (await import('./safety/validation/options.ts')).settled(options.validation)
  const legacy = options.legacy ?? !['', '0'].includes(process.env[LEGACY_VARIABLE] ?? '')
  const settings = { ...options, legacy }
  const base = options.disk ?? new NodeDisk()
  const disk = legacy ? withoutExchange(base) : base
  const layout = locateRoot(disk, root)
  try {
    if (options.readOnly === true) {
      const store = openStore(disk, layout)
      const none = { agents: options.agents ?? {}, option: options.agents, stamp: null }
      return new Journal(store, openIndex(store, settings), null, settings, new EventEmitter(), none)
    }
    const config = await teamConfig(disk, layout.config, options.agents)
    const made = readFormat(disk, layout) !== null
    if (!made && options.create === false) throw noJournal(layout)
    if (made && options.rebind !== true) checkBelonging(disk, layout)
    const shared = options.shared ?? base instanceof NodeDisk
    const lock = await makeReady(disk, layout, options, shared)
    const events = new EventEmitter()
    let seat: Seat | null = null
    let index: HistoryIndex
    try {
      const store = openStore(disk, layout)
      if (legacy) store.contents.dense = false
      index = openIndex(store, settings, () => seat?.writer ?? null)
      seat = await Seat.take({ store, index, options: settings, shared, events: eventsOf(events) }, lock).catch(
        async (error: unknown) => {
          await index.close()
          throw error
        },
      )
      return new Journal(store, index, seat, settings, events, config)
    } catch (error) {
      lock?.release()
      throw error
    }
  } catch (error) {
    throw asOpeningError(error, layout)
  }
}

/**
 * Makes the journal where there is none, and binds it to the folder where it must be; null when another process has it open, so it needs nothing.
 * @throws JournalError `LOCKED` when that process does not share it
 */
async function makeReady(
  disk: Disk,
  layout: Layout,
  options: OpenOptions,
  shared: boolean,
): Promise<WriterLock | null> {
  const fresh = disk.lstat(layout.directory) === null && makeJournalFolder(disk, layout)
  const patience = options.lockTimeoutMs ?? LOCK_TIMEOUT_MS
  const lock = await lockOrWriter(disk, layout, shared && options.rebind !== true, patience)
  if (lock === null) return null
  try {
    if (readFormat(disk, layout) === null) await createLayout(disk, layout, fresh)
    else {
      if (options.rebind === true || checkBelonging(disk, layout) === 'moved') await bindWorkspace(disk, layout)
      await settleLayout(disk, layout)
    }
    return lock
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Null when somebody else is, or is about to be, the writer of a journal that is there. */
async function lockOrWriter(
  disk: Disk,
  layout: Layout,
  shared: boolean,
  patienceMs: number,
): Promise<WriterLock | null> {
  if (!shared) return WriterLock.acquire(disk, layout)
  const deadline = performance.now() + patienceMs
  for (;;) {
    const lock = WriterLock.attempt(disk, layout)
    if (lock !== null) return lock
    if (readFormat(disk, layout) !== null) return null
    // Somebody is just making it, or was stopped while doing so. Nobody knows who: the lock is not signed before the journal is there.
    if (performance.now() > deadline) {
      throw new JournalError('LOCKED', `the journal in ${layout.directory} is being made by another process`, {
        hint: 'Look whether a process that was about to make it is stopped or hangs, and end it.',
        path: layout.lock,
      })
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function eventsOf(events: EventEmitter): SeatSite['events'] {
  return {
    onConflict: (tx, path) => events.emit('conflict', { tx, path }, { local: true }),
    onRetention: (dropped, error) => events.emit('retention', { dropped, error }),
    onTakeover: (report) => events.emit('recovered', report),
  }
}

/**
 * What opening `root` would find and do, without doing anything.
 * @throws JournalError as `openJournal` does
 */
export async function planRecovery(
  root: string,
  options: Pick<OpenOptions, 'recover' | 'disk' | 'onProgress'> = {},
): Promise<RecoveryReport> {
  checked('the options', options)
  const journal = await openJournal(root, { ...options, readOnly: true })
  try {
    return await journal.planRecovery(options.recover === 'revert' ? 'revert' : 'replay')
  } finally {
    await journal.close()
  }
}

/**
 * Saves what can be saved of a damaged journal: what was damaged is kept in `.journal/broken`, what cannot be read any more leaves a gap in the
 * history. The workspace is left alone. Nobody may have the journal open for writing.
 * @throws JournalError `CORRUPT` when nothing can be saved (nothing was changed); `LOCKED`, `NOT_FOUND`, `FOREIGN`, `NEWER_FORMAT`
 */
export function salvageJournal(
  root: string,
  options: Pick<OpenOptions, 'disk' | 'openDatabase'> & { readonly dryRun?: boolean } = {},
): Promise<SalvageReport> {
  return salvage(root, { ...options, disk: options.disk ?? new NodeDisk() })
}
