import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test, vi } from 'vitest'
import type { Intent, LeaseInfo, Overlaps } from '../../src/index.ts'
import { commit, errorOf, journal, journalLines, journalObject, newest, workspace } from './journal-process.ts'

vi.setConfig({ testTimeout: 60_000 })

describe.concurrent('journal intent', () => {
  test('announces, lists, compares and withdraws', async ({ expect }) => {
    const cwd = await workspace()
    mkdirSync(path.join(cwd, 'sub'))
    const first = await journalObject<{ id: string }>(
      ['intent', 'announce', 'a', '../docs/', '--what', 'soon', '--actor', 'one'],
      {
        cwd: path.join(cwd, 'sub'),
      },
    )
    const second = await journal(['intent', 'announce', 'sub', '--actor', 'two', '--ttl', '2h'], { cwd })
    expect(second).toMatchObject({ code: 0, stderr: '' })
    expect(second.stdout).toContain('  sub/a: one, two\n')
    expect(second.stdout).toContain('One batch would save 1 sync and 1 file operation.\n')
    const intents = await journalLines<Intent>(['intent', 'list'], { cwd })
    expect(intents).toMatchObject([
      { id: first.id, actor: 'one', what: 'soon', paths: ['docs', 'sub/a'] },
      { actor: 'two', paths: ['sub'] },
    ])
    expect(intents[0]).not.toHaveProperty('pid')
    expect((await journal(['intent', 'list'], { cwd })).stdout).toMatch(
      /one\tfor 60 min\tdocs sub\/a\tsoon\n.*\ttwo\tfor 120 min\tsub\n/,
    )
    expect((await journalObject<Overlaps>(['intent', 'overlaps'], { cwd })).saving).toEqual({
      syncs: 1,
      fileOperations: 1,
    })
    await journalObject(['intent', 'withdraw', first.id], { cwd })
    expect(await journalLines(['intent', 'list'], { cwd })).toHaveLength(1)
    const gone = await journal(['intent', 'withdraw', first.id, '--json'], { cwd })
    expect([gone.code, errorOf(gone).code]).toEqual([1, 'NOT_FOUND'])
  })

  test.each([
    [['intent', 'shout', 'a'], 'INVALID', 2],
    [['intent', 'announce'], 'INVALID', 2],
    [['intent', 'withdraw'], 'INVALID', 2],
    [['intent', 'list', 'a'], 'INVALID', 2],
    [['intent', 'announce', 'a', '--ttl', 'soon'], 'INVALID', 2],
    [['intent', 'announce', 'a', '--ttl', '2d'], 'INVALID', 1],
    [['intent', 'announce', '.journal'], 'PATH_OUTSIDE', 1],
    [['intent', 'announce', '../x'], 'PATH_OUTSIDE', 1],
    [['lease', 'borrow', 'a'], 'INVALID', 2],
    [['lease', 'acquire'], 'INVALID', 2],
    [['lease', 'acquire', 'a', '--pid', '2147483647'], 'INVALID', 1],
    [['lease', 'release', 'a'], 'INVALID', 2],
    [['lease', 'renew'], 'INVALID', 2],
    [['lease', 'renew', '99'], 'LOCKED', 5],
    [['agents', 'forget', 'x'], 'INVALID', 2],
    [['agents', 'check'], 'INVALID', 2],
    [['plan'], 'INVALID', 2],
    [['plan', '--team', 'nothing.json'], 'NOT_FOUND', 1],
    [['coordinate', 'nothing.json'], 'NOT_FOUND', 1],
  ])('%j is %s, exit code %d, and changes nothing', async (args, code, exit) => {
    const cwd = await workspace()
    const run = await journal([...args, '--json'], { cwd })
    if (run.code !== exit || errorOf(run).code !== code) throw new Error(`${run.code} ${run.stdout} ${run.stderr}`)
    if ((await newest(cwd)) !== 0) throw new Error('something was committed')
  })
})

describe.concurrent('journal lease', () => {
  test('is for who has its token, from command to command', async ({ expect }) => {
    const cwd = await workspace()
    await commit(cwd, { 'src/a': '1' })
    const { token, paths } = await journalObject<LeaseInfo>(
      ['lease', 'acquire', 'src/', '--ttl', '10m', '--actor', 'builder'],
      { cwd },
    )
    expect(paths).toEqual(['src'])
    const refused = await journal(['rm', 'src/a', '--json'], { cwd })
    expect(refused.code).toBe(5)
    expect(errorOf(refused)).toMatchObject({
      code: 'LOCKED',
      path: 'src/a',
      holder: { actor: 'builder' },
      lease: { token },
    })
    expect((await journal(['lease', 'acquire', 'src/a'], { cwd })).stderr).toContain(
      'leased by builder for 10 min more',
    )
    await journalObject(['write', 'src/b', '--lease', String(token)], { cwd, input: '2' })
    await journalObject(['undo', 'head', '--lease', String(token)], { cwd })
    expect((await journal(['lease', 'list'], { cwd })).stdout).toBe(`${token}\tbuilder\tfor 10 min\tsrc\n`)
    expect((await journal(['lease', 'renew', String(token), '--ttl', '1h'], { cwd })).stdout).toBe(
      `renewed ${token} for 60 min\n`,
    )
    expect(await journalObject(['lease', 'release', String(token)], { cwd })).toEqual({ token, released: true })
    expect(await journalObject(['lease', 'release', String(token)], { cwd })).toEqual({ token, released: false })
    expect((await journal(['write', 'src/b', '--lease', String(token)], { cwd, input: '2' })).code).toBe(5)
    await journalObject(['rm', 'src/a'], { cwd })
    expect((await journal(['log'], { cwd })).stdout).toMatch(/\tlease release\t0\n/)
  })

  test('of a process ends with it, and somebody who waits gets it then', async ({ expect }) => {
    const cwd = await workspace()
    const holder = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    try {
      await journalObject(['lease', 'acquire', 'a', '--pid', String(holder.pid)], { cwd })
      expect((await journal(['lease', 'acquire', 'a', '--wait', '50ms'], { cwd })).code).toBe(5)
      const waiting = journalObject<LeaseInfo>(['lease', 'acquire', 'a', '--wait', '50s'], { cwd })
      holder.kill('SIGKILL')
      expect((await waiting).token).toBe(2)
    } finally {
      holder.kill('SIGKILL')
    }
  })
})

