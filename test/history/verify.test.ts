import fs from 'node:fs'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hashBytes } from '../../src/content/hash.ts'
import { chainCommit } from '../../src/entry/chain.ts'
import { verify } from '../../src/history/verify.ts'
import type { Frame } from '../../src/log/log-reader.ts'
import { offsetOf, segmentOf } from '../../src/log/position.ts'
import { strip, TestJournal } from './fixture.ts'

let made: TestJournal
beforeEach(() => {
  made = new TestJournal(16 * 1024)
})
afterEach(() => made.close())

async function fill(): Promise<Frame[]> {
  for (let n = 0; n < 30; n += 1)
    await made.set({ [`file-${n % 5}`]: `${n} `.repeat(300), [`other-${n}`]: `o${n}` }, { actor: 'ann' })
  await made.term()
  await made.term()
  return [...made.reader.read()]
}

function change(frame: Frame, at: number, mask = 1): void {
  const file = made.segments.path(segmentOf(frame.position))
  const bytes = fs.readFileSync(file)
  const offset = offsetOf(frame.position) + at
  bytes[offset] = (bytes[offset] as number) ^ mask
  fs.writeFileSync(file, bytes)
}

test('a whole journal: everything is counted, nothing is wrong', async () => {
  const frames = await fill()
  const phases = new Set<string>()
  const report = await verify(made.source, { onProgress: ({ phase }) => phases.add(phase) })
  expect(report).toEqual({
    ok: true,
    transactions: 30,
    frames: frames.length,
    blobs: 0,
    orphans: 0,
    purged: 0,
    tornBytes: 0,
    problems: [],
    problemsOmitted: 0,
  })
  expect(made.segments.list().length).toBeGreaterThan(2)
})

test('an empty journal is whole', async () => {
  expect(await verify(made.source)).toMatchObject({ ok: true, transactions: 0, frames: 0 })
})

test('one flipped bit anywhere in the log is found, its transaction named, and all the rest still read', async () => {
  const frames = await fill()
  const named = new Map<number, string>()
  let tx = made.commits[0]?.tx as string
  let commits = 0
  for (const frame of frames) {
    if (frame.kind === 'commit') commits += 1
    tx = made.commits[frame.kind === 'commit' ? commits - 1 : commits]?.tx ?? ''
    named.set(frame.position, tx)
  }
  const harmable = frames.slice(0, -2)
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(), fc.nat(7), async (which, where, bit) => {
      const frame = harmable[which % harmable.length] as Frame
      const at = where % (56 + frame.length)
      change(frame, at, 1 << bit)
      const report = await verify(made.source)
      change(frame, at, 1 << bit)
      expect(report.ok).toBe(false)
      expect(report.transactions).toBe(frame.kind === 'commit' ? 29 : 30)
      expect(report.frames).toBe(frames.length - 1)
      const [first] = report.problems
      expect(first?.position).toEqual([segmentOf(frame.position), offsetOf(frame.position)])
      // Unless the flip hit the id itself.
      const hit = Buffer.from(frame.payload).indexOf(named.get(frame.position) as string)
      const blurred = at >= 56 + hit - 4 && at < 56 + hit + 16
      if (frame.kind !== 'segment' && !blurred)
        expect(report.problems.map((problem) => problem.tx)).toContain(named.get(frame.position))
      if (frame.kind === 'content')
        expect(report.problems.some(({ kind, path }) => kind === 'content' && path !== undefined)).toBe(true)
      // A commit that no other follows is missed by nobody: the damage itself is what tells.
      if (frame.kind === 'commit' && frame !== harmable.at(-1))
        expect(report.problems.some(({ kind }) => kind === 'lost')).toBe(true)
    }),
    { numRuns: 60 },
  )
}, 60_000)

