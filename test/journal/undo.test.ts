/** Undo and redo of one transaction and of several, with others working in between. */
import { afterEach, describe, expect, test } from 'vitest'
import type { Journal, JournalError, Receipt, UndoReceipt } from '../../src/index.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { collect, failure, newDisk, openOn, ROOT, refused } from './fixture.ts'

let disk: SimDisk
let journal: Journal
async function start(): Promise<void> {
  disk = newDisk()
  journal = await openOn(disk)
}
afterEach(() => journal.close())

const text = (path: string): string => Buffer.from(disk.readFile(`${ROOT}/${path}`)).toString()
const there = (path: string): boolean => disk.exists(`${ROOT}/${path}`)
const pathsOf = ({ details }: JournalError): string[] =>
  ((details?.conflicts ?? []) as { path: string }[]).map(({ path }) => path)
const LINES = Array.from({ length: 12 }, (_, n) => `line ${n + 1}\n`)
const lines = (changes: Readonly<Record<number, string>> = {}): string =>
  LINES.map((line, n) => changes[n + 1] ?? line).join('')

function write(path: string, content: string, meta: object = {}): Promise<Receipt> {
  return journal.transact(meta, (tx) => tx.write(path, content))
}

describe('what is taken back', () => {
  test('all that one prompt did, newest first, as one transaction; the rest stays', async () => {
    await start()
    await write('a', 'before\n')
    const first = await write('a', 'p1\n', { parent: 'p1' })
    await write('other', 'x\n', { parent: 'p2' })
    const second = await journal.transact({ parent: 'p1' }, async (tx) => {
      await tx.rename('a', 'b')
      await tx.write('new/c', 'c\n')
    })
    const undone = await journal.undo({ parent: 'p1' }, { message: 'no' })
    expect(undone.transactions).toEqual([second.tx, first.tx])
    expect([text('a'), text('other'), there('b'), there('new')]).toEqual(['before\n', 'x\n', false, false])
    expect(await journal.show(undone.tx)).toMatchObject({
      kind: 'undo',
      message: 'no',
      about: [
        { tx: second.tx, paths: null },
        { tx: first.tx, paths: null },
      ],
    })
    const redone = await journal.redo(undone.tx)
    expect(redone.transactions).toEqual([first.tx, second.tx])
    expect([text('b'), text('new/c'), there('a')]).toEqual(['p1\n', 'c\n', false])
    expect((await journal.verify()).problems).toEqual([])
  })

  test('by actor, tag, time and number; criteria are met all at once', async () => {
    await start()
    const one = await write('1', '1', { actor: 'ann', tags: ['t'] })
    const two = await write('2', '2', { actor: 'bob', tags: ['t', 'u'] })
    const three = await write('3', '3', { actor: 'ann' })
    const meant = async (selection: Parameters<Journal['undo']>[0]) =>
      (await journal.undo(selection, { dryRun: true })).transactions.map(({ tx }) => tx)
    expect(await meant({ actor: 'ann' })).toEqual([three.tx, one.tx])
    expect(await meant({ tag: 't' })).toEqual([two.tx, one.tx])
    expect(await meant({ tag: 't', actor: 'ann' })).toEqual([one.tx])
    expect(await meant({ since: 1 })).toEqual([three.tx, two.tx])
    expect(await meant({ since: 0, until: two.tx })).toEqual([two.tx, one.tx])
    expect(await meant([one.tx, 3, 'head'])).toEqual([three.tx, one.tx])
    expect(await meant({ tx: [1, 2], tag: 'u' })).toEqual([two.tx])
    expect(await meant(2)).toEqual([two.tx])
  })

  test('only some paths: the rest stands, and can be taken back later', async () => {
    await start()
    const made = await journal.transact(async (tx) => {
      await tx.write('src/a', 'a')
      await tx.write('src/b', 'b')
      await tx.write('c', 'c')
    })
    const part = await journal.undo({ tx: made.tx, paths: ['src/a'] })
    expect(await journal.show(part.tx)).toMatchObject({ about: [{ tx: made.tx, paths: ['src/a'] }] })
    expect([there('src/a'), there('src/b'), there('c')]).toEqual([false, true, true])
    await refused(disk, 'INVALID', () => journal.undo({ tx: made.tx, paths: ['src/a'] }))
    const rest = await journal.undo(made.tx)
    expect([there('src'), there('c')]).toEqual([false, false])
    await refused(disk, 'INVALID', () => journal.undo(made.tx))
    await journal.redo(rest.tx)
    expect([there('src/a'), there('src/b'), there('c')]).toEqual([false, true, true])
    await journal.redo(made.tx)
    expect(text('src/a')).toBe('a')
    await refused(disk, 'NOT_FOUND', () => journal.undo({ tx: made.tx, paths: ['elsewhere'] }))
  })

  test('a renamed file is taken at both its ends', async () => {
    await start()
    await write('old/f', 'content')
    const { tx } = await journal.rename('old/f', 'new/f')
    await journal.undo({ tx, paths: ['new'] })
    expect([text('old/f'), there('new/f')]).toEqual(['content', false])
  })

  test('a transaction and its undo, both meant, and one undone already', async () => {
    await start()
    await write('a', '0')
    const one = await write('a', '1', { actor: 'bob' })
    const undo = await journal.undo(one.tx, { actor: 'bob' })
    const gone = await write('b', 'b', { actor: 'bob' })
    await journal.undo(gone.tx, { actor: 'ann' })
    const kept = await write('c', 'c', { actor: 'bob' })
    // What ann did to `a` since is no conflict: of what bob did nothing is left there.
    await write('a', '5', { actor: 'ann' })
    const all = await journal.undo({ actor: 'bob' })
    expect(all.transactions).toEqual([kept.tx, undo.tx, one.tx])
    expect(all.passedOver).toEqual([gone.tx])
    expect([text('a'), there('b'), there('c')]).toEqual(['5', false, false])
    await refused(disk, 'INVALID', () => journal.undo({ actor: 'bob' }))
    await journal.redo(all.tx)
    expect([text('a'), text('c')]).toEqual(['5', 'c'])
    // As before: the first is undone by its undo, and not by the other.
    const again = await failure(() => journal.undo(one.tx))
    expect(again.message).toContain(undo.tx)
  })

  test('an undo of an undo of several, and of a part of it', async () => {
    await start()
    const { tx: one } = await write('a', 'a')
    const { tx: two } = await write('b', 'b')
    const undo = await journal.undo([one, two])
    expect([there('a'), there('b')]).toEqual([false, false])
    const back = await journal.undo(undo.tx)
    expect([text('a'), text('b')]).toEqual(['a', 'b'])
    expect((await failure(() => journal.redo(one))).code).toBe('INVALID')
    await journal.undo(back.tx)
    expect(there('a')).toBe(false)
    await journal.undo({ tx: undo.tx, paths: ['b'] }).catch(() => undefined)
    await journal.redo({ tx: [one] })
    expect([there('a'), there('b')]).toEqual([true, true])
  })

  test('nothing that is meant, or nothing said: a hint, and no change', async () => {
    await start()
    await write('a', 'a', { actor: 'ann' })
    expect((await refused(disk, 'NOT_FOUND', () => journal.undo({ actor: 'nobody' }))).hint).toContain('journal log')
    await refused(disk, 'INVALID', () => journal.undo({}))
    await refused(disk, 'INVALID', () => journal.undo([]))
    await refused(disk, 'INVALID', () => journal.undo({ paths: ['a'] }))
    await refused(disk, 'INVALID', () => journal.undo(null as never))
    await refused(disk, 'INVALID', () => journal.undo({ actor: 5 } as never))
    await refused(disk, 'INVALID', () => journal.undo([{}] as never))
    await refused(disk, 'NOT_FOUND', () => journal.undo([1, 99]))
    await refused(disk, 'PATH_OUTSIDE', () => journal.undo({ tx: 1, paths: ['../x'] }))
    await refused(disk, 'INVALID', () => journal.undo(1, { onConflict: 'mine' as never }))
    await refused(disk, 'INVALID', () => journal.undo(1, { onConflict: 'ours', force: true }))
    await refused(disk, 'INVALID', () => journal.redo({ actor: 'ann' }))
  })
})

