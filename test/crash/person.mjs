/**
 * Somebody who knows nothing of the journal: writes versions of shared files, each unique, in place or by rename, and tells of each
 * `placed`: it stood whole at its path; `crossed`: the path was given to another file while it was written in place, as happens to
 * anybody who writes a file that is replaced meanwhile. The next version comes only when the last has gone from its path, and never takes the place of a
 * version of their own, which only they would lose. To look before is not enough for that: a commit moves a version aside, and when it fails, puts it back,
 * which may be between the look and the write. So each step looks at the very file that it takes the place of; `returned`: it was their own, and stays.
 * order: { dist, root, seed, home, paths, patient? }
 */

import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { built, fail, order, tell } from './child.mjs'
import { dice } from './dice.mjs'

const { NodeDisk } = await built('disk/node-disk.js')
const disk = new NodeDisk()
const random = dice(order.seed)
/** By path, what somebody's newest version looks like. What stands at the beginning may be an earlier person's. */
const standing = new Map(order.paths.map((path) => [path, look(path)]))
/** How the files look that hold versions of this person and of earlier ones, wherever they are now: nothing but another version changes that. */
const theirs = new Set(earlier())
let count = 0

tell('ready')
for (;;) {
  for (const path of order.paths) {
    if (!stands(path) && random.chance(0.3)) version(path)
  }
  await new Promise((resolve) => setTimeout(resolve, random.below(order.patient === true ? 40 : 4)))
}

function earlier() {
  const logs = readdirSync(order.home).filter((name) => name.startsWith('person-'))
  const lines = logs.flatMap((name) => readFileSync(`${order.home}/${name}`, 'utf8').split('\n').slice(0, -1))
  return lines.map((line) => JSON.parse(line).stamp).filter((stamp) => stamp !== undefined)
}

function stampOf({ ino, mtimeNs, size }) {
  return `${ino} ${mtimeNs} ${size}`
}

function look(path) {
  const stat = lstatSync(`${order.root}/${path}`, { throwIfNoEntry: false, bigint: true })
  return stat === undefined ? null : stampOf(stat)
}

function stands(path) {
  const known = standing.get(path)
  return known !== null && known === look(path)
}

function version(path) {
  count += 1
  const size = random.chance(0.1) ? random.between(100_000, 1_500_000) : random.chance(0.3) ? 4000 : random.below(2000)
  const bytes = Buffer.concat([
    Buffer.from(`version ${count} of ${path} by a person, ${random.unit()}\n`),
    random.bytes(size),
  ])
  const hash = createHash('sha256').update(bytes).digest('hex')
  try {
    if (random.chance(0.5)) inPlace(path, bytes, hash)
    else byRename(path, bytes, hash)
  } catch (error) {
    if (!['ENOENT', 'EISDIR', 'ENOTDIR', 'ELOOP'].includes(error?.code)) fail('person', error)
  }
}

function inPlace(path, bytes, hash) {
  const handle = openSync(`${order.root}/${path}`, constants.O_WRONLY | constants.O_CREAT, 0o666)
  try {
    const found = stampOf(fstatSync(handle, { bigint: true }))
    if (theirs.has(found)) return returned(path, found)
    ftruncateSync(handle)
    const half = random.below(bytes.length)
    writeSync(handle, bytes, 0, half)
    if (random.chance(0.2)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, random.below(5))
    writeSync(handle, bytes, half, bytes.length - half)
    const written = stampOf(fstatSync(handle, { bigint: true }))
    // Whole, and still at its path.
    if (look(path) === written) placed(path, hash, bytes.length, 'in place', written)
    else tell('crossed', { path, hash })
  } finally {
    closeSync(handle)
  }
}

/** An exchange is a rename that says what it replaced. */
function byRename(path, bytes, hash) {
  const draft = `${order.home}/draft-${process.pid}`
  const handle = openSync(draft, 'w')
  writeSync(handle, bytes)
  const stamp = stampOf(fstatSync(handle, { bigint: true }))
  closeSync(handle)
  let found
  try {
    found = swap(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
  if (theirs.has(found)) {
    // Until it is back, it is in their draft, should they be killed.
    swap(draft, path)
    returned(path, found)
  } else placed(path, hash, bytes.length, 'by rename', stamp)
  rmSync(draft, { force: true })
}

/** Puts `draft` where a file stands, which comes to be `draft`, or nothing; returns how that file looks, or null. */
function swap(draft, path) {
  const target = `${order.root}/${path}`
  for (;;) {
    try {
      disk.exchange(draft, target)
      return stampOf(lstatSync(draft, { bigint: true }))
    } catch (error) {
      if (error?.code !== 'ENOENT') throw error
    }
    try {
      linkSync(draft, target)
      rmSync(draft)
      return null
    } catch (error) {
      if (error?.code !== 'EEXIST') throw error
    }
  }
}

function returned(path, stamp) {
  standing.set(path, stamp)
  tell('returned', { path })
}

function placed(path, hash, size, how, stamp) {
  standing.set(path, stamp)
  theirs.add(stamp)
  tell('placed', { path, hash, size, how, stamp })
}
