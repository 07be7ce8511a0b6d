import fs from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { deflated, inflated } from '../../src/content/compression.ts'
import {
  CHANGED,
  DEFLATED,
  decodeChange,
  decodeContents,
  encodeChange,
  encodeContents,
  RAW,
} from '../../src/content/content-frame.ts'
import { applied, composed, type Delta, decodeDelta, encodeDelta } from '../../src/content/delta.ts'
import { difference } from '../../src/content/difference.ts'
import { hashBytes } from '../../src/content/hash.ts'
import { VarintReader } from '../../src/content/varint.ts'
import { readCommit } from '../../src/entry/chain.ts'
import { encodeCommit, pack, unpack } from '../../src/entry/codec.ts'
import * as control from '../../src/entry/control.ts'
import { isSpoken, saidBy } from '../../src/entry/entry.ts'
import { JournalError } from '../../src/errors.ts'
import * as record from '../../src/history/index-record.ts'
import type { Journal } from '../../src/index.ts'
import { decodeHeader } from '../../src/log/frame.ts'
import { LOG_START } from '../../src/log/position.ts'
import { splitPath } from '../../src/workspace/safe-path.ts'
import { ATTEMPTS } from '../escape/attempts.ts'
import { newDisk, openOn, ROOT } from '../journal/fixture.ts'
import { forgeCommits, forgeSegment, GENESIS, JOURNAL_ID, SEED, SEGMENT_FRAME, TERM_FRAME } from './forge.ts'
import { repaired } from './mutator.ts'

/** Something that reads bytes. `run` throws anything but a typed error only when it is at fault. */
export interface Target {
  readonly name: string
  readonly seeds: readonly Uint8Array[]
  run(bytes: Buffer): Promise<void> | void
}

const GOLDEN = path.resolve(import.meta.dirname, '../golden/v1/journal')
const hash = 'ab'.repeat(32)
const file = { kind: 'file', hash, size: 3, mode: 0o644, owner: { uid: 0, gid: 7 } } as const
const dir = { kind: 'dir', mode: 0o755 } as const
const link = { kind: 'symlink', target: '../x' } as const
const entries = [
  { op: 'write', path: 'a', as: 'link/a', before: null, after: file },
  { op: 'append', path: 'a', before: file, after: file, length: 3 },
  { op: 'edit', path: 'a', before: file, after: file, edits: [{ oldText: 'x', newText: 'é', all: true }] },
  { op: 'patch', path: 'a', before: file, after: file, patch: '@@ -1 +1 @@\n-x\n+y\n' },
  {
    op: 'revise',
    path: 'a',
    before: file,
    after: file,
    by: 'set',
    change: { changes: [{ path: ['a'], value: -1.5 }] },
  },
  { op: 'rename', path: 'a', to: 'd/b', before: file, after: file, replaced: link },
  { op: 'mkdir', path: 'd', before: null, after: dir, implied: true },
  { op: 'symlink', path: 'l', before: null, after: link },
  { op: 'purge', path: 'p', before: file, after: file, hashes: [hash] },
  { op: 'preserve', path: 'q', before: link, after: link },
] as const
const TEXT = Buffer.from('a line of text, again and again\n'.repeat(600))
const EDITED = Buffer.from(TEXT.toString().replaceAll('again and', 'and').replace('text', 'words'))
const DELTA = difference(TEXT, EDITED) as Delta
const CHANGE = encodeChange({ base: hashBytes(TEXT), place: { at: 'beside', index: 0 }, step: 1 }, DELTA)
const COMPRESSED = deflated(TEXT) as Uint8Array
const DENSE = [
  { hash: hashBytes(TEXT), encoding: DEFLATED, data: COMPRESSED },
  { hash: hashBytes(EDITED), encoding: CHANGED, data: CHANGE },
  { hash, encoding: RAW, data: Buffer.from('abc') },
]
const FRAMES = [
  SEGMENT_FRAME,
  TERM_FRAME,
  { kind: 'content' as const, payload: encodeContents('t000000000000000', [{ hash, bytes: Buffer.from('abc') }]) },
  { kind: 'content' as const, payload: encodeContents('t000000000000000', DENSE) },
  ...forgeCommits([
    { entries, actor: 'a', message: 'm', tags: ['t'], parent: 'p' },
    { kind: 'undo', of: 't0' },
  ]),
  {
    kind: 'checkpoint' as const,
    payload: control.encodeCheckpoint({ redo: LOG_START, ...GENESIS, boot: 'b', clean: true }),
  },
]
const payloads = (kind: string): Uint8Array[] => FRAMES.filter((frame) => frame.kind === kind).map((f) => f.payload)

