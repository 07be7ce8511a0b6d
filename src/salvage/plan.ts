import type { FileState } from '../entry/state.ts'
import { JournalError } from '../errors.ts'
import { ContentCensus } from '../history/content-census.ts'
import { Findings } from '../history/findings.ts'
import { Finder } from '../history/found-state.ts'
import type { HistoryIndex } from '../history/history-index.ts'
import { LogReader } from '../log/log-reader.ts'
import { type Position, segmentOf } from '../log/position.ts'
import { Segments } from '../log/segments.ts'
import { judgeTail } from '../log/tail.ts'
import { beginningOf, readParts } from '../store/base.ts'
import { readHint } from '../store/checkpoint-hint.ts'
import type { Store } from '../store/opening.ts'
import { type LogSurvey, LogSurveyor, type Loss } from './log-survey.ts'
import { type LostTransaction, nameLost } from './naming.ts'
import { type Patch, patchesOf, type Region } from './region.ts'
import type { LostVersion } from './report.ts'

/** What a salvage will do. Made without changing anything. */
export interface SalvagePlan {
  readonly survey: LogSurvey
  readonly patches: readonly Patch[]
  /** Acknowledged transactions stood behind the end; the last of them that is known of. Null: none did. */
  readonly lostEnd: { readonly seq: number } | null
  readonly lost: readonly LostTransaction[]
  readonly missing: readonly LostVersion[]
  /** Of those, the ones that a file in the workspace has. */
  readonly restorable: readonly LostVersion[]
  /** Blobs that are not what their names say. */
  readonly wrongBlobs: readonly string[]
  /** Segments behind the one that the log ends in, the last first. */
  readonly surplus: readonly number[]
  /** A base that cannot be read: what it stood for is lost. */
  readonly bases: readonly string[]
  /** Names of segments that are no files. */
  readonly strays: readonly string[]
  readonly idle: boolean
}

/** @throws JournalError `CORRUPT` when there is nothing that could be saved */
export async function planSalvage(given: Store, index: HistoryIndex): Promise<SalvagePlan> {
  const store = isReadable(given) ? given : withoutBase(given)
  const bases = store === given ? [] : [given.segments.basePath(given.segments.base())]
  const { survey, patches, census, newest } = await surveyed(store)
  if (survey.last === null || survey.end === store.reader.start) {
    throw new JournalError('CORRUPT', 'no frame of the log can be read: there is nothing to salvage', {
      hint: 'Nothing was changed. Restore .journal from a backup; or move it away and begin a new one with `journal init`.',
      path: store.layout.log,
    })
  }
  const claim = await index.claim()
  const hint = readHint(store.disk, store.layout, store.format.journal)
  const { end, head } = survey
  const known = Math.max(newest, claim?.durableSeq ?? 0)
  const reached = Math.max(claim?.durable ?? 0, hint === null ? 0 : hint + 1)
  const proven = survey.dropped || reached > end || (survey.cut && judgeTail(store.reader, end).verdict === 'corrupt')
  const lostEnd = proven ? { seq: Math.max(head.seq, known) } : null
  const losses: Loss[] = [...survey.losses]
  if (known > head.seq) losses.push({ from: head.seq + 1, to: known, regions: [restOf(survey)] })
  const missing = missingOf(census, survey)
  // What was erased on purpose does not come back, though the purge that tells of it is lost.
  const restorable = await findInWorkspace(
    store,
    missing.filter(({ hash }) => !survey.wrong.has(hash) || survey.broken.has(hash)),
  )
  const wrongBlobs = [...census.wrongBlobs()]
  const surplus = store.segments.list().filter((segment) => segment > segmentOf(end))
  const strays = store.disk
    .readDirectory(store.layout.log)
    .filter(({ name, kind }) => kind !== 'file' && /^\d{12}\.wal$/.test(name))
    .map(({ name }) => name)
  const harmed = bases.length + patches.length + missing.length + wrongBlobs.length + surplus.length + strays.length
  return {
    survey,
    patches,
    lostEnd,
    lost: await nameLost(losses, index, store, survey.known),
    missing,
    restorable,
    wrongBlobs,
    surplus: surplus.reverse(),
    bases,
    strays,
    idle: harmed === 0 && lostEnd === null,
  }
}

/** Can what the log begins with be read, and is it what it says? */
function isReadable({ reader, format }: Store): boolean {
  try {
    for (const _ of readParts(reader, beginningOf(reader, format.journal)));
    return true
  } catch (error) {
    if (error instanceof JournalError && error.code === 'CORRUPT') return false
    throw error
  }
}

/** As if it began with segment 1: what was dropped is lost, then. */
function withoutBase(store: Store): Store {
  const segments = new Segments(store.disk, store.layout.log, false)
  return { ...store, segments, reader: new LogReader(segments, store.seed) }
}

/** Where frames cannot be fitted into a damage, what stands behind it is given up. */
async function surveyed(
  store: Store,
): Promise<{ survey: LogSurvey; patches: Patch[]; census: ContentCensus; newest: number }> {
  let until: Position = Number.POSITIVE_INFINITY
  let dropped = false
  for (let newest = 0; ; ) {
    const census = new ContentCensus(store.contents.blobs, new Findings())
    await census.checkBlobs(undefined)
    const survey = await new LogSurveyor(store, census, until).run()
    newest = Math.max(newest, survey.head.seq)
    dropped ||= survey.dropped
    const patches: Patch[] = []
    let unfit: Region | undefined
    for (const run of runsOf(survey.regions)) {
      const own = patchesOf(run, store.format.journal, store.seed)
      if (own === null) unfit ??= run[0]
      else patches.push(...own)
    }
    const limit = unfit?.before ?? survey.end
    if (survey.last === null || (unfit === undefined && (!survey.dropped || until === limit)))
      return { survey: { ...survey, dropped }, patches, census, newest }
    dropped = true
    until = limit
  }
}

/** Regions with no sound frame between them. */
function runsOf(regions: readonly Region[]): Region[][] {
  const runs: Region[][] = []
  for (const region of regions) {
    const run = runs.at(-1)
    if (run !== undefined && run[0]?.before === region.before) run.push(region)
    else runs.push([region])
  }
  return runs
}

function restOf({ end, last, durable, head }: LogSurvey): Region {
  const record = { seq: null, time: 0, chain: null, next: null, contents: [] }
  const segment = segmentOf(end)
  return { segment, from: end - segment * 2 ** 32, to: null, last, before: end, durable, head, next: null, record }
}

function missingOf(census: ContentCensus, { wrong }: LogSurvey): LostVersion[] {
  const missing: LostVersion[] = [...census.missing()].map(({ hash, tx, path }) => ({ hash, tx, path }))
  const named = new Set(missing.map(({ hash }) => hash))
  // Erased ones too, when the purge that tells of them is lost.
  for (const [hash, tx] of wrong) if (!named.has(hash) && !census.accounted(hash)) missing.push({ hash, tx, path: '' })
  return missing
}

/** A file that still has what is missing is as good as the journal's own copy: its hash says so. */
async function findInWorkspace(store: Store, missing: readonly LostVersion[]): Promise<LostVersion[]> {
  const finder = new Finder(store.disk, store.layout.root)
  const found: LostVersion[] = []
  for (const version of missing) {
    if (version.path === '') continue
    const state = await finder.find(version.path).then(
      ({ state }) => state,
      () => null,
    )
    if ((state as FileState | null)?.kind === 'file' && (state as FileState).hash === version.hash) found.push(version)
  }
  return found
}