describe('what others changed since', () => {
  async function both(): Promise<string> {
    await start()
    await write('f', lines())
    const { tx } = await write('f', lines({ 2: 'two\n', 9: 'nine\n' }), { actor: 'agent' })
    return tx
  }

  test('elsewhere in the text: it stays, and the result says so', async () => {
    const tx = await both()
    await write('f', lines({ 2: 'two\n', 9: 'nine\n', 12: 'twelve\n' }))
    const { merged } = await journal.undo(tx)
    expect(merged).toEqual(['f'])
    expect(text('f')).toBe(lines({ 12: 'twelve\n' }))
    await journal.redo(tx)
    expect(text('f')).toBe(lines({ 2: 'two\n', 9: 'nine\n', 12: 'twelve\n' }))
  })

  test('behind the back of the journal is no different, and is in the history', async () => {
    const tx = await both()
    const theirs = lines({ 2: 'two\n', 9: 'nine\n', 12: 'by hand\n' })
    disk.writeFile(`${ROOT}/f`, theirs)
    await journal.undo(tx)
    expect(text('f')).toBe(lines({ 12: 'by hand\n' }))
    await journal.undo('head')
    expect(text('f')).toBe(theirs)
  })

  test('in the same lines: refused with both sides, and who it was', async () => {
    const tx = await both()
    const later = await write('f', lines({ 2: 'zwei\n', 9: 'nine\n' }))
    const error = await refused(disk, 'CONFLICT', () => journal.undo(tx))
    expect(error.details?.conflicts).toMatchObject([
      {
        path: 'f',
        by: [later.tx],
        sides: [{ lines: [2, 2], base: 'two\n', ours: 'zwei\n', theirs: 'line 2\n' }],
      },
    ])
    const { conflicts, changes } = await journal.undo(tx, { dryRun: true })
    expect(conflicts).toEqual(error.details?.conflicts)
    expect(changes).toEqual([])
  })

  test.each([
    ['ours', { 2: 'zwei\n' }],
    ['theirs', {}],
  ] as const)('%s decides about that place only', async (onConflict, left) => {
    const tx = await both()
    await write('f', lines({ 2: 'zwei\n', 9: 'nine\n', 12: 'twelve\n' }))
    const undone = await journal.undo(tx, { onConflict })
    expect(undone).toMatchObject({ merged: ['f'], decided: ['f'] })
    expect(text('f')).toBe(lines({ ...left, 12: 'twelve\n' }))
    await refused(disk, 'INVALID', () => journal.undo(tx))
  })

  test('keep leaves the path, and it still stands; force does not look', async () => {
    await start()
    const { tx } = await journal.transact(async (step) => {
      await step.write('f', 'agent\n')
      await step.write('g', 'agent\n')
    })
    await write('f', 'somebody\n')
    const undone = await journal.undo(tx, { onConflict: 'keep' })
    expect(undone.kept).toEqual(['f'])
    expect([text('f'), there('g')]).toEqual(['somebody\n', false])
    expect((await journal.show(undone.tx)).about).toEqual([{ tx, paths: ['g'] }])
    expect((await refused(disk, 'CONFLICT', () => journal.undo(tx))).details?.conflicts).toHaveLength(1)
    expect((await refused(disk, 'CONFLICT', () => journal.undo(tx, { onConflict: 'keep' }))).details).toEqual({
      kept: ['f'],
    })
    await journal.undo(tx, { force: true })
    expect(there('f')).toBe(false)
    await journal.undo('head')
    expect(text('f')).toBe('somebody\n')
  })

  test('binary content, links and kinds collide as a whole; ours leaves them, theirs sets them back', async () => {
    await start()
    await journal.write('bin', new Uint8Array([0, 1]))
    await journal.write('kind', 'file')
    await journal.symlink('link', 'a')
    const { tx } = await journal.transact(async (step) => {
      await step.write('bin', new Uint8Array([0, 2]))
      await step.remove('kind')
      await step.remove('link')
      await step.symlink('link', 'b')
    })
    await journal.write('bin', new Uint8Array([0, 3]))
    await journal.mkdir('kind')
    await journal.write('kind/inside', 'x')
    await journal.remove('link')
    await journal.symlink('link', 'c')
    const error = await refused(disk, 'CONFLICT', () => journal.undo(tx))
    expect(pathsOf(error).sort()).toEqual(['bin', 'kind', 'link'])
    const left = await journal.undo(tx, { onConflict: 'ours' })
    expect([left.decided, left.files]).toEqual([['bin', 'kind', 'link'], []])
    await refused(disk, 'INVALID', () => journal.undo(tx))
    await journal.redo(tx)
    // A folder with things in it does not become a file, whoever wins.
    await refused(disk, 'CONFLICT', () => journal.undo(tx, { onConflict: 'theirs' }))
    await journal.remove('kind', { recursive: true })
    const undone = await journal.undo(tx, { onConflict: 'theirs' })
    expect(undone.decided).toEqual(['bin', 'link'])
    expect([...disk.readFile(`${ROOT}/bin`)]).toEqual([0, 1])
    expect([text('kind'), disk.readLink(`${ROOT}/link`)]).toEqual(['file', 'a'])
  })

  test('permissions and content are changed apart', async () => {
    await start()
    await write('f', 'one\n')
    const mode = await journal.chmod('f', 0o600)
    await write('f', 'two\n')
    await journal.undo(mode.tx)
    expect([text('f'), disk.lstat(`${ROOT}/f`)?.mode]).toEqual(['two\n', 0o644])
    const content = await write('f', 'three\n')
    await journal.chmod('f', 0o755)
    await journal.undo(content.tx)
    expect([text('f'), disk.lstat(`${ROOT}/f`)?.mode]).toEqual(['two\n', 0o755])
    const other = await journal.chmod('f', 0o700)
    await journal.chmod('f', 0o711)
    await refused(disk, 'CONFLICT', () => journal.undo(other.tx))
    const both = await journal.undo([other.tx, (await write('h', 'h')).tx], { onConflict: 'ours' })
    expect([both.files.length, both.decided]).toEqual([1, ['f']])
    expect(disk.lstat(`${ROOT}/f`)?.mode).toBe(0o711)
  })

  test('a file where a folder was: in the way', async () => {
    await start()
    await write('d/f', 'x')
    const { tx } = await journal.remove('d', { recursive: true })
    await write('d', 'a file now')
    const error = await refused(disk, 'CONFLICT', () => journal.undo(tx))
    expect(pathsOf(error)).toEqual(['d', 'd/f'])
    expect((await refused(disk, 'CONFLICT', () => journal.undo(tx, { onConflict: 'keep' }))).details).toEqual({
      kept: ['d', 'd/f'],
    })
  })

  test('a folder that others use stays', async () => {
    await start()
    const { tx } = await write('d/e/f', 'x')
    disk.writeFile(`${ROOT}/d/theirs`, 'theirs')
    const preview = await journal.undo(tx, { dryRun: true })
    expect(preview.changes.map(({ path }) => path)).toEqual(['d/e/f', 'd/e'])
    await journal.undo(tx)
    expect([there('d/e'), text('d/theirs')]).toEqual([false, 'theirs'])
  })

  test('a text that was purged meanwhile cannot be gone back to', async () => {
    await start()
    await write('f', 'secret\n')
    const { tx } = await write('f', 'clean\n')
    await journal.purge('f')
    expect((await failure(() => journal.undo(tx))).code).toBe('NOT_FOUND')
  })

  test('texts in UTF-16 and Latin-1 are merged in their encodings', async () => {
    for (const encode of [
      (value: string) => Buffer.from(`\ufeff${value}`, 'utf16le'),
      (value: string) => Buffer.from(value.replaceAll('line', 'Größe'), 'latin1'),
    ]) {
      await start()
      await journal.write('f', encode(lines()))
      const { tx } = await journal.write('f', encode(lines({ 2: 'two ü\n' })))
      await journal.write('f', encode(lines({ 2: 'two ü\n', 9: 'nine ä\n' })))
      await journal.undo(tx)
      expect(Buffer.from(disk.readFile(`${ROOT}/f`)).equals(encode(lines({ 9: 'nine ä\n' })))).toBe(true)
    }
  })

  test('merge: false makes every later change a conflict', async () => {
    const tx = await both()
    await write('f', lines({ 2: 'two\n', 9: 'nine\n', 12: 'twelve\n' }))
    await refused(disk, 'CONFLICT', () => journal.undo(tx, { merge: false }))
  })

  test('several of one file, with another in between', async () => {
    await start()
    await write('f', lines())
    await write('f', lines({ 1: 'A\n' }), { actor: 'agent' })
    await write('f', lines({ 1: 'A\n', 6: 'person\n' }), { actor: 'person' })
    await write('f', lines({ 1: 'A\n', 6: 'person\n', 12: 'B\n' }), { actor: 'agent' })
    const preview = await journal.undo({ actor: 'agent' }, { dryRun: true })
    expect(preview.changes).toMatchObject([{ path: 'f', merged: true, binary: false }])
    expect(preview.changes[0]?.patch).toContain('-A\n+line 1\n')
    await journal.undo({ actor: 'agent' })
    expect(text('f')).toBe(lines({ 6: 'person\n' }))
  })

  test('what is merged is looked at like anything new', async () => {
    disk = newDisk()
    journal = await openOn(disk, { validation: 'basic' })
    await write('f.json', '{\n"a": 1,\n"b": 2,\n"c": 3,\n"d": 4\n}\n')
    const { tx } = await write('f.json', '{\n"a": 1,\n"b": 2,\n"c": 3\n}\n')
    await write('f.json', '{\n"z": 0,\n"b": 2,\n"c": 3\n}\n')
    await journal.undo(tx)
    expect(JSON.parse(text('f.json'))).toEqual({ z: 0, b: 2, c: 3, d: 4 })
  })
})