/** What decodes, encodes to something that decodes to the same. */
function roundTrip<T>(
  name: string,
  seeds: readonly Uint8Array[],
  decode: (b: Buffer) => T,
  encode: (v: T) => Uint8Array,
) {
  const run = (bytes: Buffer): void => {
    const value = decode(bytes)
    const again = decode(Buffer.from(encode(value)))
    if (!isDeepStrictEqual(again, value)) throw new Error(`${name}: another value after encoding and decoding`)
  }
  return { name, seeds, run }
}

const head = {
  ...GENESIS,
  journal: JOURNAL_ID,
  boot: 'b',
  commit: 0,
  frame: 0,
  sequence: 0,
  payloadHash: '',
  end: 1,
  entries: 0,
  durable: 100,
  durableSeq: 2,
  durableChain: 'cd'.repeat(32),
}

function attempt<T>(work: () => T): T | null {
  try {
    return work()
  } catch (error) {
    if (error instanceof JournalError && error.code === 'CORRUPT') return null
    throw error
  }
}

/** The index is thrown away when it is at fault, and nobody outside sees that. */
function quietly(run: (bytes: Buffer) => void): (bytes: Buffer) => void {
  return (bytes) => {
    try {
      run(bytes)
    } catch (error) {
      if (!(error instanceof record.IndexFault)) throw error
    }
  }
}

function indexed(target: Target & { run(bytes: Buffer): void }): Target {
  return { ...target, run: quietly(target.run) }
}

/** Opens a journal on a simulated disk with one file of it replaced; whatever is in it, the answer is typed. */
function opening(name: string, seeds: readonly (string | Uint8Array)[]): Target {
  const run = async (bytes: Buffer): Promise<void> => {
    const disk = newDisk()
    for (const folder of ['log', 'blobs', 'staging', 'broken']) disk.mkdirp(`${ROOT}/.journal/${folder}`)
    disk.writeFile(
      `${ROOT}/.journal/FORMAT`,
      JSON.stringify({ format: 'write-journal', version: 1, journal: JOURNAL_ID }),
    )
    disk.writeFile(`${ROOT}/.journal/log/000000000001.wal`, forgeSegment(FRAMES.slice(0, 2)))
    disk.writeFile(`${ROOT}/.journal/${name}`, name.startsWith('log') ? repaired(bytes) : bytes)
    for (const options of [{ readOnly: true }, {}]) {
      let journal: Journal | null = null
      try {
        journal = await openOn(disk, options)
        if (options.readOnly === true) await journal.verify()
        else await journal.write('new', 'x')
        for await (const _ of journal.history());
      } finally {
        await journal?.close()
      }
    }
  }
  return { name, seeds: seeds.map((seed) => Buffer.from(seed as Uint8Array)), run }
}

