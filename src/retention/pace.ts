import { breathe } from '../disk/file.ts'
import { JournalError } from '../errors.ts'

/** Work in the background goes on for so long before others get their turn. */
const SLICE_MS = 1

/** Keeps long work in slices, so that no commit waits for more than one of them. */
export class Pace {
  readonly #stopped: () => boolean
  #begun = performance.now()

  /** `stopped`: somebody wants the work to end early. */
  constructor(stopped: () => boolean = () => false) {
    this.#stopped = stopped
  }

  /** Called between steps of work that take much less than a slice each. @throws JournalError `ABORTED` when it was stopped */
  readonly rest = async (): Promise<void> => {
    if (performance.now() - this.#begun < SLICE_MS) return
    await breathe()
    this.#begun = performance.now()
    if (this.#stopped()) throw new JournalError('ABORTED', 'the work was stopped', { hint: 'It goes on another time.' })
  }
}
