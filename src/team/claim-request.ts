import { JournalError, shown } from '../errors.ts'
import { beginLife, type Life, LONGEST_TTL_MS } from './life.ts'
import type { Machine } from './machine.ts'
import type { TeamHost } from './team-host.ts'

/** Of one intent, or one lease. */
const MAX_PATHS = 1000
const MAX_PID = 2 ** 31 - 1

/**
 * Where the paths of a claim really lead: each file, or folder, once.
 * @throws JournalError `INVALID`, `PATH_OUTSIDE`
 */
export function pathsOf({ locate }: TeamHost, given: readonly string[] | string): readonly string[] {
  const list = typeof given === 'string' ? [given] : given
  if (!Array.isArray(list) || list.length === 0 || list.some((path) => typeof path !== 'string')) {
    throw new JournalError('INVALID', `paths must be a list of files and folders, and is ${shown(given)}`, {
      hint: 'Name at least one, relative to the workspace.',
    })
  }
  if (list.length > MAX_PATHS) {
    throw new JournalError('INVALID', `${list.length} paths are more than the ${MAX_PATHS} that may be named`, {
      hint: 'Name the folders that they are in.',
    })
  }
  const paths = new Set(list.map(locate))
  // What lies below a folder that is named too needs no name of its own.
  return [...paths].filter((path) => ![...paths].some((other) => path.startsWith(`${other}/`))).sort()
}

/** @throws JournalError `INVALID` */
export function lifeOf(
  machine: Machine,
  { ttlMs, pid }: { readonly ttlMs: number; readonly pid?: number | null | undefined },
): Life {
  if (typeof ttlMs !== 'number' || !(ttlMs > 0 && ttlMs <= LONGEST_TTL_MS)) {
    throw new JournalError('INVALID', `ttlMs must be milliseconds up to ${LONGEST_TTL_MS}, and is ${shown(ttlMs)}`, {
      hint: 'A day is the most; what is needed for longer is renewed.',
    })
  }
  if (pid !== undefined && pid !== null && !(Number.isInteger(pid) && pid > 0 && pid <= MAX_PID)) {
    throw new JournalError('INVALID', `pid must be the number of a process, and is ${shown(pid)}`, {
      hint: 'Leave it out for this process, or give null for none.',
    })
  }
  const life = beginLife(machine, Math.ceil(ttlMs), pid === undefined ? process.pid : pid)
  if (life !== null) return life
  throw new JournalError('INVALID', `there is no process ${pid}`, { hint: 'Give one that runs on this machine.' })
}
