import fs from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import type { State } from '../../src/entry/state.ts'
import type { HistoryIndex } from '../../src/history/history-index.ts'
import type { PutOperation } from '../../src/history/put-order.ts'
import { planRestore, sparingOccupied } from '../../src/history/restore-plan.ts'
import { strip, TestJournal } from './fixture.ts'

let made: TestJournal
let index: HistoryIndex
function start(): void {
  made = new TestJournal()
  index = made.index()
}
afterEach(() => made.close())

const DIR: State = { kind: 'dir', mode: 0o755 }
const text = (value: string) => strip(made.file(value))

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
