import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TeamRequest, TeamTask } from '../../src/index.ts'
import { PlannedFiles } from '../../src/team/references.ts'
import { levelsOf, type TaskEdge } from '../../src/team/task-graph.ts'
import { collect, failure, newDisk, openOn, ROOT, refused } from '../journal/fixture.ts'

async function opened(files: Record<string, string>) {
  const disk = newDisk()
  for (const [name, text] of Object.entries(files)) {
    disk.mkdirp(`${ROOT}/${name}`.replace(/\/[^/]*$/, ''))
    disk.writeFile(`${ROOT}/${name}`, text)
  }
  const journal = await openOn(disk)
  const read = (name: string) => Buffer.from(disk.readFile(`${ROOT}/${name}`)).toString()
  return { disk, journal, read }
}

const edit = (path: string, oldText: string, newText: string) => ({ path, edits: [{ oldText, newText }] })

describe('the levels of tasks', () => {
  const edges = fc
    .array(fc.record({ first: fc.nat(11), next: fc.nat(11), hard: fc.boolean() }), { maxLength: 40 })
    .map((list) => list.filter(({ first, next }) => first !== next))

  it('put every task on one, each hard edge upwards, and each soft one too unless it is part of a cycle', () =>
    fc.assert(
      fc.property(edges, (list) => {
        const hardFirst = (edge: TaskEdge) =>
          edge.hard ? { ...edge, first: Math.min(edge.first, edge.next), next: Math.max(edge.first, edge.next) } : edge
        const given = list.map(hardFirst)
        const { levels, cycles } = levelsOf(12, given, String)
        expect(levels.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, at) => at))
        const at = new Map(levels.flatMap((level, number) => level.map((task) => [task, number] as const)))
        const inCycle = (edge: TaskEdge) =>
          cycles.some((cycle) => cycle.includes(edge.first) && cycle.includes(edge.next))
        for (const edge of given) {
          const [before, after] = [at.get(edge.first) as number, at.get(edge.next) as number]
          if (edge.hard || !inCycle(edge)) expect(before).toBeLessThan(after)
        }
        for (const cycle of cycles) {
          if (given.some((edge) => edge.hard && inCycle(edge))) continue
          expect(new Set(cycle.map((task) => at.get(task))).size).toBe(1)
        }
      }),
    ))

  it('cannot be had of tasks that were said to wait for each other', () => {
    const hard = (first: number, next: number): TaskEdge => ({ first, next, hard: true })
    expect(() => levelsOf(3, [hard(0, 1), hard(1, 2), hard(2, 0)], String)).toThrow(/wait for each other: 0, 1, 2/)
    expect(() => levelsOf(1, [hard(0, 0)], String)).toThrow(/wait for each other: 0/)
  })
})

describe('references between planned files', () => {
  const of = (path: string, text: string, ...others: string[]) =>
    new PlannedFiles([path, ...others]).referencesOf(path, text).map((found) => found.path)

  it.each([
    [
      'src/a.ts',
      'import { b } from \'./b.ts\'\nexport * from "../c/index.js"',
      ['src/b.ts', 'c/index.ts'],
      ['src/b.ts', 'c/index.ts'],
    ],
    [
      'a.js',
      "const x = require('./lib')\nimport './side.mjs'\nawait import('./late.js')",
      ['lib/index.js', 'side.mjs', 'late.js'],
      ['lib/index.js', 'side.mjs', 'late.js'],
    ],
    ['a.js', "import x from 'react'\nimport y from '../outside.js'", ['react', 'outside.js'], []],
    [
      'pkg/a.py',
      'from . import b\nfrom .sub.c import d\nimport top.e',
      ['pkg/b.py', 'pkg/sub/c.py', 'top/e.py', 'pkg/__init__.py'],
      ['pkg/__init__.py', 'pkg/b.py', 'pkg/sub/c.py', 'top/e.py'],
    ],
    ['a.py', 'from .. import x', ['x.py'], []],
    [
      'docs/a.md',
      '[x](../src/x.ts#top) ![y](y%20z.png)\n[r]: b.md\n<a href="c.md">',
      ['src/x.ts', 'docs/y z.png', 'docs/b.md', 'docs/c.md'],
      ['src/x.ts', 'docs/y z.png', 'docs/b.md', 'docs/c.md'],
    ],
    [
      'conf/app.yaml',
      'main: ./run.py\nfiles:\n  - src/x.ts # yes\n',
      ['conf/run.py', 'src/x.ts'],
      ['conf/run.py', 'src/x.ts'],
    ],
    ['package.json', '{"main":"lib/index.js","x":"other.js"}', ['lib/index.js', 'x/other.js'], ['lib/index.js']],
    ['a.ts', "import './a.ts'", [], []],
    ['a.py', 'def (:\n', ['b.py'], []],
  ])('of %s are found', (path, text, others, found) => {
    expect(of(path, text, ...others).sort()).toEqual([...found].sort())
  })
})

