import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { CheckpointSchedule } from '../src/checkpoint-schedule.ts'
import type { Writer } from '../src/writer.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A writer of which only the checkpoints are used. */
function writerOf(runs: string[], behind: () => number, run = async (): Promise<void> => undefined): Writer {
  const checkpointer = {
    get behind() {
      return behind()
    },
    run: () => {
      runs.push('run')
      return run()
    },
  }
  return { checkpointer } as unknown as Writer
}

test('a checkpoint is made when nothing has come for a while, or at once when much has', async () => {
  const runs: string[] = []
  let behind = 10
  const schedule = new CheckpointSchedule(() => writerOf(runs, () => behind))
  schedule.committed()
  await vi.advanceTimersByTimeAsync(900)
  schedule.committed()
  await vi.advanceTimersByTimeAsync(900)
  expect(runs).toEqual([])
  await vi.advanceTimersByTimeAsync(200)
  expect(runs).toEqual(['run'])
  behind = 1e9
  schedule.committed()
  expect(runs).toEqual(['run', 'run'])
})

test('a process that was not the writer when its time came makes none, and makes them again when it is', async () => {
  const runs: string[] = []
  let writer: Writer | null = writerOf(runs, () => 10)
  const schedule = new CheckpointSchedule(() => writer)
  schedule.committed()
  const own = writer
  writer = null
  await vi.advanceTimersByTimeAsync(2000)
  expect(runs).toEqual([])
  writer = own
  schedule.committed()
  await vi.advanceTimersByTimeAsync(2000)
  expect(runs).toEqual(['run'])
})

test('one that failed keeps the next from nothing; none is made once it has stopped', async () => {
  const runs: string[] = []
  const schedule = new CheckpointSchedule(() =>
    writerOf(
      runs,
      () => 1e9,
      async () => {
        throw new Error('EIO')
      },
    ),
  )
  schedule.committed()
  await vi.advanceTimersByTimeAsync(10)
  schedule.committed()
  expect(runs).toEqual(['run', 'run'])
  schedule.stop()
  await vi.advanceTimersByTimeAsync(10)
  schedule.committed()
  await vi.advanceTimersByTimeAsync(5000)
  expect(runs).toEqual(['run', 'run'])
})
