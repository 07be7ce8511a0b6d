/**
 * What reading and verifying a log is held against: a program that knows beforehand where everything stands, reads the same bytes and hashes the same
 * pieces, frame by frame, with the packages that are there for it, and does nothing else with them.
 */
import { hash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { unpack } from 'msgpackr'
import xxhash from 'xxhash-wasm'

const HEADER = 56
const CHUNK = 1024 * 1024
const { h64Raw } = await xxhash()

/** Where the frames of a log are, in order, and in each what is hashed by SHA-256: whole contents, or the body of a commit. Not timed. */
export function piecesOf(root) {
  const home = join(root, '.journal')
  const { journal } = JSON.parse(readFileSync(join(home, 'FORMAT'), 'utf8'))
  const id = Buffer.from(journal, 'hex')
  const segments = readdirSync(join(home, 'log'))
    .filter((name) => name.endsWith('.wal'))
    .sort()
    .map((name) => segmentOf(join(home, 'log', name)))
  return { seed: id.readBigUInt64LE(0), first: hash('sha256', id, 'buffer'), segments }
}

function segmentOf(path) {
  const bytes = readFileSync(path)
  const frames = []
  for (let at = 0; at + HEADER <= bytes.length && bytes.toString('latin1', at, at + 4) === 'WJF1'; ) {
    const [kind, length] = [bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at + 8)]
    const payload = bytes.subarray(at + HEADER, at + HEADER + length)
    const range = (piece) => [
      piece.byteOffset - payload.byteOffset,
      piece.byteOffset - payload.byteOffset + piece.length,
    ]
    let contents = []
    let chained = null
    // Views into the payload, so that where they are says where the pieces are.
    if (kind === 3) contents = unpack(payload).contents.map(([, , data]) => range(viewOf(payload, data)))
    if (kind === 4) chained = range(viewOf(payload, unpack(payload)[1]))
    frames.push({ at, length, contents, chained })
    at += HEADER + Math.ceil(length / 8) * 8
  }
  const last = frames.at(-1)
  return { path, frames, end: last === undefined ? 0 : last.at + HEADER + last.length }
}

function viewOf(payload, part) {
  if (part.buffer === payload.buffer) return part
  const at = payload.indexOf(part)
  return payload.subarray(at, at + part.length)
}

/** Reads it all and hashes it; `deep`: contents and the chain too. Gives how many frames there were, and in how many bytes. */
export function readAndHash({ seed, first, segments }, deep) {
  const chunk = new Uint8Array(CHUNK)
  const view = new DataView(chunk.buffer)
  let link = Buffer.alloc(64 * 1024)
  link.set(first)
  let wrong = 0
  let count = 0
  let bytes = 0
  for (const { path, frames, end } of segments) {
    const handle = openSync(path, 'r')
    const size = fstatSync(handle).size
    let start = 0
    let filled = 0
    for (const { at, length, contents, chained } of frames) {
      if (at + HEADER + length > start + filled) {
        start = at
        filled = readSync(handle, chunk, 0, Math.min(CHUNK, size - at), at)
      }
      const from = at - start
      const body = from + HEADER
      if (h64Raw(chunk.subarray(from, from + 48), seed) !== view.getBigUint64(from + 48, true)) wrong += 1
      if (h64Raw(chunk.subarray(body, body + length)) !== view.getBigUint64(from + 40, true)) wrong += 1
      count += 1
      if (!deep) continue
      for (const [low, high] of contents) {
        if (hash('sha256', chunk.subarray(body + low, body + high), 'hex').length !== 64) wrong += 1
      }
      if (chained === null) continue
      const [low, high] = chained
      if (32 + high - low > link.length) link = Buffer.concat([link], 32 + 2 * (high - low))
      link.set(chunk.subarray(body + low, body + high), 32)
      link.write(hash('sha256', link.subarray(0, 32 + high - low), 'hex'), 'hex')
    }
    closeSync(handle)
    bytes += end
  }
  if (wrong > 0) throw new Error(`${wrong} frames of ${count} do not hash right`)
  return { frames: count, bytes, chain: link.toString('hex', 0, 32) }
}
