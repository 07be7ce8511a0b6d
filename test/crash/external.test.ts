import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Entry, Journal, State } from '../../src/index.ts'
import { Random } from '../sim/random.ts'
import { built, SEED } from './built.ts'
import { differences, Ledger, treeOf } from './ledger.ts'
import { type Told, Victim } from './victim.ts'

const ROUNDS = Math.ceil(Number(process.env.CRASH_ROUNDS ?? 20) / 10)
const SHARED = ['s0.txt', 's1.txt', 'sub/s2.txt', 'sub/s3.txt', 's4.txt', 's5.txt']

/** Every content that the history can still give, by its bytes. */
async function contentsOf(journal: Journal): Promise<Set<string>> {
  const contents = new Set<string>()
  const pieces = new Map<string, Buffer[]>()
  for await (const line of journal.export()) {
    if (line.type === 'content') {
      const hash = line.hash as string
      pieces.set(hash, [...(pieces.get(hash) ?? []), Buffer.from(line.base64 as string, 'base64')])
    }
    for (const { utf8, base64 } of (line.contents ?? []) as { utf8?: string; base64?: string }[]) {
      const bytes =
        utf8 !== undefined ? Buffer.from(utf8, 'utf8') : base64 !== undefined ? Buffer.from(base64, 'base64') : null
      if (bytes !== null) contents.add(createHash('sha256').update(bytes).digest('hex'))
    }
  }
  for (const parts of pieces.values()) contents.add(createHash('sha256').update(Buffer.concat(parts)).digest('hex'))
  return contents
}

function hashesIn(root: string): Set<string> {
  const hashes = new Set<string>()
  for (const state of treeOf(root).values()) if (state?.kind === 'file') hashes.add(state.hash)
  return hashes
}

/** What persons had in their hands when they were killed: a version of their own that they were about to put back. */
function draftsIn(home: string): string[] {
  return readdirSync(home)
    .filter((name) => name.startsWith('draft-'))
    .map((name) =>
      createHash('sha256')
        .update(readFileSync(`${home}/${name}`))
        .digest('hex'),
    )
}

/** Versions that stood whole in the workspace and are now neither there nor in the history. */
async function lost(journal: Journal, home: string, told: readonly Told[]): Promise<Told[]> {
  const kept = await contentsOf(journal)
  const there = new Set([...hashesIn(journal.root), ...draftsIn(home)])
  return told.filter(({ kind, hash }) => kind === 'placed' && !kept.has(hash as string) && !there.has(hash as string))
}

function workspace(): { home: string; root: string } {
  const home = mkdtempSync(join(tmpdir(), 'wj-external-'))
  mkdirSync(`${home}/workspace/sub`, { recursive: true })
  return { home, root: `${home}/workspace` }
}

test(
  'no version that somebody else wrote is lost, though transactions, kills and recoveries go on over the same files',
  async () => {
    console.log(`CRASH_SEED=${SEED}`)
    const random = new Random(SEED)
    const { openJournal } = await built()
    const { home, root } = workspace()
    const ledger = new Ledger()
    const told: Told[] = []
    const acknowledged: Told[] = []
    const kept = { conflicts: 0 }
    for (let round = 0; round < ROUNDS; round += 1) {
      const order = { root, home, paths: SHARED, seed: random.uint32(), patient: random.chance(0.3) }
      const person = new Victim('person.mjs', order, `${home}/person-${round}.jsonl`)
      for (let kill = 1 + random.below(3); kill > 0; kill -= 1) {
        const dieAt = random.chance(0.4) ? { dieAt: 500 + random.below(8000) } : {}
        const shared = { shared: SHARED, seed: random.uint32(), lanes: 1 + random.below(4), small: random.chance(0.7) }
        const writer = new Victim('writer.mjs', { root, ...shared, ...dieAt }, `${home}/writer-${round}-${kill}.jsonl`)
        await writer.until(() => writer.has('ack'), 2, 4000)
        await writer.until(() => false, 10, 200 + random.below(800))
        writer.kill()
        await writer.ended
        acknowledged.push(...writer.told())
      }
      // The last recovery runs while the person still writes; then they stop.
      const open = await openJournal(root)
      person.kill()
      await person.ended
      told.push(...person.told())
      kept.conflicts += open.recovery.conflicts.length
      const faults = [...(await ledger.read(open)), ...ledger.missing(acknowledged)]
      const { ok, problems } = await open.verify()
      const gone = await lost(open, home, told)
      const failed = [...told, ...acknowledged].filter(({ kind }) => kind === 'fault')
      await open.close()
      const where = `seed ${SEED}, round ${round}, workspace kept at ${root}`
      expect(failed, where).toEqual([])
      expect(faults, where).toEqual([])
      expect(ok, `${where}: ${JSON.stringify(problems.slice(0, 5))}`).toBe(true)
      expect(gone, where).toEqual([])
    }
    const count = (kind: string) => told.filter((line) => line.kind === kind).length
    console.log(
      `${count('placed')} versions, ${count('crossed')} crossed, ${count('returned')} returned, ${ledger.commits.length} transactions, ${kept.conflicts} conflicts`,
    )
    expect(count('placed')).toBeGreaterThan(ROUNDS)
    rmSync(home, { recursive: true })
  },
  60_000 + ROUNDS * 15_000,
)

