import type { Head } from '../entry/chain.ts'
import type { Position } from '../log/position.ts'

/** A commit that stands in the log and is not wholly in the workspace yet. */
interface Flight {
  readonly start: Position
  readonly before: Head
}

/** Commits between the log and the workspace, by their numbers. */
export class InFlight {
  readonly #flights = new Map<number, Flight>()
  #settled: number

  /** `settled`: all commits up to this number are in the workspace. */
  constructor(settled: number) {
    this.#settled = settled
  }

  begin(seq: number, flight: Flight): void {
    this.#flights.set(seq, flight)
  }

  end(seq: number): void {
    this.#flights.delete(seq)
  }

  /** The one that begins first in the log. */
  get oldest(): Flight | null {
    return [...this.#flights.values()].reduce<Flight | null>(
      (first, flight) => (first === null || flight.start < first.start ? flight : first),
      null,
    )
  }

  /** The highest number up to which no commit is in flight; `last` was the last one. */
  settled(last: number): number {
    while (this.#settled < last && !this.#flights.has(this.#settled + 1)) this.#settled += 1
    return this.#settled
  }
}
