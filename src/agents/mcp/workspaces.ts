import { existsSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { JournalError } from '../../errors.ts'
import type { Journal } from '../../journal.ts'
import { openJournal } from '../../open-journal.ts'
import type { OpenOptions } from '../../options.ts'
import { isWithin } from './allowed-folders.ts'

/** An allowed folder, and its journal once there is a need for it. */
export class Workspace {
  readonly root: string
  readonly #options: OpenOptions
  readonly #opened: (journal: Journal) => void
  #journal: Promise<Journal> | null = null

  constructor(root: string, options: OpenOptions, opened: (journal: Journal) => void) {
    this.root = root
    this.#options = options
    this.#opened = opened
  }

  get hasJournal(): boolean {
    return existsSync(join(this.root, '.journal', 'FORMAT'))
  }

  /** A path as the history names it. */
  path(absolute: string): string {
    return relative(this.root, absolute).split(sep).join('/')
  }

  absolute(path: string): string {
    return join(this.root, ...path.split('/'))
  }

  /** Opens the journal to write, and makes it where there is none. What failed is tried again the next time: a lock may be free by then. */
  async open(): Promise<Journal> {
    this.#journal ??= openJournal(this.root, this.#options).then((journal) => {
      this.#opened(journal)
      return journal
    })
    const opening = this.#journal
    try {
      return await opening
    } catch (error) {
      if (this.#journal === opening) this.#journal = null
      throw error
    }
  }

  /** Runs `use` with the journal, at least to read. @throws JournalError `NOT_FOUND` when there is none */
  async look<T>(use: (journal: Journal) => Promise<T>): Promise<T> {
    const open = await this.#journal?.catch(() => null)
    return open ? use(open) : this.lookBeside(use)
  }

  /** The same with a reader of its own, whose progress only the caller sees. */
  async lookBeside<T>(use: (journal: Journal) => Promise<T>, options: OpenOptions = {}): Promise<T> {
    if (!this.hasJournal) {
      throw new JournalError('NOT_FOUND', `there is no journal in ${this.root} yet`, {
        hint: 'The first write makes it.',
        path: this.root,
      })
    }
    const journal = await openJournal(this.root, { ...options, readOnly: true })
    try {
      return await use(journal)
    } finally {
      await journal.close()
    }
  }

  async close(): Promise<void> {
    const journal = await this.#journal?.catch(() => null)
    this.#journal = null
    await journal?.close()
  }
}

/** The workspaces of all allowed folders. Where they are nested, a path belongs to the innermost. */
export class Workspaces {
  readonly #options: OpenOptions
  readonly #opened: (journal: Journal) => void
  #all: readonly Workspace[] = []

  constructor(options: OpenOptions, opened: (journal: Journal) => void) {
    this.#options = options
    this.#opened = opened
  }

  get all(): readonly Workspace[] {
    return this.#all
  }

  /** Keeps those that stay, and returns those that go, still open. */
  allow(roots: readonly string[]): readonly Workspace[] {
    const before = this.#all
    this.#all = roots.map(
      (root) => before.find((workspace) => workspace.root === root) ?? new Workspace(root, this.#options, this.#opened),
    )
    return before.filter((workspace) => !this.#all.includes(workspace))
  }

  /** Finishes what a crash left half done, wherever there is a journal, before anybody reads it. Returns what failed. */
  async recover(): Promise<readonly string[]> {
    const opening = this.#all.filter(({ hasJournal }) => hasJournal)
    const outcomes = await Promise.allSettled(opening.map((workspace) => workspace.open()))
    return outcomes.flatMap((outcome, at) =>
      outcome.status === 'rejected' ? [`${opening[at]?.root}: ${(outcome.reason as Error).message}`] : [],
    )
  }

  /** The workspace of an absolute path with no symbolic links in it. @throws JournalError `PATH_OUTSIDE` */
  of(path: string): Workspace {
    const [innermost] = this.#all
      .filter(({ root }) => isWithin(root, path))
      .sort((left, right) => right.root.length - left.root.length)
    if (innermost !== undefined) return innermost
    throw new JournalError('PATH_OUTSIDE', `${path} is in no allowed directory`, {
      hint: 'Ask for the allowed directories.',
      path,
    })
  }

  /** The workspace that a caller means by a folder; the only one when it names none. @throws JournalError `INVALID` */
  named(root: string | undefined): Workspace {
    const [first] = this.#all
    if (root !== undefined) return this.of(root)
    if (first !== undefined && this.#all.length === 1) return first
    const roots = this.#all.map((workspace) => workspace.root).join(', ')
    throw new JournalError('INVALID', first === undefined ? 'there is no allowed directory' : 'which directory?', {
      hint:
        first === undefined ? 'Start the server with a folder, or give it roots.' : `Say directory: one of ${roots}.`,
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((workspace) => workspace.close()))
  }
}
