import type { Json } from '../entry/entry.ts'
import { isSameStart, type Machine } from './machine.ts'

/** The longest that anything stands without being renewed: what is older need not be looked for. */
export const LONGEST_TTL_MS = 24 * 60 * 60 * 1000

/** How long something stands: for a time, and with a process, on the machine that it began on. */
export interface Life {
  /** Milliseconds. */
  readonly ttl: number
  readonly host: string
  readonly boot: string
  /** Of the machine when it began, milliseconds. */
  readonly uptime: number
  /** It ends with this process. */
  readonly process?: { readonly pid: number; readonly started: string | null }
}

/** A life that begins now; `pid` null: it ends with no process. Null when there is no such process. */
export function beginLife(machine: Machine, ttl: number, pid: number | null): Life | null {
  const { host, boot } = machine
  const life = { ttl, host, boot, uptime: machine.uptime() }
  if (pid === null) return life
  const started = machine.started(pid)
  return started === undefined ? null : { ...life, process: { pid, started } }
}

/**
 * Milliseconds that are left; 0: it is over. `time`: when it was recorded; `seen`: how long the machine was up when this process first knew of it. On the start
 * of the machine that it began on, the clock on the wall has no say. Elsewhere it has, and if it was set back, what is left is never more than a whole life
 * from when it was first seen.
 */
export function remaining(life: Life, time: number, seen: number, machine: Machine): number {
  const { ttl, host, process } = life
  const up = machine.uptime()
  if (host === machine.host) {
    const same = isSameStart(life.boot, machine.boot)
    if (process !== undefined && !(same && isRunning(process, machine))) return 0
    if (same) return within(life.uptime + ttl - up, ttl)
  }
  return within(Math.min(time + ttl - machine.now(), seen + ttl - up), ttl)
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** Time for people, rounded up: `45 s`, `10 min`, `3 h`. */
export function timeText(ms: number): string {
  if (ms > 2 * HOUR_MS) return `${Math.ceil(ms / HOUR_MS)} h`
  return ms > 2 * MINUTE_MS ? `${Math.ceil(ms / MINUTE_MS)} min` : `${Math.ceil(ms / 1000)} s`
}

function within(left: number, ttl: number): number {
  return Math.max(0, Math.min(left, ttl))
}

function isRunning({ pid, started }: NonNullable<Life['process']>, machine: Machine): boolean {
  const now = machine.started(pid)
  if (now === undefined) return false
  return started === null || now === null || now === started
}

export function lifeWords(life: Life): { readonly [key: string]: Json } {
  const { ttl, host, boot, uptime, process } = life
  return { ttl, host, boot, uptime, ...(process === undefined ? {} : { process: { ...process } }) }
}

/** Null for what is none: the log may hold what another program wrote. */
export function readLife(value: { readonly [key: string]: Json }): Life | null {
  const { ttl, host, boot, uptime, process } = value
  if (!isDuration(ttl) || !isDuration(uptime) || typeof host !== 'string' || typeof boot !== 'string') return null
  const life = { ttl: Math.min(ttl, LONGEST_TTL_MS), host, boot, uptime }
  if (process === undefined) return life
  if (typeof process !== 'object' || process === null || Array.isArray(process)) return null
  const { pid, started } = process as { readonly [key: string]: Json }
  if (typeof pid !== 'number' || !(started === null || typeof started === 'string')) return null
  return { ...life, process: { pid, started } }
}

function isDuration(value: Json | undefined): value is number {
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER
}
