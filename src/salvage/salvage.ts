/**
 * Makes a sound journal of a damaged one. In this order; a crash behind any step is as the table says.
 *
 * | step | a crash behind it leaves | the next salvage |
 * | --- | --- | --- |
 * | 1. copies of all that will be changed go to `broken/`, with what is lost | the damage, untouched | begins anew |
 * | 2. `SALVAGE` is written | the damage; nobody writes any more | goes on; the copies stay |
 * | 3. contents that the workspace still has become blobs; damaged blobs go to `broken/` | less damage | finds less missing |
 * | 4. `FORMAT` says version 2, `CHECKPOINT` goes | the damage | as before |
 * | 5. surplus segments go, the last first; each damaged one is replaced as a whole | some damages have become gaps | takes gaps for sound |
 * | 6. `CHECKPOINT` names the new end, the index goes | a sound journal, and `SALVAGE` | finds nothing to do |
 * | 7. `SALVAGE` goes | a sound journal | |
 *
 * No file of the workspace is touched: the last frame is a checkpoint, so the next writer finds nothing in flight.
 */
import type { Disk } from '../disk/disk.ts'
import { createFile, readSmallFile } from '../disk/file.ts'
import type { Head } from '../entry/chain.ts'
import { encodeCheckpoint, encodeGap, headBehind } from '../entry/control.ts'
import { asJournalError } from '../errors.ts'
import { HistoryIndex } from '../history/history-index.ts'
import type { OpenDatabase } from '../history/index-database.ts'
import { type FrameKind, frameSize } from '../log/frame.ts'
import { encodeFrame } from '../log/frame-encoder.ts'
import { offsetOf, type Position, segmentOf } from '../log/position.ts'
import { writeHint } from '../store/checkpoint-hint.ts'
import { completeLayout, readJson, replaceJson, SALVAGED_VERSION } from '../store/layout.ts'
import { checkBelonging, locateRoot, noJournal, openStore, type Store } from '../store/opening.ts'
import { WriterLock } from '../store/writer-lock.ts'
import { identify } from './identity.ts'
import { planSalvage, type SalvagePlan } from './plan.ts'
import type { LostVersion, SalvageReport } from './report.ts'

export interface SalvageOptions {
  readonly disk: Disk
  readonly openDatabase?: OpenDatabase | undefined
  /** Only say what would be done. */
  readonly dryRun?: boolean
}

/** Behind the name of what is kept: what there is to say about it. */
const REPORT = '-report.json'
/** Hashes in the record of one gap. */
const CONTENTS_A_GAP = 65_536

/**
 * Saves what can be saved of a damaged journal. Everything that is changed is kept as it was in `.journal/broken`; the workspace is left alone.
 * @throws JournalError `CORRUPT` when nothing can be saved (nothing was changed), `LOCKED`, `NOT_FOUND`, `FOREIGN`, `NEWER_FORMAT`
 */
export async function salvage(root: string, options: SalvageOptions): Promise<SalvageReport> {
  const { disk } = options
  const layout = locateRoot(disk, root)
  try {
    checkBelonging(disk, layout)
    const found = identify(disk, layout)
    if (found === null) throw noJournal(layout)
    const store = openStore(disk, layout, found.format)
    const lock = options.dryRun === true ? null : await WriterLock.acquire(disk, layout)
    lock?.announceAlone()
    const { reader, contents } = store
    const source = {
      disk,
      root: layout.root,
      directory: layout.directory,
      journalId: found.format.journal,
      reader,
      contents,
    }
    const { openDatabase } = options
    const index = new HistoryIndex(source, openDatabase === undefined ? {} : { openDatabase })
    try {
      const plan = await planSalvage(store, index)
      if (options.dryRun !== true) return await new Salvage(store, plan, found.damaged).run()
      const before = interrupted(store)
      const report = reportOf(plan, found.damaged, before?.kept ?? 'broken/salvage')
      return before === null ? report : merged(before.report, { ...report, kept: before.kept })
    } finally {
      await index.close()
      lock?.release()
    }
  } catch (error) {
    throw asJournalError(error, 'salvaging the journal', layout.root)
  }
}

function reportOf(plan: SalvagePlan, formatDamaged: boolean, kept: string): SalvageReport {
  const restorable = new Set(plan.restorable)
  return {
    salvaged: plan.survey.transactions,
    lost: plan.lost,
    versions: plan.missing.filter((version) => !restorable.has(version)),
    restored: plan.restorable,
    kept: plan.idle && !formatDamaged ? null : kept,
  }
}

class Salvage {
  readonly #store: Store
  readonly #plan: SalvagePlan
  readonly #formatDamaged: boolean
  /** Beginning of the names of what is kept. */
  #prefix = ''

  constructor(store: Store, plan: SalvagePlan, formatDamaged: boolean) {
    this.#store = store
    this.#plan = plan
    this.#formatDamaged = formatDamaged
  }

