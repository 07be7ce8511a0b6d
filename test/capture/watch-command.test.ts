import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { journal as cli, journalLines, MAIN, workspace } from '../cli/journal-process.ts'
import { scratch } from './ground.ts'

vi.setConfig({ testTimeout: 60_000 })

interface Told {
  readonly event: string
  readonly receipts: readonly { readonly files: readonly { readonly path: string }[] }[]
}

const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** `journal watch --json`, and what it tells. */
function watching(root: string, ...options: string[]) {
  const child = spawn(process.execPath, [MAIN, 'watch', '--json', ...options], { cwd: root, stdio: 'pipe' })
  children.push(child)
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
  })
  const told = (): Told[] =>
    printed
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Told)
  const until = async (count: number): Promise<Told[]> => {
    for (const end = Date.now() + 30_000; told().length < count; ) {
      if (Date.now() > end) throw new Error(`waited in vain for ${count} lines: ${printed}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return told()
  }
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  return { child, until, told, ended }
}

describe('journal watch', () => {
  it('leaves to a command that another process runs under the journal what it changes', async () => {
    const root = await workspace()
    const { child, until, told, ended } = watching(root, '--quiet', '50')
    await until(1)
    const slow =
      "require('fs').writeFileSync('first', 'x'); setTimeout(() => require('fs').writeFileSync('second', 'x'), 1000)"
    expect((await cli(['run', '--parent', 'p1', '--', process.execPath, '-e', slow], { cwd: root })).code).toBe(0)
    child.kill('SIGINT')
    expect(await ended).toBe(0)
    expect(told()).toHaveLength(1)
    expect(await journalLines(['log'], { cwd: root })).toMatchObject([
      { parent: 'p1', files: [{ path: 'first' }, { path: 'second' }] },
    ])
    expect(fs.readdirSync(path.join(root, '.journal/running'))).toEqual([])
  })

  it('is not kept waiting by a command whose journal was killed', async () => {
    const root = await workspace()
    const running = path.join(root, '.journal/running')
    fs.mkdirSync(running)
    fs.writeFileSync(path.join(running, '1-dead'), '')
    fs.utimesSync(path.join(running, '1-dead'), 0, 0)
    const { until } = watching(root, '--quiet', '50')
    await until(1)
    fs.writeFileSync(path.join(root, 'a'), 'x')
    await until(2)
    expect(fs.readdirSync(running)).toEqual([])
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('tells what comes, and takes in the rest when %s ends it', async (signal) => {
    const root = await workspace()
    fs.writeFileSync(path.join(root, 'before'), 'x')
    const { child, until, told, ended } = watching(root, '--quiet', '100', '--actor', 'anna', '--ignore', '*.tmp')
    const [begun] = await until(1)
    expect(begun).toMatchObject({ event: 'watching', root, receipts: [{ files: 1 }] })
    fs.writeFileSync(path.join(root, 'a.tmp'), 'x')
    fs.writeFileSync(path.join(root, 'a'), 'x')
    const [, first] = await until(2)
    expect(first).toMatchObject({ event: 'collected', receipts: [{ files: [{ path: 'a' }] }] })
    fs.writeFileSync(path.join(root, 'b'), 'x')
    child.kill(signal)
    expect(await ended).toBe(0)
    expect(
      told()
        .at(-1)
        ?.receipts[0]?.files.map((file) => file.path),
    ).toEqual(['b'])
    const [newest] = await journalLines<{ actor: string }>(['log'], { cwd: root })
    expect(newest?.actor).toBe('anna')
    expect((await cli(['verify'], { cwd: root })).code).toBe(0)
  })

  it('finds when it begins again what was changed after it was killed', async () => {
    const root = await workspace()
    fs.writeFileSync(path.join(root, 'a'), 'x')
    const first = watching(root, '--quiet', '50')
    await first.until(1)
    first.child.kill('SIGKILL')
    await first.ended
    fs.writeFileSync(path.join(root, 'a'), 'another')
    const second = watching(root)
    const [begun] = await second.until(1)
    expect(begun).toMatchObject({ receipts: [{ files: 1 }] })
    second.child.kill('SIGINT')
    expect(await second.ended).toBe(0)
    expect((await cli(['undo', 'head'], { cwd: root })).code).toBe(0)
    expect(fs.readFileSync(path.join(root, 'a'), 'utf8')).toBe('x')
  })

  it('says what is wrong', async () => {
    expect(await cli(['watch'], { cwd: scratch() })).toMatchObject({ code: 1 })
    expect(await cli(['watch', '--quiet', 'soon'], { cwd: await workspace() })).toMatchObject({ code: 2 })
  })
})
