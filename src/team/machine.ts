import { readFileSync } from 'node:fs'
import os from 'node:os'
import type { Disk } from '../disk/disk.ts'
import { hasSystemCode } from '../errors.ts'

/** The machine that this runs on, as far as the life of processes goes. */
export interface Machine {
  readonly host: string
  /** Another text after each start of the machine. */
  readonly boot: string
  /** The clock on the wall, milliseconds since 1970: somebody may set it. */
  now(): number
  /** Milliseconds since the machine was started; nobody sets that. */
  uptime(): number
  /** When a process began, in a form that only can be compared; null: it lives, and that is not known; undefined: there is no such process. */
  started(pid: number): string | null | undefined
}

export function thisMachine(disk: Disk): Machine {
  return {
    host: os.hostname(),
    boot: disk.bootId,
    now: () => Math.floor(disk.now()),
    uptime: () => Math.round(os.uptime() * 1000),
    started,
  }
}

/** Linux says when a process began: field 22, behind a name in parentheses that may hold anything. */
function started(pid: number): string | null | undefined {
  if (!isAlive(pid)) return undefined
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It is somebody else's.
    return hasSystemCode(error, 'EPERM')
  }
}

/** A machine at one moment: asked of many processes, each is looked at once. */
export function moment(machine: Machine): Machine {
  const [now, uptime] = [machine.now(), machine.uptime()]
  const processes = new Map<number, string | null | undefined>()
  return {
    host: machine.host,
    boot: machine.boot,
    now: () => now,
    uptime: () => uptime,
    started: (pid) => {
      if (!processes.has(pid)) processes.set(pid, machine.started(pid))
      return processes.get(pid)
    },
  }
}

const MINUTE_OF_START = /^started-(\d+)$/

/** Do two texts name the same start of a machine? Where it is told by the minute, the neighbouring one counts. */
export function isSameStart(a: string, b: string): boolean {
  if (a === b) return true
  const [, first] = MINUTE_OF_START.exec(a) ?? []
  const [, second] = MINUTE_OF_START.exec(b) ?? []
  return first !== undefined && second !== undefined && Math.abs(Number(first) - Number(second)) <= 1
}
