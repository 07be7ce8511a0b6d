import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { NodeDisk } from '../dist/disk/node-disk.js'
import { headerSeed } from '../dist/log/frame.js'
import { LogReader } from '../dist/log/log-reader.js'
import { offsetOf, segmentOf } from '../dist/log/position.js'
import { Segments } from '../dist/log/segments.js'

/** Reads every frame of a workspace's log, checking both of its hashes; gives how many there were. */
export function scanLog(root) {
  const home = join(root, '.journal')
  const { journal } = JSON.parse(readFileSync(join(home, 'FORMAT'), 'utf8'))
  const segments = new Segments(new NodeDisk(), join(home, 'log'))
  const reading = new LogReader(segments, headerSeed(Buffer.from(journal, 'hex'))).read(undefined, { passing: true })
  let frames = 0
  let step = reading.next()
  while (!step.done) {
    frames += 1
    step = reading.next()
  }
  const { position, unread } = step.value
  if (unread) throw new Error(`The log cannot be read beyond ${segmentOf(position)}:${offsetOf(position)}`)
  return { frames }
}
