import { afterEach, describe, expect, it } from 'vitest'
import { Team } from './team.ts'

/** `TEAM_SIZE=8 TEAM_COUNT=1000 TEAM_KILL_MS=1000` is the whole proof (`npm run proof:processes`). */
const SIZE = Number(process.env.TEAM_SIZE ?? 4)
const COUNT = Number(process.env.TEAM_COUNT ?? 30)
/** Undefined: not by the clock, but when some have been acknowledged. */
const KILL_MS = process.env.TEAM_KILL_MS === undefined ? null : Number(process.env.TEAM_KILL_MS)
const LIMIT_MS = Number(process.env.TEAM_LIMIT_MS ?? 120_000)

let team: Team | null = null

afterEach(async () => {
  await team?.end()
  team = null
})

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe('many processes on one workspace', () => {
  it(
    'write through one of them, and lose nothing',
    async () => {
      team = new Team(SIZE, COUNT)
      team.begin()
      while (!team.isDone) await pause(20)
      await team.check()
    },
    LIMIT_MS,
  )

  it(
    'lose nothing when the writer is killed again and again',
    async () => {
      team = new Team(SIZE, COUNT)
      team.begin()
      let killed = 0
      while (!team.isDone) {
        await (KILL_MS === null ? team.moves((SIZE * COUNT) / 6) : pause(KILL_MS))
        const writer = team.writer()
        if (writer !== null && team.signal(writer, 'SIGKILL')) killed += 1
      }
      expect(killed).toBeGreaterThan(1)
      await team.check()
    },
    LIMIT_MS,
  )

  it(
    'go on when the writer is frozen, which can do no harm when it wakes up',
    async () => {
      team = new Team(SIZE, COUNT * 3, 500)
      team.begin()
      let frozen = 0
      while (!team.isDone) {
        await (KILL_MS === null ? team.moves((SIZE * COUNT * 3) / 6) : pause(KILL_MS / 2))
        const writer = team.writer()
        if (writer === null || !team.signal(writer, 'SIGSTOP')) continue
        frozen += 1
        // Until the others have gone on for some time without it.
        await Promise.race([team.moves(SIZE * COUNT * 0.4), pause(3000)])
        team.signal(writer, 'SIGCONT')
      }
      expect(frozen).toBeGreaterThan(1)
      await team.check()
    },
    LIMIT_MS,
  )
})