test('a preview is plain, and changes nothing; a journal open for reading gives it too', async () => {
  await start()
  await write('f', 'one\n')
  const { tx } = await write('f', 'two\n')
  const preview = await journal.undo(tx, { dryRun: true })
  expect(JSON.parse(JSON.stringify(preview))).toEqual(preview)
  expect(preview).toMatchObject({
    kind: 'undo',
    transactions: [{ tx, seq: 2, paths: null }],
    changes: [{ path: 'f', patch: '--- a/f\n+++ b/f\n@@ -1,1 +1,1 @@\n-two\n+one\n' }],
  })
  expect((await collect(journal.history())).length).toBe(2)
  const reader = await openOn(disk, { readOnly: true })
  expect(await reader.undo(tx, { dryRun: true })).toEqual(preview)
  expect((await failure(() => reader.undo(tx))).code).toBe('INVALID')
  await reader.close()
})

test('a folder that goes with one change, and is needed by another, stays', async () => {
  await start()
  const { tx: made } = await write('d/a', 'a')
  await write('d/b', 'b')
  const { tx: gone } = await journal.remove('d/b')
  const { changes } = await journal.undo([made, gone], { dryRun: true })
  expect(changes.map(({ path, after }) => [path, after?.kind ?? null])).toEqual([
    ['d/a', null],
    ['d/b', 'file'],
  ])
  await journal.undo([made, gone])
  expect([there('d/a'), text('d/b')]).toEqual([false, 'b'])
})