describe.concurrent('journal agents', () => {
  test('says what holds for whom, and for which paths', async ({ expect }) => {
    const cwd = await workspace()
    expect((await journal(['agents'], { cwd })).stdout).toBe('')
    const config = path.join(cwd, '.journal/config.yaml')
    writeFileSync(config, 'agents:\n  "*":\n    maxFiles: 9\n  "re*":\n    paths: [docs, "!docs/secret"]\n')
    expect(await journalLines(['agents'], { cwd })).toEqual([
      { name: '*', settings: { maxFiles: 9 } },
      { name: 're*', settings: { paths: ['docs', '!docs/secret'] } },
    ])
    const run = await journal(['agents', 'check', 'reviewer', 'docs/a', 'docs/secret/b', 'docs/../src/x', '--json'], {
      cwd,
    })
    expect([run.code, JSON.parse(run.stdout)]).toEqual([
      1,
      {
        actor: 'reviewer',
        settings: { maxFiles: 9, paths: ['docs', '!docs/secret'] },
        from: { maxFiles: '*', paths: 're*' },
        paths: [
          { path: 'docs/a', allowed: true },
          { path: 'docs/secret/b', allowed: false },
          { path: 'src/x', allowed: false },
        ],
      },
    ])
    expect((await journal(['agents', 'check', 'reviewer', 'docs/a'], { cwd })).code).toBe(0)
    const denied = await journal(['write', 'src/x', '--actor', 'reviewer', '--json'], { cwd, input: '1' })
    expect([denied.code, errorOf(denied)]).toMatchObject([
      1,
      { code: 'DENIED', rule: 'paths', agent: 're*', path: 'src' },
    ])
    expect((await journal(['log', '--actor', 'reviewer'], { cwd })).stdout).toMatch(/\tbreach paths\t0\n/)
    writeFileSync(config, 'agents:\n  x: 1\n')
    for (const args of [['agents'], ['write', 'a']]) {
      const broken = await journal([...args, '--json'], { cwd, input: '1' })
      expect([broken.code, errorOf(broken).message]).toEqual([
        1,
        expect.stringContaining('config.yaml, line 2: agents.x'),
      ])
    }
  })
})

describe.concurrent('journal plan, journal coordinate', () => {
  const team = JSON.stringify({
    tasks: [
      {
        agent: 'builder',
        message: 'all of b',
        files: [{ path: 'a.js', edits: [{ oldText: 'b', newText: '*', all: true }] }],
      },
      { agent: 'tester', files: [{ path: 'b.js', content: 'export const c = 1\n' }] },
    ],
  })

  test('prints the plan, and does it under the names of the agents', async ({ expect }) => {
    const cwd = await workspace()
    await commit(cwd, { 'a.js': "export { b } from './b.js'\n", 'b.js': 'export const b = 1\n' })
    writeFileSync(path.join(cwd, 'team.json'), team)
    const text = await journal(['plan', '--team', 'team.json'], { cwd })
    expect(text.stdout).toContain('## Level 2\n\n- **builder** (builder#1): `a.js`\n')
    expect(text.stdout).toContain('- tester#1 before builder#1: `a.js` imports `b.js`\n')
    const plan = await journalObject(['plan', '--team', '-'], { cwd, input: team })
    expect(plan).toMatchObject({ gain: { transactions: { alone: 2, planned: 2 } }, cycles: [] })
    expect(JSON.stringify(plan)).not.toContain('oldText')
    expect(await newest(cwd)).toBe(1)
    const done = await journalObject<{ plan: string; transactions: { agent: string }[] }>(['coordinate', 'team.json'], {
      cwd,
    })
    expect(done.transactions.map(({ agent }) => agent)).toEqual(['tester', 'builder'])
    const log = await journalLines(['log', '--parent', done.plan], { cwd })
    expect(log).toMatchObject([{ actor: 'builder', message: 'all of b' }, { actor: 'tester' }])
    expect(readFileSync(path.join(cwd, 'b.js'), 'utf8')).toBe('export const c = 1\n')
    const again = await journal(['coordinate', '-', '--json'], { cwd, input: team.replaceAll('"b"', '"nowhere"') })
    expect([again.code, errorOf(again)]).toMatchObject([1, { code: 'INVALID', failed: ['builder#1'], left: [] }])
    const none = await journal(['coordinate', '-', '--json'], { cwd, input: '{' })
    expect([none.code, errorOf(none).code]).toEqual([1, 'INVALID'])
  })
})
