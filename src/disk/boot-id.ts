import { readFileSync } from 'node:fs'
import os from 'node:os'

/**
 * A text that differs from one start of the machine to the next. Linux says it; elsewhere it is the minute of the start,
 * which may differ by one within a start: recovery then treats the machine as restarted, which is the careful side.
 */
export function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return `started-${Math.round((Date.now() / 1000 - os.uptime()) / 60)}`
  }
}
