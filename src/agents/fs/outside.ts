import { sep } from 'node:path'
import { isJournalName } from '../../entry/path.ts'
import { JournalError, shown } from '../../errors.ts'
import { canonical } from './found.ts'
import type { Mutation, Mutator } from './mutation.ts'
import { FsRefusal } from './node-error.ts'
import { PlainMutator } from './plain-mutator.ts'

export type OutsidePolicy = 'refuse' | 'pass'

/** A mutator, and what is done about paths that it does not cover. @throws JournalError `INVALID` */
export function outsideOf(mutator: Mutator, policy: OutsidePolicy): Mutator {
  if (policy === 'refuse') {
    const refuses = (path: string) => !mutator.covers(path) || isInJournal(path)
    return { ...bound(mutator), covers: () => true, refuses }
  }
  if (policy === 'pass') return new PassingMutator(mutator)
  throw new JournalError('INVALID', `${shown(policy)} is nothing to be done about paths outside`, {
    hint: 'Say refuse or pass.',
  })
}

function isInJournal(path: string): boolean {
  return canonical(path).split(sep).some(isJournalName)
}

function bound(mutator: Mutator): Pick<Mutator, 'perform' | 'performSync'> {
  const perform = (mutation: Mutation) => mutator.perform(mutation)
  if (mutator.performSync === undefined) return { perform }
  return { perform, performSync: (mutation) => mutator.performSync?.(mutation) }
}

/** Lets Node do what is outside. */
export class PassingMutator implements Mutator {
  readonly #inner: Mutator
  readonly #plain = new PlainMutator()
  readonly performSync?: (mutation: Mutation) => unknown

  constructor(inner: Mutator) {
    this.#inner = inner
    this.performSync = (mutation) => {
      const chosen = this.#chosen(mutation)
      if (chosen.performSync === undefined) throw new FsRefusal('ENOSYS', `${mutation.op}Sync`)
      return chosen.performSync(mutation)
    }
  }

  covers(path: string): boolean {
    return this.#inner.covers(path)
  }

  refuses(path: string): boolean {
    return this.#inner.covers(path) && isInJournal(path)
  }

  async perform(mutation: Mutation): Promise<unknown> {
    return this.#chosen(mutation).perform(mutation)
  }

  #chosen(mutation: Mutation): Mutator {
    const { to } = mutation as { readonly to?: string }
    // Of a copy only where it goes to counts.
    const path = mutation.op === 'copyFile' ? mutation.to : mutation.path
    const inside = this.#inner.covers(path)
    if (mutation.op === 'rename' && to !== undefined && this.#inner.covers(to) !== inside) {
      throw new FsRefusal('EXDEV', 'rename')
    }
    return inside ? this.#inner : this.#plain
  }
}
