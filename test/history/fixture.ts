import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { BlobStore } from '../../src/content/blob-store.ts'
import { encodeContents } from '../../src/content/content-frame.ts'
import { ContentStore } from '../../src/content/content-store.ts'
import { hashBytes } from '../../src/content/hash.ts'
import { NodeDisk } from '../../src/disk/node-disk.ts'
import { chainCommit, genesis, type Head } from '../../src/entry/chain.ts'
import { fromHex } from '../../src/entry/codec.ts'
import type { ChainedCommit, CommitKind, Meta } from '../../src/entry/commit.ts'
import { encodeSegment, encodeTerm } from '../../src/entry/control.ts'
import { changesOf, type Entry } from '../../src/entry/entry.ts'
import type { FileState, State } from '../../src/entry/state.ts'
import type { HistoryIndexOptions } from '../../src/history/history-index.ts'
import { HistoryIndex } from '../../src/history/history-index.ts'
import type { HistorySource } from '../../src/history/source.ts'
import { headerSeed } from '../../src/log/frame.ts'
import { LogReader } from '../../src/log/log-reader.ts'
import { LogWriter } from '../../src/log/log-writer.ts'
import { LOG_START } from '../../src/log/position.ts'
import { Segments } from '../../src/log/segments.ts'

export interface CommitOptions extends Meta {
  readonly tx?: string
  readonly time?: number
  readonly kind?: CommitKind
  readonly of?: string
}

/** A journal with a log written frame by frame, and a workspace that follows it on request. */
export class TestJournal {
  readonly root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'history-')))
  readonly directory = `${this.root}/.journal`
  readonly journalId = '00112233445566778899aabbccddeeff'
  readonly disk = new NodeDisk()
  readonly segments: Segments
  readonly reader: LogReader
  readonly contents: ContentStore
  readonly states = new Map<string, State>()
  readonly commits: ChainedCommit[] = []
  readonly #indexes: HistoryIndex[] = []
  #writer: LogWriter
  #head: Head = genesis(this.journalId)
  #time = 1_750_000_000_000
  readonly #known = new Set<string>()

  constructor(segmentSize?: number) {
    for (const name of ['', '/log', '/blobs', '/staging', '/broken'])
      fs.mkdirSync(this.directory + name, { mode: 0o700 })
    const seed = headerSeed(fromHex(this.journalId))
    this.segments = new Segments(this.disk, `${this.directory}/log`)
    this.reader = new LogReader(this.segments, seed)
    this.contents = new ContentStore(this.disk, this.reader, new BlobStore(this.disk, `${this.directory}/blobs`))
    const state = { end: LOG_START, sequence: 0, term: 1, durable: LOG_START }
    this.#writer = new LogWriter(this.segments, state, {
      seed,
      ...(segmentSize === undefined ? {} : { segmentSize }),
      segmentPayload: (segment) => encodeSegment({ journal: this.journalId, segment, ...this.#head }),
    })
  }

  get source(): HistorySource {
    const { disk, root, directory, journalId, reader, contents } = this
    return { disk, root, directory, journalId, reader, contents }
  }

  /** Where the log ends. */
  get end(): number {
    return this.#writer.end
  }

  get head(): Head {
    return this.#head
  }

  index(options: HistoryIndexOptions = {}): HistoryIndex {
    const index = new HistoryIndex(this.source, options)
    this.#indexes.push(index)
    this.contents.locateWith((hash) => index.locate(hash))
    return index
  }

  file(text: string | Uint8Array, mode = 0o644): FileState & { bytes: Uint8Array } {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text
    return { kind: 'file', hash: hashBytes(bytes), size: bytes.byteLength, mode, bytes }
  }

  /** Sets paths to states (texts are files), as one transaction of `write` and `remove` entries. */
  set(changes: Readonly<Record<string, State | string>>, options: CommitOptions = {}): Promise<ChainedCommit> {
    const bytes: Uint8Array[] = []
    const entries = Object.entries(changes).map(([name, wanted]): Entry => {
      const file = typeof wanted === 'string' ? this.file(wanted) : null
      if (file !== null) bytes.push(file.bytes)
      const after = file === null ? (wanted as State) : strip(file)
      return { op: after === null ? 'remove' : 'put', path: name, before: this.states.get(name) ?? null, after }
    })
    return this.commit(entries, bytes, options)
  }

  async commit(
    entries: readonly Entry[],
    contents: readonly Uint8Array[],
    options: CommitOptions = {},
  ): Promise<ChainedCommit> {
    const seq = this.#head.seq + 1
    const {
      tx = `t${seq.toString(36).padStart(15, '0')}`,
      kind = 'write',
      time = this.#time + seq * 1000,
      ...meta
    } = options
    const later = Math.max(time, this.#head.time)
    const { payload, head } = chainCommit(this.#head, { tx, seq, time: later, kind, done: seq - 1, ...meta, entries })
    const fresh = contents.filter((bytes) => !this.#known.has(hashBytes(bytes)))
    const frames = [{ kind: 'commit' as const, payload }]
    const content = encodeContents(
      tx,
      fresh.map((data) => ({ hash: hashBytes(data), encoding: 0, data })),
    )
    for (const bytes of fresh) this.#known.add(hashBytes(bytes))
    await this.append(fresh.length > 0 ? [{ kind: 'content' as const, payload: content }, ...frames] : frames)
    this.#head = head
    for (const entry of entries) for (const change of changesOf(entry)) this.states.set(change.path, change.after)
    const commit = { tx, seq, time: later, kind, done: seq - 1, ...meta, entries, chain: head.chain } as ChainedCommit
    this.commits.push(commit)
    return commit
  }

  /** A frame that states that everything before it is durable. */
  async term(): Promise<void> {
    const record = { term: 1, time: 0, pid: 1, host: 'here', boot: 'boot' }
    await this.append([{ kind: 'term', payload: encodeTerm(record) }])
  }

  async append(
    frames: readonly { kind: 'content' | 'commit' | 'term' | 'checkpoint'; payload: Uint8Array }[],
  ): Promise<void> {
    const size = frames.reduce((sum, frame) => sum + frame.payload.byteLength + 64, 0)
    await this.#writer.append({ frames, size, durability: 'full' })
  }

  async close(): Promise<void> {
    for (const index of this.#indexes) await index.close()
    await this.#writer.close()
    fs.rmSync(this.root, { recursive: true, force: true })
  }
}

export function strip(state: FileState): FileState {
  const { kind, hash, size, mode } = state
  return { kind, hash, size, mode }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
