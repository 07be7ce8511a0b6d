import type { Meta } from '../../entry/commit.ts'
import { hasSystemCode, JournalError } from '../../errors.ts'
import type { Journal } from '../../journal.ts'
import { openJournal } from '../../open-journal.ts'

/** How long somebody else may be writing before an event is given up. */
const LOCKED_MS = 4_000
const RETRY_MS = 25

/** The journal of a workspace while hooks have use for it: opened when it is needed, closed when it has not been for a while. */
export class HeldJournal {
  readonly #root: string
  readonly #holdMs: number
  #journal: Promise<Journal> | null = null
  #timer: NodeJS.Timeout | null = null

  /** `holdMs`: how long it stays open after its last use; others may be waiting for it. */
  constructor(root: string, holdMs: number) {
    this.#root = root
    this.#holdMs = holdMs
  }

  /** Calls must not overlap. A journal that failed is opened anew the next time. */
  async collect(paths: readonly string[] | null, meta: Meta): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#journal ??= openedInTime(this.#root)
    try {
      const journal = await this.#journal
      await journal.adopt(paths ?? undefined, meta)
    } catch (error) {
      await this.close().catch(() => undefined)
      throw error
    }
    this.#timer = setTimeout(() => void this.close().catch(() => undefined), this.#holdMs)
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const journal = this.#journal
    this.#journal = null
    await (await journal?.catch(() => null))?.close()
  }
}

/** Waits for a writer that is busy for a moment. */
async function openedInTime(root: string): Promise<Journal> {
  for (const until = Date.now() + LOCKED_MS; ; ) {
    try {
      return await openJournal(root, { create: false })
    } catch (error) {
      const busy = (error instanceof JournalError && error.code === 'LOCKED') || hasSystemCode(error, 'EBUSY')
      if (!busy || Date.now() > until) throw error
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}
