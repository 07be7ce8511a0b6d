import { invalidArgument } from './given.ts'

/** A function that answers its last argument. */
export function callbackOf(call: (...given: unknown[]) => Promise<unknown>): (...given: unknown[]) => void {
  return (...given) => {
    const done = given.pop()
    if (typeof done !== 'function') throw invalidArgument('cb', 'of type function', done)
    call(...given).then(
      (value) => process.nextTick(done as () => void, null, ...(value === undefined ? [] : [value])),
      (error: unknown) => process.nextTick(done as () => void, error),
    )
  }
}
