import { randomFillSync } from 'node:crypto'

/** Median of a list of numbers. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Milliseconds that `work` takes. */
export async function time(work) {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

/** Contents that no engine can recognise or compress. */
export function content(bytes) {
  return randomFillSync(Buffer.allocUnsafe(bytes))
}

/**
 * Lets the runners take turns, each round beginning with another one, so that whatever the machine does meanwhile falls on all of
 * them alike. A runner is `{ name, run(), every }`; it takes part in every `every`-th round (default 1). Its rounds among the first `warmUp` are not
 * counted. Gives a map from name to what `run` gave, round by round.
 */
export async function interleave(runners, { rounds, warmUp }) {
  const times = new Map(runners.map(({ name }) => [name, []]))
  for (let round = 0; round < warmUp + rounds; round += 1) {
    for (let turn = 0; turn < runners.length; turn += 1) {
      const { name, run, every = 1 } = runners[(round + turn) % runners.length]
      if (round % every !== 0) continue
      const taken = await run()
      if (round >= warmUp) times.get(name).push(taken)
    }
  }
  return times
}

/** Two figures that matter: below 10 with two decimals, below 100 with one. */
export function figure(value) {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US')
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

export function duration(milliseconds) {
  return milliseconds < 1000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(1)} s`
}
