import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import type { Journal, WatchOptions } from '../../src/index.ts'
import { type Ground, ground, tree } from './ground.ts'

vi.setConfig({ testTimeout: 60_000 })

interface Told {
  readonly kind: string
  readonly message: string | undefined
  readonly paths: readonly string[]
}

async function told(journal: Journal): Promise<Told[]> {
  const all: Told[] = []
  for await (const { kind, message, entries } of journal.history({ order: 'oldest' })) {
    all.push({ kind, message, paths: entries.map((entry) => entry.path) })
  }
  return all
}

/** Waits until the journal tells of something. */
async function until(journal: Journal, is: (all: readonly Told[]) => boolean): Promise<readonly Told[]> {
  for (const end = Date.now() + 20_000; ; ) {
    const all = await told(journal)
    if (is(all)) return all
    if (Date.now() > end) throw new Error(`waited in vain: ${JSON.stringify(all)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function watching(options: WatchOptions = {}, prepare?: (place: Ground) => void) {
  const place = await ground()
  prepare?.(place)
  const { watch, found } = await place.journal.watch({ quietMs: 150, compareMs: 0, ...options })
  return { ...place, watch, found }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe('watching', () => {
  it('takes in what was changed before, and what is changed together as one transaction', async () => {
    const { journal, root, sh, found, watch } = await watching({ actor: 'somebody' }, ({ write }) => {
      write('old.txt', 'old')
      write('folder/a', 'a')
    })
    expect(found.receipt?.files.map((file) => file.path)).toEqual(['folder/a', 'old.txt'])
    const before = tree(root)
    sh('echo new > new.txt; mkdir -p deep/er; echo x > deep/er/x; rm old.txt; mv folder moved; chmod 600 new.txt')
    const all = await until(journal, (list) => list.length === 2)
    expect([...(all[1]?.paths ?? [])].sort()).toEqual(
      ['deep', 'deep/er', 'deep/er/x', 'folder', 'folder/a', 'moved', 'new.txt', 'old.txt'].sort(),
    )
    const newest = await journal.show('head')
    expect(newest).toMatchObject({ actor: 'somebody', kind: 'adopt' })
    await watch.close()
    await journal.undo(newest.tx)
    expect(tree(root)).toEqual(before)
  })

  it('makes no transactions of what the journal itself writes', async () => {
    const { journal, watch, root } = await watching({ quietMs: 20 })
    for (let at = 0; at < 100; at += 1) {
      await journal.transact(async (tx) => {
        await tx.write(`f${at % 7}`, `content ${at}`)
        await tx.write(`folder${at % 3}/g`, `content ${at}`)
      })
      if (at % 10 === 9) await journal.undo('head')
      if (at % 25 === 0) await sleep(30)
    }
    await sleep(200)
    await watch.close()
    const kinds = (await told(journal)).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'adopt')).toEqual([])
    expect(kinds).toHaveLength(110)
    expect((await journal.status()).changed).toEqual([])
    expect(Object.keys(tree(root)).length).toBeGreaterThan(5)
  })

  it.each<[style: string, save: (file: string) => void]>([
    ['truncates and writes', (file) => fs.writeFileSync(file, 'saved')],
    [
      'writes a temporary file and renames it',
      (file) => {
        fs.writeFileSync(`${file}.tmp123`, 'saved')
        fs.renameSync(`${file}.tmp123`, file)
      },
    ],
    [
      'moves the old file to a backup, as vim does',
      (file) => {
        fs.writeFileSync(path.join(path.dirname(file), '4913'), '')
        fs.unlinkSync(path.join(path.dirname(file), '4913'))
        fs.renameSync(file, `${file}~`)
        fs.writeFileSync(file, 'saved')
        fs.unlinkSync(`${file}~`)
      },
    ],
    [
      'removes and makes anew',
      (file) => {
        fs.unlinkSync(file)
        fs.writeFileSync(file, 'saved')
      },
    ],
  ])('takes one change from an editor that %s', async (_style, save) => {
    const { journal, root } = await watching({}, ({ write }) => write('src/file.txt', 'as it was'))
    // Exchanged by the journal first: the watcher must follow the name, not the file.
    await journal.write('src/file.txt', 'by the journal')
    await sleep(200)
    save(path.join(root, 'src/file.txt'))
    const all = await until(journal, (list) => list.length === 3)
    expect(all[2]?.paths).toEqual(['src/file.txt'])
    expect(Buffer.from(await journal.readAt('src/file.txt')).toString()).toBe('saved')
    await journal.undo('head')
    expect(fs.readFileSync(path.join(root, 'src/file.txt'), 'utf8')).toBe('by the journal')
  })

  it('does not catch a file half-written, while others go on', async () => {
    const { journal, root } = await watching({ quietMs: 200, maxWaitMs: 400 })
    const file = path.join(root, 'slow.bin')
    const handle = fs.openSync(file, 'w')
    for (let at = 0; at < 30; at += 1) {
      fs.writeSync(handle, Buffer.alloc(1000, at))
      if (at === 10) fs.writeFileSync(path.join(root, 'quick.txt'), 'quick')
      await sleep(40)
    }
    fs.closeSync(handle)
    const all = await until(journal, (list) => list.some(({ paths }) => paths.includes('slow.bin')))
    expect(all.flatMap(({ paths }) => paths).sort()).toEqual(['quick.txt', 'slow.bin'])
    expect((await journal.readAt('slow.bin')).byteLength).toBe(30_000)
  })

  it('leaves out what the rules leave out, and follows them when they change', async () => {
    const { journal, write, sh, watch } = await watching({ ignore: ['*.log'] }, ({ write: put }) => {
      put('.gitignore', 'dist/\n')
      put('dist/old.js', 'x')
    })
    write('dist/out.js', 'x')
    write('node_modules/p/index.js', 'x')
    write('a.log', 'x')
    write('a.txt', 'x')
    let all = await until(journal, (list) => list.length === 2)
    expect(all[1]?.paths).toEqual(['a.txt'])
    sh("printf '' > .gitignore")
    all = await until(journal, (list) => list.some(({ paths }) => paths.includes('dist/out.js')))
    await sleep(300)
    write('dist/more.js', 'x')
    all = await until(journal, (list) => list.some(({ paths }) => paths.includes('dist/more.js')))
    expect(all.flatMap(({ paths }) => paths).some((name) => /node_modules|\.log$/.test(name))).toBe(false)
    await watch.close()
  })

  it('finds at intervals what no event told of', async () => {
    const { journal } = await watching({ compareMs: 300 }, ({ write }) => write('.gitignore', 'dist/\n'))
    await journal.write('dist/known.js', 'by the journal')
    await journal.transact((tx) => tx.chmod('dist/known.js', 0o600))
    fs.writeFileSync(path.join(journal.root, 'dist/known.js'), 'by somebody')
    await until(journal, (list) => list.some(({ kind, paths }) => kind === 'adopt' && paths.includes('dist/known.js')))
  })

  it('takes in at its end what it has not yet', async () => {
    const { journal, write, watch } = await watching({ quietMs: 60_000, maxWaitMs: 60_000 })
    write('late.txt', 'late')
    await watch.close()
    await watch.close()
    expect((await told(journal)).flatMap(({ paths }) => paths)).toEqual(['late.txt'])
    const again = await journal.watch({ quietMs: 60_000 })
    write('later.txt', 'later')
    await again.watch.flush()
    expect((await journal.show('head')).entries.map((entry) => entry.path)).toEqual(['later.txt'])
    write('latest.txt', 'latest')
    await journal.close()
    const { journal: reopened } = await ground({}, journal.root)
    expect((await reopened.show('head')).entries.map((entry) => entry.path)).toEqual(['latest.txt'])
  })

  it('leaves what a command under the journal does to its transaction', async () => {
    const { journal } = await watching({ quietMs: 30 })
    await journal.run('sh', ['-c', 'for i in 1 2 3 4 5; do echo $i > f$i; sleep 0.1; done'])
    await sleep(200)
    const all = await told(journal)
    expect(all.map(({ paths }) => paths)).toEqual([['f1', 'f2', 'f3', 'f4', 'f5']])
  })

  it('copes with very many changes at once', async () => {
    const { journal, sh, watch } = await watching()
    sh('mkdir -p d{1..30}; for i in {1..1500}; do echo $i > d$((i % 30 + 1))/f$i; done')
    await until(journal, (list) => list.some(({ paths }) => paths.length > 0))
    await watch.close()
    const paths = (await told(journal)).flatMap((each) => each.paths)
    expect(paths.filter((name) => name.includes('/'))).toHaveLength(1500)
    expect(new Set(paths).size).toBe(paths.length)
  })

  it('refuses options that make no sense', async () => {
    const { journal } = await ground()
    await expect(journal.watch({ quietMs: -1 })).rejects.toMatchObject({ code: 'INVALID' })
    await expect(journal.watch({ onCollected: 1 as never })).rejects.toMatchObject({ code: 'INVALID' })
    await journal.close()
    await expect(journal.watch()).rejects.toMatchObject({ code: 'CLOSED' })
  })
})
