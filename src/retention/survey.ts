import { baseOf, CHANGED, decodeContents, PURGED } from '../content/content-frame.ts'
import type { ContentStore } from '../content/content-store.ts'
import { breathe } from '../disk/file.ts'
import { readCommit } from '../entry/chain.ts'
import type { Commit } from '../entry/commit.ts'
import type { Entry, SpokenEntry } from '../entry/entry.ts'
import type { BaseState } from '../entry/horizon.ts'
import { type ContentHash, hashOf, type State } from '../entry/state.ts'
import { JournalError } from '../errors.ts'
import { statesOf } from '../history/content-census.ts'
import { isWithin } from '../history/path-scope.ts'
import type { Frame, LogReader } from '../log/log-reader.ts'
import { type Position, segmentOf } from '../log/position.ts'
import { corruptionError, judgeTail } from '../log/tail.ts'
import { beginningOf, readStates } from '../store/base.ts'
import type { Pace } from './pace.ts'
import { erased } from './segment-rewrite.ts'
import { Standing } from './standing.ts'

/** What is read; `until`: behind the last frame that counts. */
export interface Surveyed {
  readonly reader: LogReader
  readonly journalId: string
  readonly contents: ContentStore
  readonly until?: Position
}

export interface Survey {
  /** Contents to erase, by the path of `paths` that had them; those of transactions never committed go with the first. */
  readonly targets: ReadonlyMap<ContentHash, string>
  /** Contents that another path has too. */
  readonly kept: readonly { readonly hash: ContentHash; readonly path: string }[]
  /** Contents that stay, and are changes of what is erased: to be kept whole before that. */
  readonly standing: ReadonlySet<ContentHash>
  /** Newest recorded states of `paths`. */
  readonly states: ReadonlyMap<string, State>
  /** Files whose newest recorded content is to be erased. */
  readonly current: readonly string[]
  /** Where the log has something to erase. */
  readonly segments: ReadonlySet<number>
  readonly frames: number
  /** Of contents to erase. */
  readonly blobs: readonly ContentHash[]
  /** In contents to erase. */
  readonly bytes: number
}

/**
 * Finds out what purging `paths` (files, or folders with all below them) would erase. Changes nothing. Reads the log twice, so that memory is bounded by
 * what is to be erased, not by the history.
 * @throws JournalError `NOT_FOUND` for a path that no entry names, `CORRUPT`
 */
export async function survey(source: Surveyed, paths: readonly string[]): Promise<Survey> {
  const scopeOf = (path: string) => paths.find((scope) => isWithin(path, scope))
  const candidates = new Map<ContentHash, string>()
  const states = new Map<string, State>()
  const newest = new Map<string, ContentHash>()
  const named = new Set<string>()
  const uncommitted = new Map<string, Set<ContentHash>>()
  for (const { path, state } of statesAtHorizon(source)) {
    const scope = scopeOf(path)
    if (scope === undefined) continue
    named.add(scope)
    const hash = hashOf(state)
    if (hash !== null) {
      candidates.set(hash, candidates.get(hash) ?? scope)
      newest.set(path, hash)
    }
    if (scope === path) states.set(path, state)
  }
  await eachCommit(
    source,
    (commit) => {
      uncommitted.delete(commit.tx)
      for (const entry of commit.entries) {
        for (const { path, state } of statesOf(entry)) {
          const scope = scopeOf(path)
          if (scope === undefined) continue
          named.add(scope)
          const hash = hashOf(state)
          if (hash !== null) candidates.set(hash, candidates.get(hash) ?? scope)
        }
        note(entry, states, newest, scopeOf)
      }
    },
    (frame) => {
      const { tx, contents } = decodeContents(frame.payload)
      const hashes = uncommitted.get(tx) ?? new Set()
      for (const { hash } of contents) hashes.add(hash)
      uncommitted.set(tx, hashes)
    },
  )
  const unknown = paths.find((path) => !named.has(path))
  if (unknown !== undefined) throw unknownPath(unknown)

  const loose = new Set<ContentHash>()
  for (const hashes of uncommitted.values()) for (const hash of hashes) if (!candidates.has(hash)) loose.add(hash)
  const kept = new Map<ContentHash, string>()
  for (const { path, state } of statesAtHorizon(source)) {
    const hash = hashOf(state)
    if (hash === null) continue
    loose.delete(hash)
    if (candidates.has(hash) && scopeOf(path) === undefined) kept.set(hash, path)
  }
  await eachCommit(source, (commit) => {
    for (const entry of commit.entries) {
      for (const { path, state } of statesOf(entry)) {
        const hash = hashOf(state)
        if (hash === null) continue
        loose.delete(hash)
        if (candidates.has(hash) && scopeOf(path) === undefined) kept.set(hash, path)
      }
    }
  })
  for (const hash of kept.keys()) candidates.delete(hash)
  for (const hash of loose) candidates.set(hash, paths[0] as string)
  const stored = await eraseable(source, candidates, (entry) => scopeOf(entry.path) !== undefined)
  const current = [...newest].filter(([, hash]) => stored.targets.has(hash)).map(([path]) => path)
  return { ...stored, kept: [...kept].map(([hash, path]) => ({ hash, path })), states, current }
}

