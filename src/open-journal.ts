import { EventEmitter } from 'node:events'
import { checked, OPEN } from './arguments.ts'
import { withoutExchange } from './disk/legacy-disk.ts'
import { NodeDisk } from './disk/node-disk.ts'
import { Journal } from './journal.ts'
import { openIndex } from './open-index.ts'
import type { OpenOptions } from './options.ts'
import type { RecoveryReport } from './recovery/report.ts'
import { type SalvageReport, salvage } from './salvage/salvage.ts'
import { bindWorkspace, createLayout, readFormat, settleLayout } from './store/layout.ts'
import { asOpeningError, checkBelonging, locateRoot, noJournal, openStore } from './store/opening.ts'
import { WriterLock } from './store/writer-lock.ts'
import { teamConfig } from './team/config-file.ts'
import { Writer } from './writer.ts'

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
    const fresh = disk.lstat(layout.directory) === null
    if (fresh) disk.makeDirectory(layout.directory, 0o700)
    const lock = await WriterLock.acquire(disk, layout.lock)
    try {
      if (readFormat(disk, layout) === null) await createLayout(disk, layout, fresh)
      else {
        if (options.rebind === true || checkBelonging(disk, layout) === 'moved') await bindWorkspace(disk, layout)
        if (disk.lstat(layout.log) === null || disk.readDirectory(layout.log).length === 0)
          await settleLayout(disk, layout)
      }
      const store = openStore(disk, layout)
      if (legacy) store.contents.dense = false
      const events = new EventEmitter()
      let writer: Writer | null = null
      const index = openIndex(store, settings, () => writer)
      writer = await Writer.open(store, index, lock, settings, {
        onConflict: (tx, path) => events.emit('conflict', { tx, path }),
        onRetention: (dropped, error) => events.emit('retention', { dropped, error }),
      }).catch(async (error: unknown) => {
        await index.close()
        throw error
      })
      return new Journal(store, index, writer, settings, events, config)
    } catch (error) {
      lock.release()
      throw error
    }
  } catch (error) {
    throw asOpeningError(error, layout)
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
