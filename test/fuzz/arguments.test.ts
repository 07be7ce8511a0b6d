import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Journal, JournalError, type OpenOptions, openJournal, planRecovery } from '../../src/index.ts'
import { newDisk, openOn, ROOT } from '../journal/fixture.ts'

/** What a caller without types may hand over. */
const ODD: readonly unknown[] = [
  undefined,
  null,
  5,
  -1,
  -0.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 53,
  10n,
  true,
  Symbol('odd'),
  '',
  'x',
  'head',
  '\0',
  '\ud800',
  '../../x',
  'a'.repeat(70_000),
  [],
  [null],
  ['\ud800'],
  {},
  { toString: null, valueOf: null },
  Object.create(null),
  { kind: 'file' },
  { at: 'memory' },
  () => 1,
  new Date(Number.NaN),
  new Map(),
  Buffer.from('a'),
  new Proxy({}, {}),
]

// biome-ignore lint/suspicious/noExplicitAny: callers who ignore types are what is tried
type Any = any
type Call = (journal: Any, odd: Any) => unknown

const words = [{ oldText: 'kept', newText: 'kept' }]
const CALLS: Readonly<Record<string, Call>> = {
  ...Object.fromEntries(
    [
      'write',
      'append',
      'edit',
      'patch',
      'notebook',
      'set',
      'imports',
      'remove',
      'rename',
      'mkdir',
      'rmdir',
      'chmod',
      'symlink',
    ].flatMap((name) => [
      [`${name} path`, (journal: Any, odd: Any) => journal[name](odd, 'x')],
      [`${name} second`, (journal: Any, odd: Any) => journal[name]('kept', odd)],
      [`${name} third`, (journal: Any, odd: Any) => journal[name]('kept', name === 'edit' ? words : 'x', odd)],
    ]),
  ),
  ...Object.fromEntries(
    ['mode', 'expect', 'actor', 'message', 'tags', 'parent'].map((key) => [
      `write ${key}`,
      (journal: Any, odd: Any) => journal.write('b', 'x', { [key]: odd }),
    ]),
  ),
  ...Object.fromEntries(
    'write append edit patch revise apply remove rename mkdir rmdir chmod symlink put adopt nothing'
      .split(' ')
      .map((op) => [
        `perform ${op}`,
        (journal: Any, odd: Any) =>
          journal.transact((tx: Any) => {
            const rest = {
              content: odd,
              edits: odd,
              patch: odd,
              to: odd,
              mode: odd,
              target: odd,
              expect: odd,
              by: odd,
              change: odd,
            }
            return tx.perform({ op, path: 'kept', state: odd, from: odd, recorded: odd, recursive: odd, ...rest })
          }),
      ]),
  ),
  ...Object.fromEntries(
    'applyPatch history diff show undo redo resolve restore replay adopt verify purge compact readAt streamAt stateAt'
      .split(' ')
      .map((name) => [name, (journal: Any, odd: Any) => journal[name](odd)]),
  ),
  ...Object.fromEntries(
    ['path', 'actor', 'tag', 'parent', 'since', 'until', 'limit', 'order'].map((key) => [
      `history ${key}`,
      (journal: Any, odd: Any) => journal.history({ [key]: odd }),
    ]),
  ),
  ...Object.fromEntries(
    ['tx', 'from', 'to', 'paths'].map((key) => [
      `diff ${key}`,
      (journal: Any, odd: Any) => journal.diff({ from: 0, [key]: odd }),
    ]),
  ),
  edits: (journal, odd) => journal.edit('kept', [odd]),
  'an edit': (journal, odd) => journal.edit('kept', [{ oldText: odd, newText: odd, all: odd }]),
  'a stream': (journal, odd) =>
    journal.write('s', {
      async *[Symbol.asyncIterator]() {
        yield odd
      },
    }),
  'begin meta': (journal, odd) => journal.begin(odd).abort(),
  transact: (journal, odd) => journal.transact(odd),
  'transact meta': (journal, odd) => journal.transact(odd, () => undefined),
  'undo options': (journal, odd) => journal.undo(1, odd),
  'undo force': (journal, odd) => journal.undo(1, { force: odd }),
  'restore to': (journal, odd) => journal.restore({ to: odd, dryRun: true }),
  'restore paths': (journal, odd) => journal.restore({ to: 0, paths: odd, dryRun: true }),
  'restore a path': (journal, odd) => journal.restore({ to: 0, paths: [odd], dryRun: true }),
  'replay at': (journal, odd) => journal.replay({ to: '/replayed/x', at: odd }),
  'replay to': (journal, odd) => journal.replay({ to: odd }),
  'adopt a path': (journal, odd) => journal.adopt([odd]),
  'adopt meta': (journal, odd) => journal.adopt(['kept'], odd),
  'purge a path': (journal, odd) => journal.purge([odd], { dryRun: true }),
  'purge options': (journal, odd) => journal.purge('none', odd),
  'compact days': (journal, odd) => journal.compact({ brokenDays: odd }),
  'verify head': (journal, odd) => journal.verify({ head: odd }),
  'begin validation': (journal, odd) => journal.begin({ validation: odd }).abort(),
  'write validation': (journal, odd) => journal.write('b', 'x', { validation: odd }),
  'undo validation': (journal, odd) => journal.undo(1, { validation: odd }),
  check: (journal, odd) => journal.check(odd),
  'check options': (journal, odd) => journal.check(() => undefined, odd),
  'check validation': (journal, odd) => journal.check(() => undefined, { validation: odd }),
  validate: (journal, odd) => journal.validate(odd),
  'validate a path': (journal, odd) => journal.validate([odd]),
  'validate level': (journal, odd) => journal.validate(['kept'], { validation: odd }),
  confirm: (journal, odd) => journal.confirm(odd),
  'readAt at': (journal, odd) => journal.readAt('kept', odd),
  'on event': (journal, odd) => journal.on(odd, () => undefined),
  'on listener': (journal, odd) => journal.on('commit', odd),
  'off listener': (journal, odd) => journal.off('commit', odd),
  'tx read': (journal, odd) => journal.transact((tx: Any) => tx.read(odd)),
  'tx lock': (journal, odd) => journal.transact((tx: Any) => tx.lock(odd)),
  'tx lock a path': (journal, odd) => journal.transact((tx: Any) => tx.lock([odd])),
  'tx perform': (journal, odd) => journal.transact((tx: Any) => tx.perform(odd)),
}