/** Follows the newest states. */
function note(
  entry: Entry,
  states: Map<string, State>,
  newest: Map<string, ContentHash>,
  scopeOf: (path: string) => string | undefined,
): void {
  if (entry.op === 'preserve' || entry.op === 'purge' || entry.op === 'note') return
  const set = (path: string, state: State): void => {
    const scope = scopeOf(path)
    if (scope === undefined) return
    if (scope === path) states.set(path, state)
    const hash = hashOf(state)
    if (hash === null) newest.delete(path)
    else newest.set(path, hash)
  }
  set(entry.path, entry.op === 'rename' ? null : entry.after)
  if (entry.op === 'rename') set(entry.to, entry.after)
}

/** Which of the candidates are there, and where. */
async function eraseable(
  source: Surveyed,
  candidates: ReadonlyMap<ContentHash, string>,
  words: (entry: SpokenEntry) => boolean,
): Promise<Pick<Survey, 'targets' | 'standing' | 'segments' | 'frames' | 'blobs' | 'bytes'>> {
  const hashes = new Set(candidates.keys())
  const present = new Set<ContentHash>()
  const segments = new Set<number>()
  const standing = new Standing(hashes)
  let frames = 0
  let bytes = 0
  await eachFrame(source, (frame) => {
    if (frame.kind === 'content') standing.note(frame.payload)
    if (erased(frame.kind, frame.payload, { hashes, standing: standing.found, words }) === null) return
    frames += 1
    segments.add(segmentOf(frame.position))
    if (frame.kind !== 'content') return
    for (const { hash, encoding, data } of decodeContents(frame.payload).contents) {
      if (encoding === PURGED || !hashes.has(hash)) continue
      present.add(hash)
      bytes += data.byteLength
    }
  })
  const blobs: ContentHash[] = []
  for (const { hash, size } of source.contents.blobs.list()) {
    if (!hashes.has(hash)) continue
    present.add(hash)
    blobs.push(hash)
    bytes += size
  }
  const targets = new Map([...candidates].filter(([hash]) => present.has(hash)))
  return { targets, standing: standing.found, segments, frames, blobs, bytes }
}

/** Blobs that no transaction names, and no content is a change of, with their sizes. */
export async function orphanBlobs(source: Surveyed, pace: Pace): Promise<Map<ContentHash, number>> {
  const orphans = new Map<ContentHash, number>()
  for (const { hash, size } of source.contents.blobs.list()) {
    orphans.set(hash, size)
    await pace.rest()
  }
  if (orphans.size === 0) return orphans
  for (const { state } of statesAtHorizon(source)) {
    orphans.delete(hashOf(state) ?? '')
    await pace.rest()
  }
  await eachCommit(source, (commit) => {
    for (const entry of commit.entries) {
      for (const { state } of statesOf(entry)) orphans.delete(hashOf(state) ?? '')
    }
  })
  if (orphans.size === 0) return orphans
  // Of a transaction that was never committed too: its contents may be used by others.
  await eachFrame(source, ({ kind, payload }) => {
    if (kind !== 'content') return
    for (const { encoding, data } of decodeContents(payload).contents)
      if (encoding === CHANGED) orphans.delete(baseOf(data))
  })
  return orphans
}

function statesAtHorizon({ reader, journalId }: Surveyed): Iterable<BaseState> {
  return readStates(reader, beginningOf(reader, journalId))
}

async function eachCommit(
  source: Surveyed,
  commit: (commit: Commit) => void,
  content?: (frame: Frame) => void,
): Promise<void> {
  await eachFrame(
    source,
    (frame) => {
      if (frame.kind === 'commit') commit(readCommit(frame.payload))
      else if (frame.kind === 'content') content?.(frame)
    },
    content === undefined,
  )
}

const FRAMES_A_TURN = 32

/** @throws JournalError `CORRUPT` when the log cannot be read to its end */
async function eachFrame(source: Surveyed, visit: (frame: Frame) => void, skipContents = false): Promise<void> {
  const { reader, until } = source
  const skip = new Set(skipContents ? (['content'] as const) : [])
  const reading = reader.read(reader.start, { skip, ...(until === undefined ? {} : { until }) })
  for (let count = 1; ; count += 1) {
    const step = reading.next()
    if (step.done === true) {
      const { position, unread } = step.value
      if (until === undefined ? !unread : position >= until) return
      const verdict = judgeTail(reader, position)
      // What is merely torn at the end belongs to nobody, or is being written at this moment.
      if (until === undefined && verdict.verdict === 'torn') return
      throw corruptionError(position, verdict)
    }
    visit(step.value)
    if (count % FRAMES_A_TURN === 0) await breathe()
  }
}

function unknownPath(path: string): JournalError {
  return new JournalError('NOT_FOUND', `the history names no ${path}`, {
    hint: "'journal log' lists what it names. Give the path as it was then, relative to the workspace.",
    path,
  })
}
