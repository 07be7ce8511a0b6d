import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { Collected } from '../../src/index.ts'
import { journal as cli, errorOf, MAIN, workspace } from '../cli/journal-process.ts'
import { ground, opened, scratch, tree } from './ground.ts'

vi.setConfig({ testTimeout: 60_000 })

/** What was left out, by reason. */
function groups({ leftOut }: Collected): Record<string, readonly string[]> {
  expect(leftOut.count).toBe(leftOut.groups.reduce((sum, { count }) => sum + count, 0))
  return Object.fromEntries(leftOut.groups.map(({ reason, paths }) => [reason, paths]))
}

function taken({ receipts }: Collected): string[] {
  return receipts.flatMap(({ files }) => files.map((file) => file.path)).sort()
}

describe('what is left out', () => {
  it('is what the rules say, nested ones too, and what is left out by default', async () => {
    const { journal, write, sh } = await ground()
    for (const name of [
      'a.log',
      'keep.log',
      'src/a.log',
      'src/deep/b.tmp',
      'src/deep/keep.tmp',
      'src/x.ts',
      'dist/o.js',
    ])
      write(name, name)
    for (const name of ['node_modules/p/i.js', 'src/node_modules/q.js', '.git/config', 'data/raw.bin', 'data/sub/y'])
      write(name, name)
    write('.gitignore', '*.log\n!keep.log\n/dist/\n# comment\n\n[z-a]\n')
    write('src/.gitignore', '*.tmp\n')
    write('src/deep/.gitignore', '!keep.tmp\r\n')
    write('.journalignore', 'data/*\n!data/sub/\n')
    const collected = await journal.collect({ ignore: ['/src/x.ts'], baseline: true })
    expect(groups(collected)).toEqual({
      ignored: [
        '.git/',
        'a.log',
        'data/raw.bin',
        'dist/',
        'node_modules/',
        'src/a.log',
        'src/deep/b.tmp',
        'src/node_modules/',
      ],
      pattern: ['src/x.ts'],
    })
    expect(taken(collected)).toEqual(
      ['.gitignore', '.journalignore', 'data/sub/y', 'keep.log', 'src/.gitignore', 'src/deep/.gitignore'].concat(
        'src/deep/keep.tmp',
      ),
    )
    // All of it is a matter of choice.
    expect(taken(await journal.collect({ ignore: ['!node_modules'], paths: ['node_modules'] }))).toEqual([
      'node_modules/p/i.js',
    ])
    const all = await journal.collect({ gitignore: false, defaults: false, baseline: true })
    expect(groups(all)).toEqual({ ignored: ['data/raw.bin'] })
    expect(taken(all)).toContain('.git/config')
    // Known to the journal, it is followed.
    sh('echo changed > dist/o.js; echo new > dist/p.js; rm -r src/node_modules')
    expect(taken(await journal.collect({ baseline: false }))).toEqual(['dist/o.js', 'src/node_modules/q.js'])
  })

  it('is named up to a number, and counted', async () => {
    const { journal, sh } = await ground()
    sh("for i in $(seq 50); do echo $i > $i.log; done; echo '*.log' > .gitignore")
    const { leftOut } = await journal.collect({ names: 3, baseline: true })
    expect(leftOut).toEqual({
      count: 50,
      groups: [{ reason: 'ignored', count: 50, paths: ['1.log', '10.log', '11.log'] }],
    })
  })

  it('is what git leaves out, whatever the rules', async () => {
    const name = fc.constantFrom('a', 'b', 'ab', 'a.b', 'b.log', 'A')
    const file = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))
    const rule = fc
      .tuple(
        fc.constantFrom('', '', '!'),
        fc.constantFrom('', '/', '**/'),
        fc.array(fc.constantFrom('a', 'b', '*', '?', '*.log', '**', '[ab]', 'a*'), { minLength: 1, maxLength: 3 }),
        fc.constantFrom('', '/', '/*', '/**'),
      )
      .map(([not, start, names, end]) => `${not}${start}${names.join('/')}${end}`)
    const rules = fc.array(rule, { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(file, { maxLength: 12 }),
        fc.dictionary(fc.oneof(fc.constant(''), file), rules, { maxKeys: 3 }),
        async (files, all) => {
          const { journal, root } = await ground({}, scratch())
          try {
            const put = (where: string, content: string): void => {
              try {
                fs.mkdirSync(path.dirname(path.join(root, where)), { recursive: true })
                fs.writeFileSync(path.join(root, where), content)
              } catch {
                // Another one is in the way.
              }
            }
            for (const each of files) put(each, each)
            for (const [folder, lines] of Object.entries(all))
              put(path.join(folder, '.gitignore'), `${lines.join('\n')}\n`)
            execFileSync('git', ['init', '-q'], { cwd: root })
            const listed = execFileSync(
              'git',
              ['-c', 'core.excludesFile=/dev/null', 'ls-files', '-z', '--others', '--exclude-standard'],
              { cwd: root },
            )
            const expected = listed
              .toString()
              .split('\0')
              .filter((each) => each !== '' && !each.startsWith('.journal/'))
            expect(taken(await journal.collect({ baseline: true }))).toEqual(expected.sort())
          } finally {
            await journal.close()
          }
        },
      ),
      { numRuns: Number(process.env.CAPTURE_RUNS ?? 60) },
    )
  })

  it('is larger than the limit, known or not', async () => {
    const { journal, write, root } = await ground()
    write('small', 'x'.repeat(100))
    await journal.collect({ baseline: true })
    const large = path.join(root, 'large.bin')
    fs.writeFileSync(large, 'x')
    fs.truncateSync(large, 100 * 1024 * 1024)
    expect(groups(await journal.collect())).toEqual({ size: ['large.bin'] })
    write('small', 'x'.repeat(2000))
    const limited = await journal.collect({ maxFileBytes: 1000 })
    expect(groups(limited)).toEqual({ size: ['large.bin', 'small'] })
    expect(limited.receipt).toBeNull()
    // What it was before was not kept, so nothing that comes of it is taken for made.
    fs.truncateSync(large, 10)
    expect(taken(await journal.collect())).toEqual(['large.bin', 'small'])
    const after = tree(root)
    await journal.undo('head')
    expect(tree(root)).toEqual({ ...after, small: `file 644 ${Buffer.from('x'.repeat(100)).toString('base64')}` })
  })

  it('is what no journal can hold, and stops nothing', async () => {
    const { journal, root, write, sh } = await ground()
    write('known', 'x')
    await journal.collect({ baseline: true })
    sh('mkfifo pipe; rm known; mkfifo known; mkdir sub; echo ok > sub/ok')
    const server = net.createServer().listen(path.join(root, 'socket'))
    await new Promise((resolve) => server.once('listening', resolve))
    try {
      fs.writeFileSync(Buffer.concat([Buffer.from(`${root}/sub/bad-`), Buffer.from([0xff, 0xfe])]), 'x')
      fs.symlinkSync(Buffer.from([0x61, 0xff]), path.join(root, 'odd-link'))
      write('line\nbreak', 'fine')
      write('sub/other/.journal/FORMAT', 'a workspace of its own')
      write('sub/.JOURNAL~1', 'taken for a journal by some file systems')
      const collected = await journal.collect()
      expect(groups(collected)).toEqual({
        kind: ['known', 'pipe', 'socket'],
        name: ['odd-link', 'sub/bad-\uFFFD\uFFFD'],
        journal: ['sub/other/'],
      })
      expect(taken(collected)).toEqual(['line\nbreak', 'sub/.JOURNAL~1', 'sub/ok'])
    } finally {
      server.close()
    }
  })

  it('is never behind a symbolic link', async () => {
    const { journal, root, sh } = await ground()
    const outside = scratch()
    fs.mkdirSync(path.join(outside, 'folder'))
    fs.writeFileSync(path.join(outside, 'folder/secret'), 'secret')
    sh('mkdir folder; echo mine > folder/secret; echo mine > folder/other')
    await journal.collect({ baseline: true })
    sh(`mv folder aside; ln -s ${outside}/folder folder; ln -s .. up; ln -s . here`)
    const before = fs.readFileSync(path.join(outside, 'folder/secret'), 'utf8')
    const collected = await journal.collect()
    expect(taken(collected)).toEqual(
      ['aside/other', 'aside/secret', 'folder', 'folder/other', 'folder/secret', 'here', 'up'].sort(),
    )
    expect(taken(await journal.collect({ paths: ['folder/secret', 'here/here/aside'] }))).toEqual([])
    await journal.undo('head')
    expect(fs.readFileSync(path.join(outside, 'folder/secret'), 'utf8')).toBe(before)
    expect(fs.readFileSync(path.join(root, 'folder/secret'), 'utf8')).toBe('mine\n')
  })

  it('counts as having been there, once the rules take it in', async () => {
    const { journal, write, sh, root } = await ground()
    write('.gitignore', 'dist\n')
    write('dist/precious.js', 'x')
    await journal.collect({ baseline: true })
    const before = tree(root)
    sh('echo tmp > .gitignore; echo new > new.txt')
    const { receipt } = await journal.collect({ baseline: false })
    expect(receipt?.files.map((file) => file.path)).toEqual(['.gitignore', 'dist/precious.js', 'new.txt'])
    await journal.undo(receipt?.tx ?? '')
    expect(tree(root)).toEqual(before)
  })

  it('is what keeps changing, until it does not', async () => {
    const { journal, root, write } = await ground()
    for (let at = 0; at < 30; at += 1) write(`f${at}`, 'x'.repeat(20_000))
    const script =
      'const fs = require("fs"); const end = Date.now() + 4000; for (let i = 0; Date.now() < end; i++) fs.writeFileSync("busy", String(i).repeat(1 + i % 50000))'
    const child = (await import('node:child_process')).spawn(process.execPath, ['-e', script], { cwd: root })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    while (!fs.existsSync(path.join(root, 'busy'))) await new Promise((resolve) => setTimeout(resolve, 5))
    const first = await journal.collect({ baseline: true })
    child.kill('SIGKILL')
    await ended
    expect(taken(first).filter((name) => name !== 'busy')).toHaveLength(30)
    if (!taken(first).includes('busy')) expect(groups(first)).toEqual({ busy: ['busy'] })
    await journal.collect()
    expect(Buffer.from(await journal.readAt('busy')).toString()).toBe(fs.readFileSync(path.join(root, 'busy'), 'utf8'))
    expect(await journal.verify({ workspace: true })).toMatchObject({ ok: true })
  })

  it('is what this user may not read', async () => {
    if (process.getuid?.() !== 0) return
    const root = scratch()
    const sh = (script: string): void => {
      execFileSync('bash', ['-ec', script], { cwd: root })
    }
    sh(
      'mkdir closed half; echo x > closed/x; echo y > half/y; echo z > z; echo s > s; chmod 777 . closed half; chown -R 65534:65534 .',
    )
    const as = (...args: string[]) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
        ...{ cwd: root, uid: 65534, gid: 65534, encoding: 'utf8', env: { ...process.env, HOME: root } },
      })
      return { status, stdout, stderr }
    }
    expect(as('init')).toMatchObject({ status: 0 })
    expect(JSON.parse(as('adopt', '--all', '--json').stdout)).toMatchObject({ leftOut: { count: 0 } })
    sh(
      'echo w > closed/w; echo xx > closed/x; chmod 000 closed; chmod 300 half; echo zz > z; chmod 000 z; chmod 000 s; echo n > n; chmod 000 n',
    )
    const collected = JSON.parse(as('adopt', '--all', '--json').stdout) as Collected
    expect(groups(collected)).toEqual({ unreadable: ['closed/', 'closed/x', 'half/', 'n', 's', 'z'] })
    expect(taken(collected)).toEqual([])
    sh('chmod 777 closed half; chmod 644 z s n')
    const after = JSON.parse(as('adopt', '--all', '--json').stdout) as Collected
    expect(groups(after)).toEqual({})
    expect(taken(after)).toEqual(['closed/w', 'closed/x', 'n', 'z'])
  })
})