test(
  'an edit between the kill and the recovery stays in the workspace and is reported; all else is whole',
  async () => {
    const random = new Random(SEED ^ 1)
    const { openJournal } = await built()
    for (let round = 0; round < ROUNDS; round += 1) {
      const { home, root } = workspace()
      const seed = random.uint32()
      const dieAt = 500 + random.below(5000)
      const order = { root, shared: SHARED, seed, lanes: 2, dieAt, small: true }
      const writer = new Victim('writer.mjs', order, `${home}/writer.jsonl`)
      await writer.until(() => false, 10, 2000)
      writer.kill()
      await writer.ended
      mkdirSync(`${root}/sub`, { recursive: true })
      const edits = new Map<string, string>()
      for (const path of SHARED) {
        if (random.chance(0.5)) continue
        const text = `edited after the kill: ${path} ${random.unit()}\n`
        writeFileSync(`${root}/${path}`, text)
        edits.set(path, createHash('sha256').update(text).digest('hex'))
      }
      const recover = random.chance(0.4) ? 'revert' : 'replay'
      const open = await openJournal(root, { recover })
      const { conflicts, reverted } = open.recovery
      const kept = await contentsOf(open)
      const changed = (await open.status()).changed.map(({ path }) => path)
      const ledger = new Ledger()
      const faults = [...(await ledger.read(open)), ...ledger.missing(writer.told())]
      await open.close()
      const there = treeOf(root)
      const named = new Set(ledger.commits.flatMap(({ entries }) => entries.flatMap(pathsOf)))
      for (const [path, hash] of edits) {
        const state = there.get(path)
        if (state?.kind !== 'file' || state.hash !== hash) faults.push(`${path}: the edit is not there any more`)
        if (named.has(path) && !changed.includes(path)) faults.push(`${path}: status does not say that it was edited`)
        if (conflicts.some((conflict) => conflict.path === path) && !kept.has(hash))
          faults.push(`${path}: the edit is not kept`)
      }
      for (const { kind, tx = '' } of writer.told()) {
        if (kind === 'ack' && reverted.includes(tx)) faults.push(`acknowledged ${tx} was taken back`)
      }
      // What nobody edited is as the history says.
      for (const path of [...SHARED, 'moved/m0.txt', 'moved/m1.txt', 'moved/m2.txt', 'moved/m3.txt']) {
        if (edits.has(path)) continue
        const only = (tree: ReadonlyMap<string, State>) => new Map([...tree].filter(([other]) => other === path))
        faults.push(...differences(only(ledger.tree), only(there)))
      }
      // Recovered once, it stays so.
      const again = await openJournal(root, { recover })
      const { replayed, reverted: once } = again.recovery
      await again.close()
      if (replayed.length + once.length > 0)
        faults.push(`a second opening found something to do: ${JSON.stringify(again.recovery)}`)
      if (differences(there, treeOf(root)).length > 0) faults.push('a second opening changed the workspace')
      expect(faults, `${recover}, seed ${SEED}, round ${round}, workspace kept at ${root}`).toEqual([])
      rmSync(home, { recursive: true })
    }
  },
  60_000 + ROUNDS * 10_000,
)

function pathsOf(entry: Entry): string[] {
  if (entry.op === 'note') return []
  return entry.op === 'rename' ? [entry.path, entry.to] : [entry.path]
}