/** It works, or it fails with a typed error that names the request, not the machine, as what is wrong. */
async function survives(call: () => unknown): Promise<void> {
  try {
    const given = await call()
    if (typeof given === 'object' && given !== null && Symbol.asyncIterator in given) {
      for await (const _ of given as AsyncIterable<unknown>) break
    }
  } catch (error) {
    expect(error, String((error as Error)?.stack)).toBeInstanceOf(JournalError)
    expect((error as JournalError).code, (error as JournalError).message).not.toBe('IO')
  }
}

describe('whatever a caller hands over, the answer is a typed error', () => {
  const disk = newDisk()
  let journal: Journal
  beforeAll(async () => {
    journal = await openOn(disk)
    await journal.write('kept', 'kept\n')
  })
  afterAll(() => journal.close())

  it.each(Object.entries(CALLS))('%s', async (_, call) => {
    for (const odd of ODD) await survives(() => call(journal, odd))
  })

  it('and the history that it leaves reads back right', async () => {
    await journal.close()
    const again = await openOn(disk)
    expect(await again.verify()).toMatchObject({ ok: true, problems: [] })
    journal = again
  })
})

describe('whatever options a journal is opened with', () => {
  it.each([
    'actor',
    'durability',
    'recover',
    'salvage',
    'lockTimeoutMs',
    'signal',
    'create',
    'rebind',
    'readOnly',
    'legacy',
    'onProgress',
    'segmentSize',
    'validation',
    'disk',
  ])('%s', async (key) => {
    for (const odd of ODD) {
      await survives(async () => {
        const opened = await openOn(newDisk(), { [key]: odd } as OpenOptions)
        await (opened.readOnly ? undefined : opened.write('a', 'x')?.finally(() => opened.close()))
      })
    }
  })

  it('none at all, or what is no object', async () => {
    for (const odd of ODD) {
      if (odd === undefined || (typeof odd === 'object' && odd !== null)) continue
      await survives(() => openJournal(ROOT, odd as OpenOptions))
      await survives(() => openJournal(odd as string, { disk: newDisk() }))
      await survives(() => planRecovery(ROOT, odd as OpenOptions))
    }
  })

  it.each(['Full', 'none', 1, null])('a durability of %j is refused, not taken for another', async (durability) => {
    await expect(openOn(newDisk(), { durability } as unknown as OpenOptions)).rejects.toMatchObject({ code: 'INVALID' })
  })
})

/** MessagePack took half of a letter as it was: a payload that is no UTF-8, and that no other reader could read. */
it('a message that ends in the middle of a letter does not spoil the history', async () => {
  const disk = newDisk()
  const journal = await openOn(disk, { actor: 'an \ud83d' })
  const { tx } = await journal.write('a', 'x', { message: '😀'.slice(0, 1), tags: ['\udc00'], parent: '\ud800' })
  for (const edits of [[{ oldText: 'x', newText: '\ud83d' }], [{ oldText: '\ud83d', newText: 'x' }]]) {
    await expect(journal.edit('a', edits)).rejects.toMatchObject({ code: 'INVALID' })
  }
  await expect(journal.symlink('l', '\ud83d')).rejects.toMatchObject({ code: 'INVALID' })
  await journal.close()
  const again = await openOn(disk)
  expect(await again.show(tx)).toMatchObject({ actor: 'an \ufffd', message: '\ufffd', tags: ['\ufffd'] })
  expect(await again.verify()).toMatchObject({ ok: true })
  await again.close()
})
