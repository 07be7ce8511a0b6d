import { JournalError } from '../errors.ts'
import { offsetOf, type Position, segmentOf } from '../log/position.ts'

/**
 * `frame`: damaged bytes in the log. `lost`: transactions that stood there. `record`: a frame that was written wrong. `chain`: a history
 * that was changed after it was written. `time`: times that decrease. `segment`: a segment that is not in its place. `content`: a content that
 * transactions name and that is missing or damaged. `blob`: a damaged blob that none names. `head`: a chain value kept elsewhere is not in
 * this history: it was replaced by an older copy, or written anew. `horizon`: what the log begins with, where history was dropped, is damaged,
 * missing or altered.
 */
export type ProblemKind =
  | 'frame'
  | 'lost'
  | 'record'
  | 'chain'
  | 'time'
  | 'segment'
  | 'content'
  | 'blob'
  | 'head'
  | 'horizon'

export interface Problem {
  readonly kind: ProblemKind
  readonly message: string
  readonly tx?: string
  readonly path?: string
  /** Segment and offset of the frame. */
  readonly position?: readonly [number, number]
}

const LIMIT = 1000

/** Collects problems, no more than a person can read. */
export class Findings {
  readonly problems: Problem[] = []
  #count = 0

  get count(): number {
    return this.#count
  }

  get omitted(): number {
    return this.#count - this.problems.length
  }

  add(problem: Problem): void {
    this.#count += 1
    if (this.problems.length < LIMIT) this.problems.push(problem)
  }

  /** Takes a `CORRUPT` error as a problem; any other is thrown on. */
  addError(kind: ProblemKind, error: unknown, position: Position): void {
    if (!(error instanceof JournalError) || error.code !== 'CORRUPT') throw error
    const about = error.tx === undefined ? {} : { tx: error.tx }
    this.add({ kind, message: error.message, ...about, position: [segmentOf(position), offsetOf(position)] })
  }
}
