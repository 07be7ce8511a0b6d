import { byPath } from '../history/path-scope.ts'
import type { Pace } from './pace.ts'

/** Sorted at once: takes about a millisecond. */
const RUN = 512
/** Letters from which on the order of UTF-16 is not that of UTF-8. */
const HIGH = /[\ud800-\uffff]/

function inOrder(a: string, b: string): number {
  if (HIGH.test(a) || HIGH.test(b)) return byPath(a, b)
  return a < b ? -1 : a > b ? 1 : 0
}

/** Paths in the order of their UTF-8 bytes; sorted in slices, however many they are. */
export async function sortedPaths(paths: Iterable<string>, pace: Pace): Promise<string[]> {
  const all = [...paths]
  let runs: string[][] = []
  for (let at = 0; at < all.length; at += RUN) {
    runs.push(all.slice(at, at + RUN).sort(inOrder))
    await pace.rest()
  }
  while (runs.length > 1) {
    const merged: string[][] = []
    for (let at = 0; at < runs.length; at += 2) merged.push(await mergedRuns(runs[at] ?? [], runs[at + 1] ?? [], pace))
    runs = merged
  }
  return runs[0] ?? []
}

async function mergedRuns(left: readonly string[], right: readonly string[], pace: Pace): Promise<string[]> {
  const merged: string[] = []
  for (let a = 0, b = 0; a < left.length || b < right.length; ) {
    const [l, r] = [left[a], right[b]]
    if (r === undefined || (l !== undefined && inOrder(l, r) <= 0)) {
      merged.push(l as string)
      a += 1
    } else {
      merged.push(r)
      b += 1
    }
    if (merged.length % RUN === 0) await pace.rest()
  }
  return merged
}
