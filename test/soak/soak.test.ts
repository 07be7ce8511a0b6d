import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { built, DIST } from '../crash/built.ts'

const MIB = 1024 * 1024

async function module(name: string) {
  return import(/* @vite-ignore */ new URL(name, import.meta.url).href)
}

describe.skipIf(process.platform !== 'linux')('the soak', () => {
  test('a short one: killed writers, every acknowledged transaction there, the workspace a prefix', async () => {
    await built()
    const home = mkdtempSync(join(tmpdir(), 'wj-soak-'))
    const report = join(home, 'report.json')
    const { stdout } = spawnSync(process.execPath, [join(import.meta.dirname, 'soak.mjs')], {
      env: {
        ...process.env,
        WRITE_JOURNAL_DIST: DIST,
        SOAK_TRANSACTIONS: '300',
        SOAK_SEED: '1',
        SOAK_DIR: home,
        SOAK_REPORT: report,
      },
      encoding: 'utf8',
    })
    const { faults, counted, measured } = JSON.parse(readFileSync(report, 'utf8'))
    expect(faults, stdout).toEqual([])
    expect(counted.kills).toBeGreaterThanOrEqual(2)
    expect(counted.seq).toBeGreaterThanOrEqual(300)
    expect(counted.acknowledged + counted.unacknowledged).toBe(counted.seq)
    expect(measured.verified.at(-1).transactions).toBe(counted.seq)
    // So short a life says nothing of flatness: a workspace that was kept for that is no failure.
    expect(readdirSync(home).length).toBeLessThanOrEqual(2)
    rmSync(home, { recursive: true })
  }, 120_000)

  test('what grows is seen, and what does not grow is not', async () => {
    const { windowsOf, verdicts, longLife } = await module('windows.mjs')
    const life = (leak: number) => ({
      samples: Array.from({ length: 100 }, (_, at) => ({
        seq: (at + 1) * 10_000,
        life: at < 80 ? 'short' : 'long',
        rss: (100 + leak * (at + 5 * Math.max(0, at - 80))) * MIB,
        anonymous: 50 * MIB,
        heap: 10 * MIB,
        descriptors: 60,
        staged: 0,
      })),
      openings: Array.from({ length: 100 }, (_, at) => ({ seq: (at + 1) * 10_000, how: 'closed', ms: 3 + leak * at })),
      catchUps: [],
      paces: [],
      spaces: Array.from({ length: 100 }, (_, at) => ({
        seq: (at + 1) * 10_000,
        log: { bytes: at * 2e7 },
        index: { bytes: at * 3e6 },
        broken: { files: 0 },
      })),
    })
    const grown = (leak: number): string[] => {
      const measured = life(leak)
      const found = [...verdicts(windowsOf(measured, 1e6)), ...longLife(measured.samples)]
      return found.filter(({ flat }) => !flat).map(({ what }) => what)
    }
    expect(grown(0)).toEqual([])
    expect(grown(8)).toEqual([
      'rss MiB, late against early',
      'open, closed ms, late against early',
      'rss MiB of one long life',
    ])
  })

  test('a history that lost, changed or contradicts something is found out', async () => {
    const { Ledger } = await module('ledger.mjs')
    const chain = (digit: number) => String(digit).repeat(64)
    const file = (hash: string) => ({ kind: 'file', hash, size: 1, mode: 0o644 })
    const commit = (seq: number, before: unknown, after: unknown) => ({
      seq,
      tx: `t${seq}`,
      kind: 'write',
      chain: chain(seq),
      entries: [{ op: 'write', path: 'a', before, after }],
    })
    const history = [commit(1, null, file('x')), commit(2, file('x'), file('y'))]
    const told = [1, 2].flatMap((seq) => [
      { kind: 'start', tx: `t${seq}` },
      { kind: 'ack', tx: `t${seq}`, seq, chain: chain(seq), wrote: [['a', seq === 1 ? 'x' : 'y']] },
    ])
    const faults = async (commits: readonly unknown[], lines: readonly unknown[]): Promise<string[]> =>
      new Ledger().readOn({ history: () => commits }, lines)
    expect(await faults(history, told)).toEqual([])
    expect(await faults(history.slice(0, 1), told)).toEqual(['acknowledged t2 (2) is not in the history'])
    expect(await faults(history, told.slice(1))).toEqual(['nobody began t1 (1)'])
    expect(await faults([history[0], commit(2, null, file('y'))], told)).toHaveLength(1)
    expect(await faults([history[0], commit(2, file('x'), file('z'))], told)).toHaveLength(1)
    expect(await faults([history[0], { ...history[1], chain: chain(3) }], told)).toHaveLength(1)
    expect(await faults(history, [...told, { kind: 'refused', tx: 't2' }])).toEqual(['t2 (2) had been refused'])
  })
})