describe('collecting in bad circumstances', () => {
  it('refuses options that make no sense, and changes nothing', async () => {
    const { journal, write } = await ground()
    write('a', 'a')
    const bad: readonly object[] = [
      { ignore: 'x' },
      { ignore: [1] },
      { maxFileBytes: -1 },
      { paths: 'a' },
      { paths: ['../x'] },
      { baseline: 'yes' },
      { names: 1.5e300 },
      { tags: 'x' },
    ]
    for (const options of bad) await expect(journal.collect(options as never)).rejects.toHaveProperty('hint')
    expect((await journal.status()).seq).toBe(0)
    const { journal: reader } = { journal: await opened(journal.root, { readOnly: true }) }
    await expect(reader.collect()).rejects.toMatchObject({ code: 'INVALID' })
    await expect(reader.run('true')).rejects.toMatchObject({ code: 'INVALID' })
  })

  it('goes on over a content that was purged', async () => {
    const { journal, write, root } = await ground()
    await journal.write('secret', 'hunter2')
    await journal.purge('secret')
    write('secret', 'another')
    expect(taken(await journal.collect())).toEqual(['secret'])
    fs.rmSync(path.join(root, 'secret'))
    expect(taken(await journal.collect())).toEqual(['secret'])
  })

  it('does not run a command when there is no room for what it may change, and finds later what it could not record', async () => {
    if (process.getuid?.() !== 0 || spawnSync('mount', ['--version']).status !== 0) return
    const disk = scratch()
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=10m', 'tmpfs', disk]).status !== 0) return
    try {
      execFileSync(
        'bash',
        ['-ec', 'mkdir ws; head -c 3000000 /dev/urandom > ws/a; head -c 3000000 /dev/urandom > ws/b'],
        { cwd: disk },
      )
      const root = path.join(disk, 'ws')
      expect((await cli(['init', '--root', root])).code).toBe(0)
      const before = tree(root)
      const full = await cli(['run', '--json', '--root', root, '--', 'touch', 'ran'])
      expect(full.code).toBe(1)
      expect(errorOf(full)).toMatchObject({ code: 'NO_SPACE' })
      expect(tree(root)).toEqual(before)
      fs.rmSync(path.join(root, 'b'))
      expect((await cli(['adopt', '--all', '--root', root])).code).toBe(0)
      const late = await cli(['run', '--json', '--root', root, '--', 'sh', '-c', 'head -c 2500000 /dev/urandom > c'])
      expect(late.code).toBe(1)
      expect(errorOf(late)).toMatchObject({ code: 'NO_SPACE' })
      execFileSync('mount', ['-o', 'remount,size=64m', disk])
      const { journal } = await ground({}, root)
      expect(taken(await journal.collect({ baseline: false }))).toEqual(['c'])
      expect(await journal.verify({ workspace: true })).toMatchObject({ ok: true })
      await journal.undo('head')
      expect(Object.keys(tree(root))).toEqual(['a'])
      await journal.close()
    } finally {
      execFileSync('umount', ['-l', disk])
    }
  })
})

describe('journal adopt --all', () => {
  it('takes in what the journal does not know, and says what it left out', async () => {
    const root = await workspace()
    fs.writeFileSync(path.join(root, 'a'), 'a')
    fs.mkdirSync(path.join(root, 'node_modules'))
    const run = await cli(['adopt', '--all', '-m', 'begin'], { cwd: root })
    expect(run.stdout).toMatch(/^adopted as t\w+ \(1\), 1 path:\n {2}· a\nleft out 1 path: left out by the rules\n$/)
    expect((await cli(['adopt', '--all'], { cwd: root })).stdout).toMatch(/^Nothing to adopt\.\n/)
    const wrong = await cli(['adopt', '--ignore', 'x'], { cwd: root })
    expect(wrong).toMatchObject({ code: 2 })
    expect(wrong.stderr).toContain('--all')
  })
})
