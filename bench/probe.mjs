import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { content, median } from './measure.mjs'

const FILES = 500

/** Microseconds, in the median, that a new file of 4 KiB costs in `folder`, without any sync: shows a file system that is still busy with the past. */
export function newFileCost(folder) {
  const own = join(folder, 'probe')
  mkdirSync(own)
  const bytes = content(4096)
  const costs = []
  for (let number = 0; number < FILES; number += 1) {
    const begun = performance.now()
    const handle = openSync(join(own, String(number)), 'wx')
    writeSync(handle, bytes)
    closeSync(handle)
    costs.push((performance.now() - begun) * 1000)
  }
  return median(costs)
}
