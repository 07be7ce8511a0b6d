import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type AgentOptions, type Journal, openJournal } from '../../src/index.ts'
import { Agents } from '../../src/team/agent-settings.ts'
import { collect, failure, newDisk, openOn, refused } from '../journal/fixture.ts'

const roots: string[] = []

afterAll(() => {
  for (const root of roots) fs.rmSync(root, { recursive: true, force: true })
})

async function opened(agents: AgentOptions) {
  const disk = newDisk()
  const journal = await openOn(disk, { actor: 'person', agents })
  await journal.transact(async (tx) => {
    for (const name of ['src/a', 'src/team/b', 'docs/c.md']) await tx.write(name, '1')
  })
  return { disk, journal }
}

/** A refusal leaves the workspace as it was; the history may tell of it. */
async function denied(journal: Journal, rule: string, action: () => Promise<unknown>) {
  const before = (await journal.status()).changed.length
  const error = await failure(action)
  expect(error.code, error.message).toBe('DENIED')
  expect(error.details).toMatchObject({ rule })
  expect((await journal.verify({ workspace: true })).problems).toEqual([])
  expect((await journal.status()).changed).toHaveLength(before)
  return error
}

async function breaches(journal: Journal) {
  const commits = await collect(journal.history({ order: 'oldest' }))
  return commits.flatMap(({ entries, actor }) =>
    entries.flatMap((entry) =>
      entry.op === 'note' && entry.topic === 'breach' ? [{ by: actor, ...entry.value }] : [],
    ),
  )
}