test('several damages, a missing segment, a torn end', async () => {
  const frames = await fill()
  const contents = frames.filter(({ kind }) => kind === 'content')
  change(contents[3] as Frame, 60)
  change(contents[9] as Frame, 60)
  const two = await verify(made.source)
  expect(two.problems.filter(({ kind }) => kind === 'frame')).toHaveLength(2)
  change(contents[3] as Frame, 60)
  change(contents[9] as Frame, 60)
  const last = frames.at(-1) as Frame
  change(last, 57)
  expect(await verify(made.source)).toMatchObject({
    ok: true,
    transactions: 30,
    problems: [],
    tornBytes: expect.any(Number),
  })
  expect((await verify(made.source)).tornBytes).toBeGreaterThan(56)
  change(last, 57)
  const kept = fs.readFileSync(made.segments.path(2))
  fs.rmSync(made.segments.path(2))
  const lost = await verify(made.source)
  expect(lost.problems.map(({ kind }) => kind)).toContain('frame')
  expect(lost.problems.map(({ kind }) => kind)).toContain('lost')
  fs.writeFileSync(made.segments.path(2), kept)
  expect((await verify(made.source)).ok).toBe(true)
})

test('blobs: damaged, missing and orphaned ones', async () => {
  const blob = (text: string) => {
    const hash = hashBytes(Buffer.from(text))
    fs.mkdirSync(`${made.directory}/blobs/${hash.slice(0, 2)}`, { recursive: true })
    fs.writeFileSync(made.contents.blobs.path(hash), text)
    return hash
  }
  blob('orphan')
  const damaged = blob('will be damaged')
  const good = blob('good')
  const missing = made.file('missing')
  await made.commit(
    [
      { op: 'write', path: 'p/good', before: null, after: strip(made.file('good')) },
      { op: 'write', path: 'p/damaged', before: strip(missing), after: strip(made.file('will be damaged')) },
    ],
    [],
  )
  fs.writeFileSync(made.contents.blobs.path(damaged), 'is damaged now.')
  const report = await verify(made.source)
  expect(report).toMatchObject({ ok: false, blobs: 3, orphans: 1 })
  const tx = made.commits[0]?.tx
  expect(report.problems.map(({ kind, path, tx }) => [kind, path, tx])).toEqual([
    ['content', 'p/damaged', tx],
    ['content', 'p/damaged', tx],
  ])
  expect(report.problems.map(({ message }) => message).join()).not.toContain(good)
})

test('a history that was rewritten with right checksums breaks the chain', async () => {
  await made.set({ a: '1' })
  const { payload } = chainCommit(made.head, {
    tx: 't00000000000000x',
    seq: 2,
    time: made.head.time,
    kind: 'write',
    done: 1,
    entries: [],
  })
  const forged = new Uint8Array(payload)
  const at = Buffer.from(forged).indexOf('t00000000000000x')
  forged[at + 15] = 'y'.charCodeAt(0)
  await made.append([{ kind: 'commit', payload: forged }])
  const report = await verify(made.source)
  expect(report).toMatchObject({ ok: false, problems: [{ kind: 'chain', tx: 't00000000000000y' }] })
})

test('the workspace is compared on request, and has no part in the verdict', async () => {
  await made.set({ a: '1' })
  const index = made.index()
  expect(await verify(made.source, { workspace: true, index })).toMatchObject({
    ok: true,
    changed: [{ path: 'a', change: 'missing' }],
  })
})

test('a blob that a writer beside us brought after the blobs were looked at is no missing content', async () => {
  await fill()
  const late = made.file('large, and late')
  await made.commit([{ op: 'put', path: 'late', before: null, after: strip(late) }], [])
  expect(await verify(made.source)).toMatchObject({ ok: false, problems: [{ kind: 'content', path: 'late' }] })
  const blob = made.contents.blobs.path(late.hash)
  // Asked for between the look at the blobs and the reading of the log.
  const readable = (): number => {
    fs.mkdirSync(blob.slice(0, blob.lastIndexOf('/')), { recursive: true })
    fs.writeFileSync(blob, late.bytes)
    return Number.POSITIVE_INFINITY
  }
  expect(await verify({ ...made.source, readable })).toMatchObject({ ok: true, blobs: 1, orphans: 0, problems: [] })
})