describe('a plan for a team', () => {
  it('changes what is imported before what imports it, and shared files one agent after the other', async () => {
    const { journal, read } = await opened({
      'src/core.ts': 'export const core = 1\n',
      'src/app.ts': "import { core } from './core.ts'\ncore\n",
      'docs/app.md': '# [app](../src/app.ts)\n',
      'index.ts': 'a\nb\nc\n',
    })
    const plan = await journal.planTeam({
      tasks: [
        { agent: 'writer', files: [edit('docs/app.md', '# ', '## ')] },
        { agent: 'builder', message: 'use it', files: [edit('src/app.ts', 'core\n', 'core()\n')] },
        { agent: 'builder', name: 'core', files: [edit('src/core.ts', '1', '() => 1'), edit('index.ts', 'a', 'A')] },
        { agent: 'tester', files: [edit('index.ts', 'b', 'B')] },
      ],
    })
    expect(
      plan.levels.map(({ groups }) => groups.map(({ steps }) => steps.map(({ agent, files }) => [agent, ...files]))),
    ).toEqual([
      [
        [
          ['builder', 'index.ts', 'src/core.ts'],
          ['tester', 'index.ts'],
        ],
      ],
      [[['builder', 'src/app.ts']]],
      [[['writer', 'docs/app.md']]],
    ])
    expect(plan.levels[0]?.groups[0]?.shared).toEqual(['index.ts'])
    expect(plan.dependencies).toEqual([
      { first: 'builder#1', next: 'writer#1', why: 'link', file: 'src/app.ts', by: 'docs/app.md' },
      { first: 'core', next: 'builder#1', why: 'import', file: 'src/core.ts', by: 'src/app.ts' },
    ])
    const { transactions } = await journal.coordinate(plan)
    expect(read('index.ts')).toBe('A\nB\nc\n')
    const commits = await collect(journal.history({ parent: plan.id, order: 'oldest' }))
    expect(commits.map(({ actor, message, tags }) => [actor, message, tags])).toEqual([
      ['builder', 'core', ['team']],
      ['tester', 'tester#1', ['team']],
      ['builder', 'use it', ['team']],
      ['writer', 'writer#1', ['team']],
    ])
    expect(transactions.map(({ tx }) => tx)).toEqual(commits.map(({ tx }) => tx))
    await journal.close()
  })

  it('coalesces what one agent does on a level: fewer transactions, and each file once', async () => {
    const files = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`f${at}`, 'one two three\n']))
    const { journal, read } = await opened({ ...files, shared: 'zero\n' })
    const tasks: TeamTask[] = []
    for (const agent of ['a', 'b']) {
      for (let at = agent === 'a' ? 0 : 5; at < (agent === 'a' ? 5 : 10); at += 1) {
        tasks.push(
          { agent, files: [edit(`f${at}`, 'one', `1${agent}`)] },
          { agent, files: [edit(`f${at}`, 'two', '2')] },
        )
      }
      tasks.push({ agent, files: [edit('shared', '\n', ` ${agent}\n`)] })
    }
    const plan = await journal.planTeam({ tasks })
    expect(plan.gain).toMatchObject({
      transactions: { alone: 22, planned: 4 },
      fileOperations: { alone: 22, planned: 12 },
      rounds: { alone: 11, planned: 2 },
    })
    expect(plan.gain.percent).toBeGreaterThan(20)
    await journal.coordinate(plan)
    expect(read('f3')).toBe('1a 2 three\n')
    expect(['zero a b\n', 'zero b a\n']).toContain(read('shared'))
    expect((await journal.status()).seq).toBe(4)
    await journal.close()
  })

  it('takes cycles of imports as one level', async () => {
    const { journal } = await opened({ 'a.js': "import './b.js'\n", 'b.js': "import './a.js'\n" })
    const plan = await journal.planTeam({
      tasks: [
        { agent: 'x', files: [edit('a.js', '\n', '//\n')] },
        { agent: 'y', files: [edit('b.js', '\n', '//\n')] },
      ],
    })
    expect([plan.levels.length, plan.cycles]).toEqual([1, [['x#1', 'y#1']]])
    await journal.coordinate(plan)
    await journal.close()
  })

  it('replaces a file before others edit it, and never over what came in between', async () => {
    const { disk, journal, read } = await opened({ a: 'old\n', gone: 'x' })
    const request: TeamRequest = {
      tasks: [
        { agent: 'editor', files: [edit('a', 'fresh', 'edited')] },
        {
          agent: 'writer',
          files: [
            { path: 'a', content: 'fresh\n' },
            { path: 'new/b', content: 'b' },
            { path: 'gone', remove: true },
          ],
        },
      ],
    }
    const late = await journal.planTeam(request)
    await journal.write('a', 'by a person\n')
    const before = (await journal.status()).seq
    const error = await failure(() => journal.coordinate(late))
    expect(error).toMatchObject({ code: 'CONFLICT', details: { failed: ['writer#1'], done: [], left: ['editor#1'] } })
    expect([read('a'), disk.exists(`${ROOT}/new`), (await journal.status()).seq]).toEqual([
      'by a person\n',
      false,
      before,
    ])
    await journal.coordinate(await journal.planTeam(request))
    expect([read('a'), read('new/b'), disk.exists(`${ROOT}/gone`)]).toEqual(['edited\n', 'b', false])
    await journal.close()
  })

  it('that fails half-way says what is done, what failed, and what is left', async () => {
    const { journal, read } = await opened({ a: '1', b: '1', c: '1' })
    const plan = await journal.planTeam({
      tasks: [
        { agent: 'x', files: [edit('a', '1', '2')] },
        { agent: 'y', name: 'wrong', after: ['x#1'], files: [edit('b', 'not there', '2')] },
        { agent: 'x', after: ['wrong'], files: [edit('c', '1', '2')] },
      ],
    })
    const error = await failure(() => journal.coordinate(plan))
    expect(error).toMatchObject({ code: 'INVALID', path: 'b', details: { failed: ['wrong'], left: ['x#2'] } })
    expect(error.details?.done).toMatchObject([{ agent: 'x', tasks: ['x#1'] }])
    expect(error.hint).toContain(plan.id)
    expect([read('a'), read('b'), read('c')]).toEqual(['2', '1', '1'])
    await journal.close()
  })

  it('keeps to leases and settings like everybody', async () => {
    const disk = newDisk()
    const journal = await openOn(disk, { agents: { docs: { paths: ['docs'] } } })
    const plan = await journal.planTeam({ tasks: [{ agent: 'docs', files: [{ path: 'src/a', content: '1' }] }] })
    expect((await failure(() => journal.coordinate(plan))).code).toBe('DENIED')
    await journal.leases.acquire('docs')
    const other = await journal.planTeam({ tasks: [{ agent: 'docs', files: [{ path: 'docs/a', content: '1' }] }] })
    expect((await failure(() => journal.coordinate(other))).code).toBe('LOCKED')
    await journal.close()
  })

  const one = edit('a', '1', '2')
  it.each([
    ['nothing', undefined],
    ['no tasks', { tasks: [] }],
    ['a task that is none', { tasks: [7] }],
    ['nobody', { tasks: [{ files: [one] }] }],
    ['no files', { tasks: [{ agent: 'x', files: [] }] }],
    ['a file that is none', { tasks: [{ agent: 'x', files: ['a'] }] }],
    ['nothing to do', { tasks: [{ agent: 'x', files: [{ path: 'a' }] }] }],
    ['two things to do', { tasks: [{ agent: 'x', files: [{ ...one, content: 'x' }] }] }],
    ['edits that are none', { tasks: [{ agent: 'x', files: [{ path: 'a', edits: 'x' }] }] }],
    ['a content that is none', { tasks: [{ agent: 'x', files: [{ path: 'a', content: 7 }] }] }],
    ['a removal that is none', { tasks: [{ agent: 'x', files: [{ path: 'a', remove: false }] }] }],
    [
      'a name twice',
      {
        tasks: [
          { agent: 'x', name: 'n', files: [one] },
          { agent: 'y', name: 'n', files: [one] },
        ],
      },
    ],
    ['after nothing', { tasks: [{ agent: 'x', after: ['nobody'], files: [one] }] }],
    ['after that is none', { tasks: [{ agent: 'x', after: 'x', files: [one] }] }],
    [
      'tasks in a circle',
      {
        tasks: [
          { agent: 'x', after: ['y#1'], files: [one] },
          { agent: 'y', after: ['x#1'], files: [one] },
        ],
      },
    ],
    [
      'a file replaced twice',
      {
        tasks: [
          { agent: 'x', files: [{ path: 'a', content: '1' }] },
          { agent: 'y', files: [{ path: './a', remove: true }] },
        ],
      },
    ],
    ['a file replaced after edits', { tasks: [{ agent: 'x', files: [one, { path: 'a', content: '1' }] }] }],
    ['a path that leads out', { tasks: [{ agent: 'x', files: [edit('../a', '1', '2')] }] }],
    ['the journal', { tasks: [{ agent: 'x', files: [edit('.journal/FORMAT', '1', '2')] }] }],
    ['too many tasks', { tasks: Array.from({ length: 2001 }, () => ({ agent: 'x', files: [one] })) }],
  ])('of %s is refused', async (_, request) => {
    const { disk, journal } = await opened({ a: '1' })
    const error = await failure(() => journal.planTeam(request as never))
    expect(['INVALID', 'PATH_OUTSIDE']).toContain(error.code)
    await refused(disk, error.code, () => journal.planTeam(request as never))
    await journal.close()
  })

  it('is what can be run, and nothing else', async () => {
    const { disk, journal } = await opened({ a: '1' })
    for (const plan of [undefined, null, {}, { tasks: [] }, { levels: [], tasks: 7 }])
      await refused(disk, 'INVALID', () => journal.coordinate(plan as never))
    await journal.close()
  })

  it('can be made of a journal that is open for reading, and not be run there', async () => {
    const { disk, journal } = await opened({ a: '1' })
    await journal.close()
    const reader = await openOn(disk, { readOnly: true })
    const plan = await reader.planTeam({ tasks: [{ agent: 'x', files: [edit('a', '1', '2')] }] })
    expect(plan.levels).toHaveLength(1)
    expect((await failure(() => reader.coordinate(plan))).code).toBe('INVALID')
    await reader.close()
  })
})