describe('settings of agents', () => {
  it('hold key by key, from the closest name that says something', () => {
    const agents = new Agents({
      'ci-*': { durability: 'os', maxFiles: 5 },
      '*': { maxFiles: 100, validation: 'basic', maxFileBytes: 1000 },
      'ci-lint': { maxFiles: 0 },
      'ci-*-slow': { maxFileBytes: 7 },
    })
    expect(agents.of('anna').settings).toEqual({ maxFiles: 100, validation: 'basic', maxFileBytes: 1000 })
    expect(agents.of('ci-unit').settings).toEqual({
      maxFiles: 5,
      durability: 'os',
      validation: 'basic',
      maxFileBytes: 1000,
    })
    expect(agents.of('ci-lint').settings).toMatchObject({ maxFiles: 0, durability: 'os' })
    expect(agents.of('ci-a-slow').settings).toMatchObject({ maxFiles: 5, maxFileBytes: 7 })
    expect(agents.of('ci-lint').origins).toContainEqual({ name: 'maxFiles', from: 'ci-lint' })
    expect(agents.of(undefined).settings).toEqual(agents.of('anna').settings)
    expect(new Agents({ 'a.c': { maxFiles: 1 } }).of('abc').settings).toEqual({})
  })

  it.each([
    [['src'], ['src', 'src/a', 'src/x/y'], ['srcs', 'a/src', 'x']],
    [['src/'], ['src/a'], ['srcs']],
    [['src/**'], ['src', 'src/a/b'], ['docs']],
    [['src/*.ts'], ['src/a.ts'], ['src/a.js', 'src/x/a.ts']],
    [['*.md'], ['a.md', 'docs/x/b.md'], ['a.mdx']],
    [['packages/*/docs'], ['packages/a/docs', 'packages/a/docs/b'], ['packages/a/src', 'packages/docs']],
    [['src', '!src/secret', '!*.pem'], ['src/a'], ['src/secret', 'src/secret/x', 'src/k.pem', 'docs/a']],
    [['!secret'], ['a', 'x/secret'], ['secret/a']],
    [['./a.b'], ['a.b'], ['axb']],
  ])('with paths %j cover %j and not %j', (paths, inside, outside) => {
    const effective = new Agents({ x: { paths } }).of('x')
    for (const one of inside) expect(effective.allows(one), one).toBe(true)
    for (const one of outside) expect(effective.allows(one), one).toBe(false)
  })

  it('confine an agent to folders, whichever way it tries', async () => {
    const { disk, journal } = await opened({ confined: { paths: ['src/team'] } })
    const as = { actor: 'confined' }
    await journal.symlink('src/team/way-out', '../../docs')
    const tries: (() => Promise<unknown>)[] = [
      () => journal.write('src/a', '2', as),
      () => journal.write('src/team/../a', '2', as),
      () => journal.write('src/team/way-out/c.md', '2', as),
      () => journal.rename('src/team/b', 'src/b', as),
      () => journal.rename('src/a', 'src/team/a', as),
      () => journal.remove('src', { recursive: true, ...as }),
      () => journal.rename('src', 'source', as),
      () => journal.chmod('src', 0o700, as),
      () => journal.mkdir('new', as),
      () => journal.symlink('link', 'src/team', as),
      () => journal.write('elsewhere/src/team/x', '2', as),
      () => journal.undo(1, as),
      () =>
        journal.transact(as, async (tx) => {
          await tx.write('src/team/b', '2')
          await tx.write('docs/c.md', '2')
        }),
      () => journal.leases.acquire('docs', {}, as),
    ]
    for (const attempt of tries) await denied(journal, 'paths', attempt)
    await journal.write('src/team/b', '2', as)
    await journal.write('src/team/deep/er', '2', as)
    await journal.remove('src/team/deep', { recursive: true, ...as })
    await journal.leases.acquire('src/team', {}, as)
    expect(disk.tree('/ws/docs').size).toBe(1)
    await journal.close()
  })

  it('count folders that would be made on the way', async () => {
    const { journal } = await opened({ confined: { paths: ['new/place'] } })
    const error = await denied(journal, 'paths', () => journal.write('new/place/a', '1', { actor: 'confined' }))
    expect(error.path).toBe('new')
    await journal.mkdir('new')
    await journal.write('new/place/a', '1', { actor: 'confined' })
    await journal.close()
  })

  it('limit the size of a file, whatever makes it large, and not what is only moved', async () => {
    const { journal } = await opened({ small: { maxFileBytes: 10 } })
    const as = { actor: 'small' }
    await journal.write('big', 'x'.repeat(11))
    await denied(journal, 'maxFileBytes', () => journal.write('a', 'x'.repeat(11), as))
    await denied(journal, 'maxFileBytes', () => journal.append('src/a', 'x'.repeat(10), as))
    await denied(journal, 'maxFileBytes', () => journal.edit('src/a', [{ oldText: '1', newText: 'x'.repeat(11) }], as))
    await journal.write('a', 'x'.repeat(10), as)
    await journal.chmod('big', 0o600, as)
    await journal.rename('big', 'moved', as)
    await journal.close()
  })

  it('limit how many files one transaction changes', async () => {
    const { journal } = await opened({ few: { maxFiles: 2 } })
    const write = (count: number) =>
      journal.transact({ actor: 'few' }, async (tx) => {
        for (let at = 0; at < count; at += 1) await tx.write(`many/deep/${at}`, '1')
      })
    await denied(journal, 'maxFiles', () => write(3))
    await denied(journal, 'maxFiles', () =>
      journal
        .remove('src', { recursive: true, actor: 'few' })
        .then(() => journal.remove('docs', { recursive: true, actor: 'few' }))
        .then(() => write(3)),
    )
    await write(2)
    await journal.close()
  })

  it('limit how many files are changed in a minute, also by process after process', async () => {
    const disk = newDisk()
    const agents = { fast: { writesPerMinute: 3 } }
    const as = { actor: 'fast' }
    const first = await openOn(disk, { agents })
    await first.write('a', '1', as)
    await first.transact(as, async (tx) => {
      await tx.write('b', '1')
      await tx.write('c', '1')
    })
    await denied(first, 'writesPerMinute', () => first.write('d', '1', as))
    await first.write('d', '1', { actor: 'another' })
    await first.close()
    const second = await openOn(disk, { agents })
    const error = await denied(second, 'writesPerMinute', () => second.write('d', '1', as))
    expect(error.details).toMatchObject({ limit: 3, found: 4 })
    expect(error.details?.retryAfterMs).toBeGreaterThan(0)
    await second.close()
  })

  it('limit what is written at the same moment, too', async () => {
    const { journal } = await opened({ fast: { writesPerMinute: 3 } })
    const tries = Array.from({ length: 10 }, (_, at) => journal.write(`at-once/${at}`, '1', { actor: 'fast' }))
    const outcomes = await Promise.allSettled(tries)
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
    await journal.close()
  })

  it('ask for validation at the least, and choose the durability', async () => {
    const { disk, journal } = await opened({ sloppy: { validation: 'basic', durability: 'os' } })
    await refused(disk, 'VALIDATION', () => journal.write('a.json', '{', { actor: 'sloppy' }))
    await refused(disk, 'VALIDATION', () => journal.write('a.json', '{', { actor: 'sloppy', validation: 'off' }))
    await journal.write('a.json', '{')
    await journal.write('b.json', '{}', { actor: 'sloppy' })
    await journal.close()
  })

  it('that are broken are told of in the history, and not without end', async () => {
    const { disk, journal } = await opened({ '*': { maxFiles: 100 }, mad: { paths: ['src'], maxFiles: 1 } })
    for (let turn = 0; turn < 50; turn += 1) await failure(() => journal.write(`x${turn}`, '1', { actor: 'mad' }))
    await failure(() =>
      journal.transact({ actor: 'mad' }, async (tx) => {
        await tx.write('src/x', '1')
        await tx.write('src/y', '1')
      }),
    )
    expect(await breaches(journal)).toEqual([
      { by: 'mad', rule: 'paths', actor: 'mad', path: 'x0', limit: ['src'] },
      { by: 'mad', rule: 'maxFiles', actor: 'mad', limit: 1, found: 2 },
    ])
    await journal.close()
    const again = await openOn(disk, { agents: { mad: { paths: ['src'] }, 'liar*': { maxFiles: 0 } } })
    await failure(() => again.write('x', '1', { actor: 'mad' }))
    expect(await breaches(again)).toHaveLength(2)
    for (let turn = 0; turn < 60; turn += 1) await failure(() => again.write('x', '1', { actor: `liar${turn}` }))
    expect(await breaches(again)).toHaveLength(30)
    await again.close()
  })

  it.each([
    ['no table', []],
    ['a text', 'x'],
    ['settings that are none', { a: 7 }],
    ['a setting that nobody knows', { a: { path: ['x'] } }],
    ['a level that is none', { a: { validation: 'loose' } }],
    ['a durability that is none', { a: { durability: 'none' } }],
    ['no paths', { a: { paths: [] } }],
    ['a path that leads out', { a: { paths: ['../x'] } }],
    ['an absolute path', { a: { paths: ['/x'] } }],
    ['an empty path', { a: { paths: ['!'] } }],
    ['all', { a: { paths: ['**', ''] } }],
    ['a negative limit', { a: { maxFiles: -1 } }],
    ['half a file', { a: { maxFiles: 0.5 } }],
    ['an empty name', { '': { maxFiles: 1 } }],
  ])('that are %s are refused before anything is made', async (_, agents) => {
    const disk = newDisk()
    expect((await failure(() => openOn(disk, { agents: agents as never }))).code).toBe('INVALID')
    expect(disk.exists('/ws/.journal')).toBe(false)
  })
})