  async run(): Promise<SalvageReport> {
    const { disk, layout } = this.#store
    const before = interrupted(this.#store)
    const kept = before?.kept ?? `broken/salvage-${disk.now()}`
    const own = reportOf(this.#plan, this.#formatDamaged, kept)
    if (own.kept === null && before === null) return own
    this.#prefix = `${layout.directory}/${kept}`
    // What an interrupted one lost is lost.
    const report = merged(before?.report, { ...own, kept })
    completeLayout(disk, layout)
    await this.#keep(report)
    await replaceJson(disk, layout.salvage, { kept }, true)
    const restored = new Set(await this.#mendBlobs())
    await this.#replaceFormat()
    await this.#dropSurplus()
    const lost = this.#plan.missing.filter((version) => !restored.has(version)).map(({ hash }) => hash)
    const checkpoint = await this.#replaceSegments(lost)
    await writeHint(disk, layout, this.#store.format.journal, checkpoint)
    removeAll(disk, layout.index)
    disk.unlink(layout.salvage)
    await disk.syncDirectory(layout.directory)
    return report
  }

  /** Copies of what will be changed, durable, and what there is to say about it. */
  async #keep(report: SalvageReport): Promise<void> {
    const { disk, layout, segments } = this.#store
    const { surplus, patches, survey } = this.#plan
    const affected = new Set([...surplus, ...patches.map(({ region }) => region.segment), segmentOf(survey.end)])
    const files = [...affected].filter((segment) => segments.exists(segment)).map((segment) => segments.path(segment))
    for (const file of [...files, layout.checkpoint, layout.format]) {
      const copy = this.#keptName(file)
      // The first copy is the one that nothing had touched.
      if (disk.lstat(file)?.kind !== 'file' || disk.lstat(copy) !== null) continue
      await copyFile(disk, file, copy)
    }
    await replaceJson(disk, `${this.#prefix}${REPORT}`, report, true)
  }

  #keptName(file: string): string {
    return `${this.#prefix}-${file.slice(this.#store.layout.directory.length + 1).replaceAll('/', '-')}`
  }

  /** Returns what the workspace gave back. */
  async #mendBlobs(): Promise<LostVersion[]> {
    const { disk, layout, contents } = this.#store
    const wrong = this.#plan.wrongBlobs.map((hash) => contents.blobs.path(hash))
    const moved = wrong.filter((path) => disk.lstat(path) !== null)
    for (const path of moved) this.#keepFile(path)
    // The new name first: a power cut must not take both.
    await disk.syncDirectory(layout.broken)
    for (const folder of new Set(moved.map((path) => path.slice(0, path.lastIndexOf('/'))))) {
      await disk.syncDirectory(folder)
    }
    const restored: LostVersion[] = []
    for (const version of this.#plan.restorable) {
      const copy = `${layout.directory}/SALVAGED.new`
      if (disk.lstat(copy) !== null) disk.unlink(copy)
      disk.clone(`${layout.root}/${version.path}`, copy, 0o600)
      if (await contents.blobs.adopt(version.hash, copy)) restored.push(version)
      else disk.unlink(copy)
    }
    return restored
  }

  /** Takes a file away to `broken`. */
  #keepFile(path: string): void {
    const { disk } = this.#store
    const kept = this.#keptName(path)
    // A power cut may leave both names, and to rename one to the other does nothing then.
    if (disk.lstat(kept)?.ino === disk.lstat(path)?.ino) disk.unlink(path)
    else disk.rename(path, kept)
  }

