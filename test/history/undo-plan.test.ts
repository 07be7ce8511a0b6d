import fs from 'node:fs'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { State } from '../../src/entry/state.ts'
import type { HistoryIndex } from '../../src/history/history-index.ts'
import { planRestore, sparingOccupied } from '../../src/history/restore-plan.ts'
import { type PutOperation, planRedo, planUndo, type UndoPlan } from '../../src/history/undo-plan.ts'
import { strip, TestJournal } from './fixture.ts'

let made: TestJournal
let index: HistoryIndex
function start(): void {
  made = new TestJournal()
  index = made.index()
}
afterEach(() => made.close())

async function carryOut(plan: UndoPlan): Promise<string> {
  const entries = plan.operations.map(({ path, state, from = null }) => ({
    op: 'put' as const,
    path,
    before: from,
    after: state,
  }))
  return (await made.commit(entries, [], { kind: plan.kind, of: plan.of })).tx
}
const DIR: State = { kind: 'dir', mode: 0o755 }
const text = (value: string) => strip(made.file(value))

describe('undo and redo', () => {
  test('reversed effects, removals before what stays, in an order that can be carried out', async () => {
    start()
    await made.set({ old: 'x', dir: DIR, 'dir/gone': 'g' })
    const { tx } = await made.set({
      'dir/gone': null,
      dir: null,
      new: DIR,
      'new/deep': DIR,
      'new/deep/f': 'f',
      old: 'y',
    })
    const { operations } = await planUndo(index, tx)
    expect(operations.map(({ path, state }) => [path, state?.kind ?? null])).toEqual([
      ['new/deep/f', null],
      ['new/deep', null],
      ['new', null],
      ['dir', 'dir'],
      ['dir/gone', 'file'],
      ['old', 'file'],
    ])
    expect(operations.at(-1)).toEqual({ op: 'put', path: 'old', state: text('x'), from: text('y') })
  })

  test('what is undone cannot be undone again until it was redone; an undo of an undo makes it stand again', async () => {
    start()
    const { tx } = await made.set({ a: '1' })
    await expect(planRedo(index, tx)).rejects.toMatchObject({ code: 'INVALID' })
    const undo = await carryOut(await planUndo(index, tx))
    await expect(planUndo(index, tx)).rejects.toMatchObject({ code: 'INVALID', hint: expect.stringContaining('redo') })
    const redo = await carryOut(await planRedo(index, undo))
    await expect(planRedo(index, tx)).rejects.toMatchObject({ code: 'INVALID' })
    await expect(planRedo(index, undo)).rejects.toMatchObject({ code: 'INVALID' })
    await carryOut(await planUndo(index, redo))
    const again = await planRedo(index, tx)
    expect(again).toMatchObject({ kind: 'redo', of: tx, operations: [{ path: 'a', state: text('1'), from: null }] })
    await carryOut(again)
    const second = await carryOut(await planUndo(index, tx))
    const back = await carryOut(await planUndo(index, second))
    expect(made.states.get('a')).toEqual(text('1'))
    await expect(planRedo(index, tx)).rejects.toMatchObject({ code: 'INVALID' })
    // To redo the undo that was taken back is to undo again.
    expect(await planRedo(index, second)).toMatchObject({
      kind: 'redo',
      of: second,
      operations: [{ path: 'a', state: null }],
    })
    expect(await planRedo(index, back)).toMatchObject({ of: second })
  })

  test('a transaction that changed nothing has nothing to undo', async () => {
    start()
    const { tx } = await made.set({ a: null })
    await expect(planUndo(index, tx)).rejects.toMatchObject({ code: 'INVALID' })
    await expect(planUndo(index, 'tzzzz')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('undo is the inverse, for random histories', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.option(fc.constantFrom('1', '2'), { nil: null })), {
          minLength: 1,
          maxLength: 6,
        }),
        async (changes) => {
          start()
          for (const change of changes.slice(0, -1)) await made.set(change)
          const before = new Map(made.states)
          const { tx } = await made.set(changes.at(-1) as Record<string, string | null>)
          const plan = await planUndo(index, tx).catch(() => null)
          if (plan !== null) await carryOut(plan)
          for (const [path, state] of made.states) expect(state).toEqual(before.get(path) ?? null)
          await made.close()
        },
      ),
      { numRuns: 25 },
    )
    start()
  })
})

describe('restore', () => {
  const outline = (operations: readonly PutOperation[]) =>
    operations.map(({ path, state, from }) => [path, state, from])

  test('to before the first touch: what stood there comes back, what the journal made goes', async () => {
    start()
    const theirs = made.file('theirs')
    await made.set({ first: '1' })
    await made.commit(
      [{ op: 'write', path: 'mine', before: strip(theirs), after: text('2') }],
      [theirs.bytes, Buffer.from('2')],
    )
    await made.set({ mine: '3', made: 'm', first: '4' })
    expect(outline(await planRestore(index, 1))).toEqual([
      ['made', null, text('m')],
      ['first', text('1'), text('4')],
      ['mine', strip(theirs), text('3')],
    ])
    expect(outline(await planRestore(index, 0, ['mine', './mine']))).toEqual([['mine', strip(theirs), text('3')]])
    expect(await planRestore(index, 3)).toEqual([])
    await expect(planRestore(index, 0, ['mine', 'never'])).rejects.toMatchObject({ code: 'NOT_FOUND', path: 'never' })
  })

  test('a folder with files of somebody else stays, and so do those above it', async () => {
    start()
    await made.set({ d: DIR, 'd/e': DIR, 'd/e/f': 'f', g: DIR })
    for (const folder of ['d', 'd/e', 'g']) fs.mkdirSync(`${made.root}/${folder}`)
    fs.writeFileSync(`${made.root}/d/e/f`, 'f')
    fs.writeFileSync(`${made.root}/d/e/theirs`, '')
    const { operations, spared } = sparingOccupied(await planRestore(index, 0), made.disk, made.root)
    expect(operations.map(({ path }) => path)).toEqual(['g', 'd/e/f'])
    expect(spared).toEqual(['d/e', 'd'])
  })
})
