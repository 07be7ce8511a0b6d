import { readFileSync } from 'node:fs'

/** Seen from this file, and from where the bundle puts it. */
const PACKAGE = /\/hooks\/[^/]*$/.test(import.meta.url) ? '../../../package.json' : '../../package.json'

/** Of this package. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL(PACKAGE, import.meta.url), 'utf8')) as { version: string }
  return version
}

/** Is `one` a later version than `other`? What follows the three numbers is left aside. */
export function isNewer(one: string, other: string): boolean {
  const [left, right] = [one, other].map((version) => version.split(/[.+-]/, 3).map(Number))
  for (let at = 0; at < 3; at += 1) {
    const difference = (left?.[at] ?? 0) - (right?.[at] ?? 0)
    if (difference !== 0) return difference > 0
  }
  return false
}
