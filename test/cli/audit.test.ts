import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test, vi } from 'vitest'
import {
  commit,
  errorOf,
  journal,
  journalLines,
  journalObject,
  prepare,
  temporaryFolder,
  workspace,
} from './journal-process.ts'

vi.setConfig({ testTimeout: 30_000 })

/** Turns the byte in the middle of `text` in the log around. */
function damage(root: string, text: string): void {
  const log = path.join(root, '.journal', 'log')
  for (const name of readdirSync(log)) {
    const file = path.join(log, name)
    const bytes = readFileSync(file)
    const found = bytes.indexOf(text)
    if (found === -1) continue
    bytes[found] = (bytes[found] as number) ^ 0xff
    writeFileSync(file, bytes)
    return
  }
  throw new Error(`${text} is not in the log`)
}

describe.concurrent('verify', () => {
  test('says that all is well', async ({ expect }) => {
    const cwd = await workspace()
    await commit(cwd, { 'a.txt': 'a' })
    const result = await journalObject(['verify'], { cwd })
    expect(result).toMatchObject({
      ok: true,
      transactions: 1,
      frames: expect.any(Number),
      blobs: expect.any(Number),
      problems: [],
    })
    const text = await journal(['verify'], { cwd })
    expect(text.stdout).toMatch(/^ok: 1 transaction, \d+ frames?, \d+ blobs?\n$/)
    expect((await journalObject(['verify', '--no-workspace'], { cwd })).ok).toBe(true)
  })

  test('an older copy of the whole journal is found by the head that was kept elsewhere', async ({ expect }) => {
    const cwd = await workspace()
    const older = temporaryFolder()
    const empty = (await journal(['head'], { cwd })).stdout.trim()
    await commit(cwd, { 'a.txt': 'a' })
    cpSync(path.join(cwd, '.journal'), path.join(older, 'journal'), { recursive: true })
    const first = await journalObject(['head'], { cwd })
    const receipt = await commit(cwd, { 'a.txt': 'b' })
    const kept = (await journal(['head'], { cwd })).stdout
    expect(kept).toBe(`${receipt.chain}\n`)
    for (const head of [empty, first.chain, kept.trim(), kept.trim().toUpperCase()])
      expect((await journalObject(['verify', '--head', String(head)], { cwd })).ok).toBe(true)

    rmSync(path.join(cwd, '.journal'), { recursive: true })
    cpSync(path.join(older, 'journal'), path.join(cwd, '.journal'), { recursive: true })
    expect((await journalObject(['verify', '--head', String(first.chain)], { cwd })).ok).toBe(true)
    const run = await journal(['verify', '--json', '--head', kept.trim()], { cwd })
    expect(run.code).toBe(4)
    expect(JSON.parse(run.stdout)).toMatchObject({ ok: false, problems: [{ kind: 'head' }] })
    // The tree says otherwise, too.
    expect((await journalObject(['verify'], { cwd })).changed).toMatchObject([{ path: 'a.txt' }])
    const wrong = await journal(['verify', '--head', 'abc'], { cwd })
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('journal head')])
  })

  test('says what is damaged: exit code 4', async ({ expect }) => {
    const cwd = await workspace()
    await commit(cwd, { 'a.txt': 'a content that is about to be damaged' })
    await commit(cwd, { 'b.txt': 'b' })
    damage(cwd, 'about to be damaged')
    const run = await journal(['verify', '--json'], { cwd })
    expect(run.code).toBe(4)
    const result = JSON.parse(run.stdout)
    expect(result).toMatchObject({
      ok: false,
      transactions: expect.any(Number),
      frames: expect.any(Number),
      blobs: expect.any(Number),
    })
    expect(result.problems.length).toBeGreaterThan(0)
    expect(result.problems[0]).toMatchObject({ kind: expect.any(String), message: expect.any(String) })
    const text = await journal(['verify'], { cwd })
    expect(text.code).toBe(4)
    expect(text.stdout).toMatch(/^damaged: \d+ problems? in /)
  })
})

describe.concurrent('replay', () => {
  test('rebuilds any point in another folder', async ({ expect }) => {
    const cwd = await workspace()
    await commit(cwd, { 'a.txt': '1', 'dir/b.txt': 'b' })
    await prepare(cwd, {}, async (tx) => {
      await tx.write('a.txt', '22')
      await tx.symlink('link', 'a.txt')
    })
    const out = temporaryFolder()
    const then = await journalObject(['replay', '--to', path.join(out, 'then'), '--at', '1'], { cwd })
    expect(then).toEqual({ files: 2, bytes: 2, seq: 1 })
    expect(readFileSync(path.join(out, 'then', 'a.txt'), 'utf8')).toBe('1')
    // A relative folder is one of the current folder, not of the workspace.
    const now = await journalObject(['replay', '--to', 'now', '--root', cwd], { cwd: out })
    expect(now).toMatchObject({ seq: 2 })
    expect(readFileSync(path.join(out, 'now', 'a.txt'), 'utf8')).toBe('22')
    expect(readFileSync(path.join(out, 'now', 'dir', 'b.txt'), 'utf8')).toBe('b')
    expect(readlinkSync(path.join(out, 'now', 'link'))).toBe('a.txt')
    expect(existsSync(path.join(out, 'now', '.journal'))).toBe(false)
  })

  test('does not write into a folder with something in it', async ({ expect }) => {
    const cwd = await workspace()
    await commit(cwd, { 'a.txt': '1' })
    const out = temporaryFolder()
    mkdirSync(path.join(out, 'full'))
    writeFileSync(path.join(out, 'full', 'a.txt'), 'mine')
    const run = await journal(['replay', '--to', path.join(out, 'full'), '--json'], { cwd })
    expect(run.code).toBe(1)
    expect(errorOf(run)).toMatchObject({ hint: expect.stringMatching(/\S/) })
    expect(readFileSync(path.join(out, 'full', 'a.txt'), 'utf8')).toBe('mine')
  })
})

