import type { LeftOut, LeftOutReason } from '../../capture/left-out.ts'
import { JournalError } from '../../errors.ts'
import type { Journal } from '../../journal.ts'
import { openJournal } from '../../open-journal.ts'
import type { Found } from './recorder.ts'

/** How long somebody else may be writing before an event is given up. */
const LOCKED_MS = 4_000
const RETRY_MS = 25

/** The journal of a workspace while hooks have use for it: opened when it is needed, closed when it has not been for a while. */
export class HeldJournal {
  readonly #root: string
  readonly #holdMs: number
  #journal: Promise<Journal> | null = null
  #patienceMs = LOCKED_MS
  #closing: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | null = null

  /** `holdMs`: how long it stays open after its last use; others may be waiting for it. */
  constructor(root: string, holdMs: number) {
    this.#root = root
    this.#holdMs = holdMs
  }

  /** Calls must not overlap. A journal that failed is opened anew the next time. */
  async collect({ paths, meta, before }: Found): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#closing
    this.#journal ??= openedInTime(this.#root, this.#patienceMs)
    try {
      const journal = await this.#journal
      this.#patienceMs = LOCKED_MS
      const { leftOut } = await journal.collect({
        ...meta,
        baseline: before,
        // What a tool was told to write is meant, whatever git makes of it.
        ...(paths === null ? {} : { paths, gitignore: false, defaults: false }),
      })
      if (paths !== null) checkNothingLost(leftOut)
    } catch (error) {
      // Who has it for longer will have it for the next event too: not every call of a tool can wait for that.
      if (isBusy(error)) this.#patienceMs = 0
      await this.close()
      throw error
    }
    this.#timer = setTimeout(() => this.close(), this.#holdMs)
  }

  /** It is opened again when there is use for it. A failure is found by who opens it next. Must not be called while a `collect` runs. */
  close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const journal = this.#journal
    this.#journal = null
    if (journal !== null) this.#closing = journal.then((open) => open.close()).catch(() => undefined)
    return this.#closing
  }
}

/** Of a file that a tool writes, what is not in the history must at least be known not to be. */
function checkNothingLost({ groups }: LeftOut): void {
  const [lost] = groups.filter(({ reason }) => reason in LOSSES)
  if (lost === undefined) return
  throw new JournalError('INVALID', `${lost.paths[0]} is not in the history: ${LOSSES[lost.reason]}`, {
    hint: 'The tool was not held up. What it overwrote cannot be brought back from the journal.',
    path: lost.paths[0],
  })
}

const LOSSES: Partial<Record<LeftOutReason, string>> = {
  size: 'it is too large',
  unreadable: 'it cannot be read',
  busy: 'it kept changing',
  kind: 'it is no file',
}

/** Waits for a writer that is busy for a moment. */
async function openedInTime(root: string, patienceMs: number): Promise<Journal> {
  for (const until = Date.now() + patienceMs; ; ) {
    try {
      return await openJournal(root, { create: false })
    } catch (error) {
      if (!isBusy(error) || Date.now() >= until) throw error
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof JournalError && error.code === 'LOCKED'
}