test('what somebody else has done already is not done again, nor by a redo', async () => {
  await start()
  const { tx } = await journal.transact(async (step) => {
    await step.write('a', 'a')
    await step.write('b', 'b')
  })
  await journal.remove('b')
  await journal.undo(tx)
  expect([there('a'), there('b')]).toEqual([false, false])
  await journal.redo(tx)
  expect([there('a'), there('b')]).toEqual([true, false])
})

test('a redo brings back what was merged, not what was first written', async () => {
  await start()
  await write('f', lines())
  const { tx } = await write('f', lines({ 2: 'two\n', 9: 'nine\n' }))
  await write('f', lines({ 2: 'two\n' }))
  await journal.undo(tx)
  expect(text('f')).toBe(lines())
  await journal.redo(tx)
  expect(text('f')).toBe(lines({ 2: 'two\n' }))
})

test('a part of what an undo of several took back is made again from the beginning', async () => {
  await start()
  await write('f', lines())
  const { tx: one } = await write('f', lines({ 1: 'one\n' }))
  const { tx: two } = await write('f', lines({ 1: 'one\n', 6: 'six\n' }))
  const { tx: three } = await write('f', lines({ 1: 'one\n', 6: 'six\n', 12: 'twelve\n' }))
  await journal.undo([one, two, three])
  expect(text('f')).toBe(lines())
  await journal.redo([three, one])
  expect(text('f')).toBe(lines({ 1: 'one\n', 12: 'twelve\n' }))
  await journal.redo(two)
  expect(text('f')).toBe(lines({ 1: 'one\n', 6: 'six\n', 12: 'twelve\n' }))
})

test('a plain undo says what a receipt says, and no more', async () => {
  await start()
  const { tx } = await write('f', 'one\n')
  const undone: UndoReceipt = await journal.undo(tx)
  expect(Object.keys(undone)).toEqual(['tx', 'seq', 'chain', 'files'])
  expect(await journal.show(undone.tx)).toMatchObject({ of: tx })
  expect((await journal.show(undone.tx)).about).toBeUndefined()
})
