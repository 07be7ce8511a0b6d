import type { CommitKind } from '../entry/commit.ts'
import type { Guard } from '../transaction/guard.ts'
import type { ValidationLevel } from './validation/level.ts'
import type { ValidationOptions } from './validation/options.ts'
import type { Validation } from './validation/validation.ts'

/** Makes the guards of a journal's transactions. Nothing is loaded before the first of them is needed. */
export class Guards {
  readonly #options: ValidationLevel | ValidationOptions | undefined
  #validation: Promise<Validation> | null = null

  constructor(options: ValidationLevel | ValidationOptions | undefined) {
    this.#options = options
  }

  /** That of transactions which bring new contents, unless they say otherwise. */
  get level(): ValidationLevel {
    return typeof this.#options === 'object' ? (this.#options.level ?? 'basic') : (this.#options ?? 'off')
  }

  /**
   * For a transaction of a kind. Only what brings new contents is looked at unless `asked`: what is gone back to, or is there already, was there
   * before. Undefined: nothing is asked of it.
   */
  of(kind: CommitKind, asked?: ValidationLevel): Guard | undefined {
    const level = asked ?? (kind === 'write' ? this.level : 'off')
    if (level === 'off') return undefined
    return async (proposal) => {
      const { validationGuard } = await import('./commit-guard.ts')
      await validationGuard(await this.validation(), level)(proposal)
    }
  }

  /** @throws JournalError `INVALID` when the options are none */
  validation(): Promise<Validation> {
    this.#validation ??= begun(this.#options ?? 'basic')
    return this.#validation
  }

  async close(): Promise<void> {
    const validation = await this.#validation?.catch(() => null)
    await validation?.close()
  }
}

async function begun(options: ValidationLevel | ValidationOptions): Promise<Validation> {
  const [{ Validation }, { settled }] = await Promise.all([
    import('./validation/validation.ts'),
    import('./validation/options.ts'),
  ])
  return new Validation(settled(options))
}