export const TARGETS: readonly Target[] = [
  {
    name: 'header',
    seeds: [forgeSegment(FRAMES.slice(0, 2))],
    run: (bytes) => void decodeHeader(repaired(bytes), 0, SEED, LOG_START),
  },
  roundTrip(
    'msgpack',
    FRAMES.map(({ payload }) => payload),
    unpack,
    pack,
  ),
  roundTrip('segment', payloads('segment'), control.decodeSegment, control.encodeSegment),
  roundTrip('term', payloads('term'), control.decodeTerm, control.encodeTerm),
  roundTrip('checkpoint', payloads('checkpoint'), control.decodeCheckpoint, control.encodeCheckpoint),
  roundTrip('contents', payloads('content'), decodeContents, ({ tx, contents }) =>
    pack({ tx, contents: contents.map(({ hash: of, encoding, data }) => [Buffer.from(of, 'hex'), encoding, data]) }),
  ),
  roundTrip(
    'change',
    [CHANGE, encodeChange({ base: hash, place: { at: 'log', position: 2 ** 32, index: 3 }, step: 9 }, DELTA)],
    (bytes) => {
      const { change, delta } = decodeChange(bytes)
      // Whatever it says: no more is made of a base than that and the record have.
      for (const both of [() => delta, () => composed(delta, delta), () => composed(DELTA, delta)]) {
        const made = attempt(() => applied(both(), TEXT))
        if (made !== null && made.byteLength > TEXT.byteLength + EDITED.byteLength + 2 * bytes.byteLength)
          throw new Error(`${made.byteLength} bytes of ${bytes.byteLength}`)
      }
      return { change, delta: encodeDelta([], delta) }
    },
    ({ change, delta }) => encodeChange(change, decodeDelta(new VarintReader(delta, 0))),
  ),
  { name: 'compressed', seeds: [COMPRESSED], run: (bytes) => void inflated(bytes) },
  roundTrip('commit', payloads('commit'), readCommit, (commit) => {
    const { body, words } = encodeCommit(commit)
    const kept = [...words]
    const said = commit.entries.filter(isSpoken).map((entry) => (saidBy(entry) === null ? null : kept.shift()))
    return pack([Buffer.from(commit.chain, 'hex'), body, said])
  }),
  indexed(
    roundTrip('index head', [record.encodeHead(head)], record.decodeHead, (v) =>
      v === null ? pack({}) : record.encodeHead(v),
    ),
  ),
  indexed(
    roundTrip(
      'index path',
      [record.encodePath({ before: file, after: link }), record.encodePath(null)],
      record.decodePath,
      record.encodePath,
    ),
  ),
  indexed(
    roundTrip(
      'index state',
      [record.encodeCurrent({ seq: 1, state: dir })],
      record.decodeCurrent,
      record.encodeCurrent,
    ),
  ),
  indexed(
    roundTrip(
      'index transaction',
      [
        record.encodeTransaction({
          seq: 1,
          position: 1,
          tx: 't',
          time: 1,
          kind: 'write',
          paths: 1,
          tags: ['a'],
          actor: 'b',
        }),
      ],
      (bytes) => record.decodeTransaction(1, bytes),
      record.encodeTransaction,
    ),
  ),
  indexed(
    roundTrip(
      'index location',
      [record.encodeLocation({ position: 1, index: 2 }), record.encodePurged({ purgedBy: 3 })],
      record.decodeLocation,
      (v) => ('purgedBy' in v ? record.encodePurged(v) : record.encodeLocation(v)),
    ),
  ),
  {
    name: 'path',
    seeds: Object.values(ATTEMPTS).flatMap((rows) => rows.map(({ path: text }) => Buffer.from(text))),
    run: (bytes) => {
      for (const platform of ['linux', 'win32']) {
        const names = splitPath('/ws', bytes.toString(), { platform })
        if (names.some((name) => /^\.{0,2}$|[/\0]/.test(name))) throw new Error(`led to ${JSON.stringify(names)}`)
        if (platform === 'win32' && names.some((name) => /[\\:]|[. ]$/.test(name))) throw new Error(`led to ${names}`)
      }
    },
  },
  opening('FORMAT', [
    JSON.stringify({ format: 'write-journal', version: 1, journal: JOURNAL_ID }),
    '[]',
    '{"version":2}',
  ]),
  opening('WORKSPACE', ['{"root":"/ws","inode":"1"}', '{"root":{"toString":1}}', '5']),
  opening('CHECKPOINT', [fs.readFileSync(`${GOLDEN}/CHECKPOINT`), '{"position":[1,0],"digest":"0"}']),
  opening('LOCK', ['{"pid":1,"host":"h","term":1,"since":1}', 'null']),
  opening('SUSPECT', ['{}']),
  opening('PURGE', ['{"tx":"t000000000000000","position":[1,0]}', '{"position":[9007199254740991,1]}']),
  opening('log/000000000001.wal', [
    forgeSegment(FRAMES),
    forgeSegment(FRAMES.slice(0, 4)),
    forgeSegment([...FRAMES.slice(0, 2), FRAMES[3] as (typeof FRAMES)[number]]),
    fs.readFileSync(`${GOLDEN}/log/000000000001.wal`).subarray(0, 4096),
  ]),
]

/** Words of what was thrown, without what differs from input to input: which of the checks it was. Null: nothing was. */
export async function outcomeOf(target: Target, bytes: Buffer): Promise<string | null> {
  try {
    await target.run(Buffer.from(bytes))
    return null
  } catch (error) {
    if (!(error instanceof JournalError) || error.code === 'IO') throw error
    return `${error.code} ${error.message.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/[0-9a-f]{6,}|\d+/g, '0')}`.slice(
      0,
      120,
    )
  }
}
