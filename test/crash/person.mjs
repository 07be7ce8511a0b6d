/**
 * Somebody who knows nothing of the journal: writes versions of shared files, each unique, in place or by rename, and tells of each
 * `placed`: it stood whole at its path; `crossed`: the path was given to another file while it was written in place, as happens to
 * anybody who writes a file that is replaced meanwhile. The next version comes only when the last has gone from its path, so that the person
 * never overwrites a version of their own. order: { root, seed, home, paths, patient? }
 */

import { createHash } from 'node:crypto'
import { closeSync, fstatSync, lstatSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { fail, order, tell } from './child.mjs'
import { dice } from './dice.mjs'

const random = dice(order.seed)
/** By path, what somebody's newest version looks like. What stands at the beginning may be an earlier person's. */
const standing = new Map(order.paths.map((path) => [path, look(path)]))
let count = 0

tell('ready')
for (;;) {
  for (const path of order.paths) {
    if (!stands(path) && random.chance(0.3)) version(path)
  }
  await new Promise((resolve) => setTimeout(resolve, random.below(order.patient === true ? 40 : 4)))
}

function look(path) {
  const stat = lstatSync(`${order.root}/${path}`, { throwIfNoEntry: false, bigint: true })
  return stat === undefined ? null : `${stat.ino} ${stat.mtimeNs} ${stat.size}`
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
  const handle = openSync(`${order.root}/${path}`, 'w')
  try {
    const half = random.below(bytes.length)
    writeSync(handle, bytes, 0, half)
    if (random.chance(0.2)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, random.below(5))
    writeSync(handle, bytes, half, bytes.length - half)
    const { ino, mtimeNs, size } = fstatSync(handle, { bigint: true })
    const written = `${ino} ${mtimeNs} ${size}`
    // Whole, and still at its path.
    if (look(path) === written) placed(path, hash, bytes.length, 'in place', written)
    else tell('crossed', { path, hash })
  } finally {
    closeSync(handle)
  }
}

function byRename(path, bytes, hash) {
  const draft = `${order.home}/draft-${process.pid}`
  const handle = openSync(draft, 'w')
  writeSync(handle, bytes)
  const { ino, mtimeNs, size } = fstatSync(handle, { bigint: true })
  closeSync(handle)
  try {
    renameSync(draft, `${order.root}/${path}`)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
  placed(path, hash, bytes.length, 'by rename', `${ino} ${mtimeNs} ${size}`)
}

function placed(path, hash, size, how, stamp) {
  standing.set(path, stamp)
  tell('placed', { path, hash, size, how })
}
