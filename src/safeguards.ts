import { BEGIN, CHECK, checked, checkedPaths } from './arguments.ts'
import type { ChainedCommit } from './entry/commit.ts'
import { withJournalErrors } from './errors.ts'
import type { CheckOptions } from './journal-types.ts'
import type { OpenOptions } from './options.ts'
import { relativePath } from './relative-path.ts'
import type { SafetyReport } from './safety/checks/report.ts'
import { Guards } from './safety/guards.ts'
import type { IntegrityReport } from './safety/integrity.ts'
import type { ValidationReport } from './safety/validation/validation.ts'
import type { Store } from './store/opening.ts'
import { readerSite } from './transaction/reader-site.ts'
import type { Transaction } from './transaction/transaction.ts'
import type { Writer } from './writer.ts'

export interface SafeguardsParts {
  /** Null: this process does not write. */
  readonly writer: () => Writer | null
  readonly usable: () => void
}

/** What an open journal does to keep its files sound, besides keeping their history. All of it is loaded when it is asked for. */
export class Safeguards {
  readonly guards: Guards
  readonly #store: Store
  readonly #options: OpenOptions
  readonly #parts: SafeguardsParts

  constructor(store: Store, options: OpenOptions, parts: SafeguardsParts) {
    this.guards = new Guards(options.validation)
    this.#store = store
    this.#options = options
    this.#parts = parts
  }

  /** See `Journal.check`. */
  async check(run: (tx: Transaction) => unknown, options: CheckOptions): Promise<SafetyReport> {
    const { usable } = this.#parts
    const writer = this.#parts.writer()
    usable()
    checked('the arguments', { run: run ?? null }, CHECK)
    const { validation: enforced = this.guards.level } = checked('the options', options, BEGIN)
    const { disk, layout } = this.#store
    const { rehearse } = await import('./safety/rehearsal.ts')
    return withJournalErrors('checking', async () =>
      rehearse(
        {
          disk,
          site: () => writer?.draftSite() ?? readerSite(this.#store),
          locks: writer?.locks ?? null,
          lockFile: layout.lock,
          validation: await this.guards.validation(),
          enforced,
          signal: this.#options.signal,
          usable,
        },
        run,
      ),
    )
  }

  /** See `Journal.validate`. */
  async validate(paths: readonly string[] = [''], options: CheckOptions): Promise<ValidationReport> {
    this.#parts.usable()
    const { layout } = this.#store
    const given = checkedPaths(paths).map((path) => relativePath(layout.root, path))
    const { validation: level = 'basic' } = checked('the options', options, BEGIN)
    const { standingFiles } = await import('./safety/standing-files.ts')
    return withJournalErrors('validating', async () => {
      const { sight, files } = standingFiles(readerSite(this.#store), given)
      return (await this.guards.validation()).examine(files, sight, { level, signal: this.#options.signal })
    })
  }

  /** See `Journal.confirm`. */
  async confirm(commit: ChainedCommit): Promise<IntegrityReport> {
    const { disk, layout } = this.#store
    const { confirm } = await import('./safety/integrity.ts')
    return withJournalErrors('looking at the workspace', () => confirm(commit, disk, layout.root))
  }
}