  async #replaceFormat(): Promise<void> {
    const { disk, layout, format } = this.#store
    await this.#moveAside(layout.format)
    await replaceJson(disk, layout.format, { ...format, version: Math.max(format.version, SALVAGED_VERSION) }, true)
    await this.#moveAside(layout.checkpoint)
    if (disk.lstat(layout.checkpoint) !== null) disk.unlink(layout.checkpoint)
    await disk.syncDirectory(layout.directory)
  }

  /** What is no file is in the way, and is kept too. */
  async #moveAside(path: string): Promise<void> {
    const { disk, layout } = this.#store
    const kind = disk.lstat(path)?.kind
    if (kind === undefined || kind === 'file') return
    disk.rename(path, this.#keptName(path))
    // Before the old name is gone for good.
    await disk.syncDirectory(layout.broken)
  }

  async #dropSurplus(): Promise<void> {
    const { disk, segments } = this.#store
    for (const name of this.#plan.strays) await this.#moveAside(`${segments.directory}/${name}`)
    for (const base of this.#plan.bases) {
      this.#keepFile(base)
      // Before the old name is gone for good.
      await disk.syncDirectory(this.#store.layout.broken)
    }
    // That all these are gone is durable with the segments that are replaced next; until `SALVAGE` goes, one that comes back goes again.
    for (const segment of this.#plan.surplus) disk.unlink(segments.path(segment))
  }

  /** Returns where the new checkpoint stands. */
  async #replaceSegments(lost: readonly string[]): Promise<Position> {
    const { disk, layout, segments } = this.#store
    const { patches, survey } = this.#plan
    const last = segmentOf(survey.end)
    const { bytes: trailer, checkpoint } = this.#trailer(lost)
    const affected = new Set([...patches.map(({ region }) => region.segment), last])
    for (const segment of [...affected].sort((a, b) => a - b)) {
      const path = segments.path(segment)
      let bytes = Buffer.from((segments.exists(segment) ? readSmallFile(disk, path) : null) ?? new Uint8Array(0))
      for (const { region, bytes: patch } of patches) {
        if (region.segment !== segment) continue
        if (region.to === null) bytes = endedWith(bytes, region.from, patch)
        else bytes.set(patch, region.from)
      }
      if (segment === last) bytes = endedWith(bytes, offsetOf(survey.end), trailer)
      const spare = `${layout.directory}/SALVAGED.new`
      if (disk.lstat(spare) !== null) disk.unlink(spare)
      createFile(disk, spare, bytes, 0o600)
      await syncFile(disk, spare)
      await this.#moveAside(path)
      disk.rename(spare, path)
      await disk.syncDirectory(segments.directory)
    }
    return checkpoint
  }

  /** What stands behind the last sound frame: gaps for the lost end and lost contents, and a checkpoint. */
  #trailer(lost: readonly string[]): { readonly bytes: Uint8Array; readonly checkpoint: Position } {
    const { disk, seed } = this.#store
    const { survey, lostEnd } = this.#plan
    const { end, last, durable } = survey
    if (last === null) throw new RangeError('nothing can stand behind no frame')
    const frames: Uint8Array[] = []
    let position = end
    let sequence = last.sequence
    let head: Head = survey.head
    const add = (kind: FrameKind, payload: Uint8Array): void => {
      const bytes = new Uint8Array(frameSize(payload.byteLength))
      sequence += 1
      encodeFrame(bytes, 0, seed, { kind, term: last.term, sequence, position, durable }, payload)
      frames.push(bytes)
      position += bytes.byteLength
    }
    const { time, chain } = head
    let told = lostEnd === null ? null : { seq: lostEnd.seq, time, chain }
    for (let at = 0; at < lost.length || told !== null; at += CONTENTS_A_GAP) {
      const contents = lost.slice(at, at + CONTENTS_A_GAP)
      const record = { ...(told ?? { seq: null, time: 0, chain: null }), next: null, contents }
      add('gap', encodeGap(record) as Uint8Array)
      head = headBehind(head, record)
      told = null
    }
    const checkpoint = position
    add('checkpoint', encodeCheckpoint({ redo: checkpoint, ...head, boot: disk.bootId, clean: true }))
    return { bytes: Buffer.concat(frames), checkpoint }
  }
}

/** The last bytes of a frame's padding may be missing at the end of a file. */
function endedWith(bytes: Uint8Array, at: number, end: Uint8Array): Buffer<ArrayBuffer> {
  const whole = Buffer.alloc(at + end.byteLength)
  whole.set(bytes.subarray(0, at))
  whole.set(end, at)
  return whole
}

/** What a salvage that did not come to its end had found out; null: there was none. */
function interrupted({ disk, layout }: Store): { readonly kept: string; readonly report?: SalvageReport } | null {
  const mark = readJson(disk, layout.salvage) as { kept?: unknown } | null | undefined
  if (mark === null) return null
  const { kept } = mark ?? {}
  if (typeof kept !== 'string' || !/^broken\/salvage-\d+$/.test(kept)) return { kept: `broken/salvage-${disk.now()}` }
  // It was durable before the marker, and may be as long as the history.
  const bytes = readSmallFile(disk, `${layout.directory}/${kept}${REPORT}`)
  return bytes === null ? { kept } : { kept, report: JSON.parse(Buffer.from(bytes).toString('utf8')) as SalvageReport }
}

function merged(before: SalvageReport | undefined, now: SalvageReport): SalvageReport {
  if (before === undefined || !Array.isArray(before.lost)) return now
  const seqs = new Set(before.lost.map(({ seq }) => seq))
  const hashes = new Set([...before.versions, ...before.restored].map(({ hash }) => hash))
  return {
    ...now,
    lost: [...before.lost, ...now.lost.filter(({ seq }) => !seqs.has(seq))],
    versions: [...before.versions, ...now.versions.filter(({ hash }) => !hashes.has(hash))],
    restored: [...before.restored, ...now.restored.filter(({ hash }) => !hashes.has(hash))],
  }
}

async function syncFile(disk: Disk, path: string): Promise<void> {
  const handle = disk.open(path, 'write')
  await disk.sync(handle).finally(() => disk.close(handle))
}

/** Under a spare name first: a copy that has its name is whole. */
async function copyFile(disk: Disk, from: string, to: string): Promise<void> {
  const spare = `${to}.new`
  if (disk.lstat(spare) !== null) disk.unlink(spare)
  disk.clone(from, spare, 0o600)
  await syncFile(disk, spare)
  disk.rename(spare, to)
}

function removeAll(disk: Disk, path: string): void {
  const kind = disk.lstat(path)?.kind
  if (kind === undefined) return
  if (kind !== 'dir') {
    disk.unlink(path)
    return
  }
  for (const { name } of disk.readDirectory(path)) removeAll(disk, `${path}/${name}`)
  disk.removeDirectory(path)
}

export type { LostVersion, SalvageReport } from './report.ts'