describe.concurrent('upkeep', () => {
  test('export prints a header and a line a transaction, with and without --json', async ({ expect }) => {
    const cwd = await workspace()
    const first = await commit(cwd, { 'a.txt': 'a content' })
    const second = await commit(cwd, { 'a.txt': null })
    const lines = await journalLines(['export'], { cwd })
    expect(lines.map(({ type }) => type)).toEqual(['header', 'transaction', 'transaction', 'end'])
    expect(lines.slice(1, 3).map(({ tx }) => tx)).toEqual([first.tx, second.tx])
    expect(JSON.stringify(lines[1])).toContain('a content')
    const plain = await journal(['export'], { cwd })
    expect(
      plain.stdout
        .trimEnd()
        .split('\n')
        .slice(1) // the header tells the time of the export
        .map((line) => JSON.parse(line)),
    ).toEqual(lines.slice(1))
  })

  test('stats counts', async ({ expect }) => {
    const cwd = await workspace()
    await commit(cwd, { 'a.txt': 'a', 'b.txt': 'b' }, { actor: 'tester' })
    const stats = await journalObject(['stats'], { cwd })
    expect(stats).toMatchObject({ transactions: 1, entries: 2, paths: 2, actors: ['tester'], segments: 1 })
    for (const key of ['logBytes', 'blobBytes', 'blobs', 'indexBytes', 'brokenBytes', 'stagingBytes']) {
      expect(stats[key], key).toEqual(expect.any(Number))
    }
    expect(stats.first).toBe(stats.last)
    const text = await journal(['stats'], { cwd })
    expect(text.stdout).toMatch(/^transactions\t1\noperations\t2\n/)
  })

  test('checkpoint says where it stands', async ({ expect }) => {
    const cwd = await workspace()
    const { seq, chain } = await commit(cwd, { 'a.txt': 'a' })
    expect(await journalObject(['checkpoint'], { cwd })).toEqual({ seq, chain, time: expect.any(Number) })
  })

  test('compact keeps the history', async ({ expect }) => {
    const cwd = await workspace()
    await commit(cwd, { 'a.txt': 'a' })
    expect(await journalObject(['compact'], { cwd })).toMatchObject({
      ...{ blobsRemoved: 0, filesRemoved: 0, bytesFreed: expect.any(Number) },
    })
    expect((await journalObject(['verify'], { cwd })).ok).toBe(true)
    expect((await journal(['cat', 'a.txt'], { cwd })).stdout).toBe('a')
  })

  test('compact drops what is beyond a limit, and says so; what is no limit is a wrong usage', async ({ expect }) => {
    const cwd = await workspace()
    for (const text of ['one', 'two', 'three']) await commit(cwd, { 'a.txt': text })
    const limits = ['compact', '--keep-transactions', '0']
    expect(await journalObject([...limits], { cwd })).toMatchObject({ transactionsDropped: 3, horizon: 3 })
    await commit(cwd, { 'a.txt': 'four' })
    expect((await journal(['cat', 'a.txt', '--at', '3'], { cwd })).stdout).toBe('three')
    const gone = await journal(['undo', '2', '--json'], { cwd })
    expect(gone.code).toBe(1)
    expect(JSON.parse(gone.stderr).error).toMatchObject({ code: 'NOT_FOUND', dropped: { seq: 3 } })
    const verified = await journalObject(['verify'], { cwd })
    expect(verified).toMatchObject({ ok: true, transactions: 1, horizon: { seq: 3, reason: 'transactions' } })
    expect((await journal(['stats'], { cwd })).stdout).toMatch(/^transactions\t1\ndropped\t3\n/)
    const sized = await journalObject(['compact', '--max-bytes', '1K', '--keep-days', '30', '--dry-run'], { cwd })
    expect(sized).toMatchObject({ horizon: expect.any(Number) })
    for (const wrong of [
      ['--keep-transactions', '-1'],
      ['--max-bytes', 'much'],
      ['--keep-days', '0'],
    ])
      expect((await journal(['compact', ...wrong], { cwd })).code, wrong.join(' ')).toBe(2)
  })

  test('purge erases what a path held, and only that', async ({ expect }) => {
    const cwd = await workspace()
    const secret = 'the secret that slipped in'
    await commit(cwd, { '.env': secret, 'a.txt': 'innocent' })
    await commit(cwd, { '.env': null })
    const preview = await journalObject<{ hashes: string[] }>(['purge', '.env', '--dry-run'], { cwd })
    expect(preview.hashes).toHaveLength(1)
    expect((await journal(['cat', '.env', '--at', '1'], { cwd })).stdout).toBe(secret)
    const purged = await journalObject<{ hashes: string[] }>(['purge', '.env', '-m', 'leaked'], { cwd })
    expect(purged).toMatchObject({ hashes: preview.hashes, kept: [], bytes: expect.any(Number) })
    const gone = await journal(['cat', '.env', '--at', '1'], { cwd })
    expect(gone.code).not.toBe(0)
    expect((await journal(['export'], { cwd })).stdout).not.toContain(secret)
    expect((await journal(['cat', 'a.txt'], { cwd })).stdout).toBe('innocent')
    expect((await journalObject(['verify'], { cwd })).ok).toBe(true)
  })
})