describe('.journal/config.yaml', () => {
  const CONFIG = '.journal/config.yaml'

  async function prepared(text: string) {
    const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'config-')))
    roots.push(root)
    await (await openJournal(root)).close()
    fs.writeFileSync(path.join(root, CONFIG), text)
    return root
  }

  it('holds for every process that writes, and no transaction can change it', async () => {
    const root = await prepared('# who may what\nagents:\n  reviewer:\n    paths: [docs]\n')
    const journal = await openJournal(root, { actor: 'reviewer' })
    expect((await failure(() => journal.write('src/a', '1'))).code).toBe('DENIED')
    expect((await failure(() => journal.write(CONFIG, 'agents: {}\n', { actor: 'x' }))).code).toBe('PATH_OUTSIDE')
    expect((await failure(() => journal.remove(CONFIG, { actor: 'x' }))).code).toBe('PATH_OUTSIDE')
    await journal.close()
    await (await openJournal(root, { agents: { reviewer: { paths: ['docs'] } } })).close()
    const error = await failure(() => openJournal(root, { agents: { reviewer: { paths: ['src'] } } }))
    expect(error).toMatchObject({ code: 'INVALID' })
  })

  it.each([
    ['agents:\n  a:\n    maxFiles: many\n', 3, 'agents.a.maxFiles'],
    ['agents:\n  a:\n    maxFiles: 1\n  b:\n    files:\n      - 1\n', 5, 'agents.b.files'],
    ['agents:\n  a: 7\n', 2, 'agents.a'],
    ['\nagent:\n  a: {}\n', 2, '"agent"'],
    ['agents: [\n', 2, ''],
    ['agents:\n  a: {}\n  a: {}\n', 3, ''],
    ['just a text\n', 1, ''],
    ['agents: &a\n  x: *b\n', 2, ''],
    ['agents: !!js/function "x"\n', 1, ''],
  ])('of %j is refused with line %d', async (text, line, names) => {
    const root = await prepared(text)
    const error = await failure(() => openJournal(root))
    expect(error.code).toBe('INVALID')
    expect(error.message).toContain(`config.yaml, line ${line}`)
    expect(error.message).toContain(names)
    const reader = await openJournal(root, { readOnly: true })
    await reader.close()
  })

  it.each([
    ['a folder', (file: string) => fs.mkdirSync(file)],
    ['a link', (file: string) => fs.symlinkSync('/etc/hostname', file)],
  ])('that is %s is refused', async (_, make) => {
    const root = await prepared('')
    fs.rmSync(path.join(root, CONFIG))
    make(path.join(root, CONFIG))
    expect((await failure(() => openJournal(root))).code).toBe('INVALID')
  })

  it('is read again when it changes; as long as it is broken, nothing is committed', async () => {
    const root = await prepared('')
    const journal = await openJournal(root, { actor: 'a' })
    await journal.write('x', '1')
    const soon = async (text: string, done: () => Promise<boolean>) => {
      fs.writeFileSync(path.join(root, CONFIG), text)
      await expect.poll(done, { timeout: 20_000, interval: 100 }).toBe(true)
    }
    const fate = () =>
      journal.write('x', String(Math.random())).then(
        () => 'ok',
        ({ code }) => code as string,
      )
    await soon('agents:\n  a:\n    paths: [docs]\n', async () => (await fate()) === 'DENIED')
    await soon('agents: {{', async () => (await fate()) === 'INVALID')
    expect(await fate()).toBe('INVALID')
    await soon('agents: {}\n', async () => (await fate()) === 'ok')
    await journal.close()
  }, 60_000)
})
