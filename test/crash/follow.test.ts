import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Random } from '../sim/random.ts'
import { built, SEED } from './built.ts'
import { type Told, Victim } from './victim.ts'

/** `FOLLOW_COUNT=10000 FOLLOW_KILLS=100` for a longer run. */
const COUNT = Number(process.env.FOLLOW_COUNT ?? 1500)
/** More than any follower is behind. */
const KEEP = 1000
/** A writer that is not killed ends by itself. */
const KILLS = Number(process.env.FOLLOW_KILLS ?? 15)

test('followers see each acknowledged transaction once and in order, across killed writers, segments and compactions', async () => {
  console.log(`CRASH_SEED=${SEED}`)
  const random = new Random(SEED)
  const { openJournal } = await built()
  const home = mkdtempSync(join(tmpdir(), 'wj-follow-'))
  const root = `${home}/workspace`
  mkdirSync(root)
  await (await openJournal(root)).close()
  const followers: { readonly from: string | number; readonly victim: Victim }[] = []
  const follow = async (from: string | number): Promise<void> => {
    const victim = new Victim('follower.mjs', { root, from }, `${home}/follower-${followers.length}.jsonl`)
    followers.push({ from, victim })
    await victim.until(() => victim.has('started'))
  }
  await follow('beginning')
  const acks: Told[] = []
  const faults: Told[] = []
  let done = false
  let kills = 0
  for (let round = 0; !done; round += 1) {
    const order = { root, count: COUNT, keep: KEEP, open: { segmentSize: 32 * 1024 } }
    const writer = new Victim('follow-writer.mjs', order, `${home}/writer-${round}.jsonl`)
    await writer.until(() => writer.has('ack'))
    if (round === 2) await follow('now')
    if (round === 4) await follow((acks.at(-1) as Told).seq as number)
    if (kills < KILLS) {
      await writer.until(() => false, 10, 50 + random.below(350))
      if (writer.running) kills += 1
      writer.kill()
    }
    await writer.ended
    const told = writer.told()
    acks.push(...told.filter(({ kind }) => kind === 'ack'))
    faults.push(...told.filter(({ kind }) => kind === 'fault'))
    done = told.some(({ kind }) => kind === 'done')
    if (faults.length > 0) break
  }
  expect(faults).toEqual([])
  const journal = await openJournal(root, { readOnly: true })
  const history = new Map<number, string>()
  for await (const { seq, chain } of journal.history()) history.set(seq, chain)
  await journal.close()
  expect(Math.min(...history.keys())).toBeGreaterThan(1)
  const counts: number[] = []
  for (const { from, victim } of followers) {
    await victim.until(() => false, 20, 60_000)
    const told = victim.told()
    expect(told.filter(({ kind }) => kind === 'fault')).toEqual([])
    expect(told.at(-1)?.kind).toBe('done')
    const saw = told.filter(({ kind }) => kind === 'saw')
    const first = saw[0]?.seq as number
    if (from !== 'now') expect(first).toBe(from === 'beginning' ? 1 : Number(from) + 1)
    // None missed, none twice, in order.
    expect(saw.map(({ seq }) => seq)).toEqual(saw.map((_, at) => first + at))
    const bySeq = new Map(saw.map((one) => [one.seq as number, one]))
    for (const ack of acks) {
      if ((ack.seq as number) < first) continue
      expect(bySeq.get(ack.seq as number), `transaction ${ack.seq}`).toMatchObject({ tx: ack.tx, chain: ack.chain })
    }
    for (const [seq, chain] of history) if (seq >= first) expect(bySeq.get(seq)?.chain).toBe(chain)
    counts.push(saw.length)
  }
  console.log(`${acks.length} acknowledged, ${kills} writers killed; seen: ${counts.join(', ')}`)
  expect(acks.length).toBeGreaterThan(COUNT / 2)
  expect(kills).toBeGreaterThan(3)
  rmSync(home, { recursive: true })
}, 240_000)
