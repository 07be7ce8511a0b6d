import { effectsOf } from '../entry/effects.ts'
import { type State, sameState } from '../entry/state.ts'
import type { FlightCommit } from './log-scan.ts'

/** The states of one path through the transactions in flight. */
export interface PathHistory {
  readonly path: string
  /** `states[i]` before `writers[i]`, and after `writers[i - 1]`. */
  readonly states: State[]
  /** Null: somebody, from outside. */
  readonly writers: (FlightCommit | null)[]
  /** Does what stands there come from changes in place that were interrupted? Undefined: it was not looked at, or none was made. */
  mixed?: boolean
}

export function historiesOf(flight: readonly FlightCommit[]): Map<string, PathHistory> {
  const histories = new Map<string, PathHistory>()
  for (const member of flight) {
    for (const { path, before, after } of effectsOf(member.commit.entries)) {
      let history = histories.get(path)
      if (history === undefined) {
        history = { path, states: [before], writers: [] }
        histories.set(path, history)
      }
      // A transaction begins with what it found, which an edit from outside may have changed. A power cut may bring back what the edit replaced.
      if (!sameState(history.states.at(-1) ?? null, before)) {
        history.states.push(before)
        history.writers.push(null)
      }
      history.states.push(after)
      history.writers.push(member)
    }
  }
  return histories
}
