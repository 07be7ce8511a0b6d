import { timeText } from '../team/life.ts'
import { UsageError } from './failure.ts'
import { printable } from './printable.ts'

/** What intents and leases have left: `for 5 min, with process 4711`. */
export function wordsOf(expiresInMs: number, pid: number | undefined): string {
  const left = `for ${timeText(expiresInMs)}`
  return pid === undefined ? left : `${left}, with process ${pid}`
}

/** Refuses arguments that an action has no use for. */
export function noMore(action: string, rest: readonly string[]): void {
  if (rest.length === 0) return
  throw new UsageError(
    `${action} takes no ${printable(rest[0] as string)}`,
    `Run \`journal help ${action.split(' ')[0]}\`.`,
  )
}
