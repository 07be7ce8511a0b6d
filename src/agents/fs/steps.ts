import type { Mutation, Mutator } from './mutation.ts'
import { FsRefusal, nodeError } from './node-error.ts'

/** Something that must be waited for where one can wait: the answer of a caller's function. */
export interface Asked {
  readonly op: 'ask'
  readonly answer: unknown
}

/**
 * A call, written once for those who wait and those who do not: it yields what is to be carried out, and gets what came of it.
 */
export type Steps<T> = Generator<Mutation | Asked, T, unknown>

/** A call for which nothing must be waited. */
// biome-ignore lint/correctness/useYield: there is nothing to be carried out
export function* atOnce<T>(call: () => T): Steps<T> {
  return call()
}

export async function runAsync<T>(steps: Steps<T>, mutator: Mutator): Promise<T> {
  let next = steps.next()
  while (!next.done) {
    try {
      const { value } = next
      const outcome = value.op === 'ask' ? await value.answer : await mutator.perform(value)
      next = steps.next(outcome)
    } catch (error) {
      next = steps.throw(error)
    }
  }
  return next.value
}

export function runSync<T>(steps: Steps<T>, mutator: Mutator): T {
  let next = steps.next()
  while (!next.done) {
    try {
      const { value } = next
      next = steps.next(value.op === 'ask' ? value.answer : performSync(value, mutator))
    } catch (error) {
      next = steps.throw(error)
    }
  }
  return next.value
}

function performSync(mutation: Mutation, mutator: Mutator): unknown {
  if (mutator.performSync !== undefined) return mutator.performSync(mutation)
  throw new FsRefusal('ENOSYS', mutation.op === 'batch' ? mutation.syscall : `${mutation.op}Sync`)
}

/** One mutation; what is wrong with it is said with the names that the caller gave. */
export function* perform(mutation: Mutation, path: string, dest?: string): Steps<unknown> {
  try {
    return yield mutation
  } catch (error) {
    throw error instanceof FsRefusal ? withHint(nodeError(error.fault, path, dest)) : error
  }
}

function withHint(error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  if (error.code === 'ENOSYS') {
    error.message +=
      '. A journal that is open in this thread cannot be waited for: use the promises or callbacks, or openFs(folder) of write-journal/fs'
  }
  return error
}
