import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'vitest'
import { commit, errorOf, journal, journalObject, workspace } from './journal-process.ts'

interface Salvaged {
  readonly salvaged: number
  readonly lost: readonly { readonly seq: number; readonly tx: string | null; readonly paths: readonly string[] }[]
  readonly kept: string
}

/** Four transactions; the second one's record is damaged, and with it the first checkpoint that led over it is gone. */
async function damaged(): Promise<{ cwd: string; tx: string; log: string; bytes: Buffer }> {
  const cwd = await workspace()
  const log = path.join(cwd, '.journal/log/000000000001.wal')
  await commit(cwd, { 'a.txt': 'one' })
  const { tx } = await commit(cwd, { 'b.txt': 'two' })
  await commit(cwd, { 'a.txt': 'three' })
  await commit(cwd, { 'c.txt': 'four' })
  const bytes = readFileSync(log)
  // Behind the content of the transaction comes its commit, which has its id too.
  const at = bytes.lastIndexOf(tx)
  bytes[at + 40] = (bytes[at + 40] as number) ^ 0xff
  writeFileSync(log, bytes)
  return { cwd, tx, log, bytes }
}

function cutEnd(log: string): Buffer {
  const bytes = readFileSync(log)
  const end = bytes.findLastIndex((byte) => byte !== 0)
  const cut = bytes.subarray(0, end - 30)
  writeFileSync(log, cut)
  return cut
}

describe.concurrent('recover --salvage', { timeout: 60_000 }, () => {
  test('goes on without a damaged transaction, names it, and keeps what was damaged', async ({ expect }) => {
    const { cwd, tx, bytes } = await damaged()
    expect((await journal(['verify'], { cwd })).code).toBe(4)
    const preview = await journalObject<Salvaged>(['recover', '--salvage', '--dry-run'], { cwd })
    expect(preview).toMatchObject({ salvaged: 3, lost: [{ seq: 2, tx, paths: ['b.txt'] }] })
    const done = await journalObject<Salvaged>(['recover', '--salvage'], { cwd })
    expect(done).toMatchObject({ replayed: [], salvaged: 3, lost: [{ seq: 2, tx, paths: ['b.txt'] }], versions: [] })
    expect(done.kept).toMatch(/^broken\/salvage-\d+$/)
    const copy = path.join(cwd, '.journal', `${done.kept}-log-000000000001.wal`)
    expect(readFileSync(copy).equals(bytes)).toBe(true)
    const verified = await journalObject(['verify'], { cwd })
    expect(verified).toMatchObject({ ok: true, transactions: 3, gaps: [{ lost: { from: 2, to: 2 } }] })
    expect((await journal(['verify'], { cwd })).stdout).toContain('transaction number 2')
    expect((await journal(['show', '2'], { cwd })).code).toBe(1)
    expect((await journal(['cat', 'c.txt'], { cwd })).stdout).toBe('four')
    expect(readFileSync(path.join(cwd, 'b.txt'), 'utf8')).toBe('two')
    expect((await journal(['write', 'd.txt'], { cwd, input: 'five' })).code).toBe(0)
    expect((await journal(['recover', '--salvage'], { cwd })).stdout).toBe('Nothing was left to recover.\n')
  })

  test('without it nothing is changed, exit code 4, and the hint says what would be saved', async ({ expect }) => {
    const { cwd, log } = await damaged()
    const cut = cutEnd(log)
    const before = readdirSync(path.join(cwd, '.journal')).sort()
    const run = await journal(['recover', '--json'], { cwd })
    expect(run.code).toBe(4)
    const hint = expect.stringMatching(/--salvage.*would keep \d transactions? and lose \d transactions?: .*\(2\)/)
    expect(errorOf(run)).toMatchObject({ code: 'CORRUPT', hint })
    expect(readFileSync(log).equals(cut)).toBe(true)
    expect(readdirSync(path.join(cwd, '.journal')).sort()).toEqual(before)
    const human = await journal(['recover', '--salvage'], { cwd })
    expect(human.code).toBe(0)
    expect(human.stdout).toMatch(/lost: transaction number 2 \(t[0-9a-z]{15}\): b\.txt/)
    expect(human.stdout).toContain('.journal/broken/salvage-')
    expect((await journal(['verify'], { cwd })).code).toBe(0)
  })

  test('has nothing to save where no frame can be read: exit code 4', async ({ expect }) => {
    const { cwd, log } = await damaged()
    writeFileSync(log, Buffer.alloc(1000, 7))
    const run = await journal(['recover', '--salvage', '--json'], { cwd })
    expect(run.code).toBe(4)
    expect(errorOf(run)).toMatchObject({ code: 'CORRUPT' })
    expect(readFileSync(log).equals(Buffer.alloc(1000, 7))).toBe(true)
  })
})
