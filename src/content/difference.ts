import { type Delta, DeltaBuilder, MAX_PIECES } from './delta.ts'

/** Compared at once. */
const STRIDE = 4096
/** What is looked for again elsewhere: shorter common parts are not found unless they lie at an end of longer ones. */
const BLOCK = 32
/** Middles that differ are not looked into when one of them is smaller. */
const MIDDLE = 4 * BLOCK
/** Common parts that are weighed against each other. */
const MAX_MATCHES = 1024
/** Before all of a middle is looked into, so many places of it, each of so many bytes, must show that it is worth it. */
const PROBES = 8
const PROBE = 512
const PRIME = 0x01000193

/** A part that both have. */
interface Match {
  readonly before: number
  readonly after: number
  readonly length: number
}

/**
 * What to change in `before` to get `after`. What they have in common at both ends is found first. Between those, blocks of `before` that occur there
 * once are looked for in `after` by a rolling hash (Tridgell and Mackerras, "The rsync algorithm", 1996), and the heaviest chain of matches that stand in
 * the same order in both is kept. Linear in time but for that chain; null when too little is in common to go on looking.
 */
export function difference(before: Uint8Array, after: Uint8Array, searching = true): Delta | null {
  const prefix = commonPrefix(before, after)
  const suffix = commonSuffix(before.subarray(prefix), after.subarray(prefix))
  const old = before.subarray(prefix, before.byteLength - suffix)
  const fresh = after.subarray(prefix, after.byteLength - suffix)
  const delta = new DeltaBuilder()
  delta.keep(prefix)
  const found = searching && Math.min(old.byteLength, fresh.byteLength) >= MIDDLE ? matches(old, fresh) : []
  if (prefix + suffix === 0 && found.length === 0) return null
  let from = 0
  let to = 0
  for (const match of found) {
    delta.skip(match.before - from)
    delta.insert(fresh.subarray(to, match.after))
    delta.keep(match.length)
    from = match.before + match.length
    to = match.after + match.length
  }
  delta.skip(old.byteLength - from)
  delta.insert(fresh.subarray(to))
  delta.keep(suffix)
  const made = delta.finish()
  return made.pieces.length > MAX_PIECES ? null : made
}

export function commonPrefix(a: Uint8Array, b: Uint8Array): number {
  const limit = Math.min(a.byteLength, b.byteLength)
  let at = 0
  while (at < limit) {
    const end = Math.min(at + STRIDE, limit)
    if (Buffer.compare(a.subarray(at, end), b.subarray(at, end)) !== 0) break
    at = end
  }
  while (at < limit && a[at] === b[at]) at += 1
  return at
}

export function commonSuffix(a: Uint8Array, b: Uint8Array): number {
  const limit = Math.min(a.byteLength, b.byteLength)
  const [m, n] = [a.byteLength, b.byteLength]
  let count = 0
  while (count < limit) {
    const more = Math.min(count + STRIDE, limit)
    if (Buffer.compare(a.subarray(m - more, m - count), b.subarray(n - more, n - count)) !== 0) break
    count = more
  }
  while (count < limit && a[m - count - 1] === b[n - count - 1]) count += 1
  return count
}

/** The factor of the byte that leaves the window. */
const LEAVING = (() => {
  let factor = 1
  for (let n = 1; n < BLOCK; n += 1) factor = Math.imul(factor, PRIME)
  return factor
})()

function hashAt(bytes: Uint8Array, at: number): number {
  let hash = 0
  for (let n = at; n < at + BLOCK; n += 1) hash = (Math.imul(hash, PRIME) + (bytes[n] as number)) | 0
  return hash
}

/** Where each block of `bytes` stands, if it occurs once; −1: more than once. */
function blocksOf(bytes: Uint8Array): Map<number, number> {
  const blocks = new Map<number, number>()
  for (let at = 0; at + BLOCK <= bytes.byteLength; at += BLOCK) {
    const hash = hashAt(bytes, at)
    blocks.set(hash, blocks.has(hash) ? -1 : at)
  }
  return blocks
}

function matches(before: Uint8Array, after: Uint8Array): Match[] {
  const blocks = blocksOf(before)
  const last = after.byteLength - BLOCK
  if (last > PROBES * PROBE && !isPromising(blocks, after)) return []
  const found: Match[] = []
  search(blocks, after, 0, last, (hit, at) => {
    const match = extended(before, after, hit, at, found.at(-1))
    if (match === null) return at + 1
    found.push(match)
    return found.length === MAX_MATCHES ? last + 1 : match.after + match.length
  })
  return found.length === MAX_MATCHES ? [] : heaviestChain(found)
}

function isPromising(blocks: ReadonlyMap<number, number>, after: Uint8Array): boolean {
  const step = Math.floor((after.byteLength - PROBE) / PROBES)
  let hits = 0
  for (let probe = 0; probe < PROBES; probe += 1) {
    search(blocks, after, probe * step, probe * step + PROBE - BLOCK, () => {
      hits += 1
      return Number.POSITIVE_INFINITY
    })
  }
  return hits > 0
}

/** Calls `hit` for each place from `from` to `to` where a known block may begin; it says where to go on. */
function search(
  blocks: ReadonlyMap<number, number>,
  bytes: Uint8Array,
  from: number,
  to: number,
  hit: (known: number, at: number) => number,
): void {
  if (from > to) return
  let hash = hashAt(bytes, from)
  for (let at = from; ; ) {
    const known = blocks.get(hash)
    const next = known === undefined || known < 0 ? at + 1 : hit(known, at)
    if (next > to) return
    if (next === at + 1) {
      const kept = Math.imul((hash - Math.imul(bytes[at] as number, LEAVING)) | 0, PRIME)
      hash = (kept + (bytes[at + BLOCK] as number)) | 0
    } else hash = hashAt(bytes, next)
    at = next
  }
}

/** The common part around a block, as far as it goes in both directions; null when only the hashes are equal. */
function extended(
  before: Uint8Array,
  after: Uint8Array,
  known: number,
  at: number,
  previous: Match | undefined,
): Match | null {
  if (Buffer.compare(before.subarray(known, known + BLOCK), after.subarray(at, at + BLOCK)) !== 0) return null
  const floor = previous === undefined ? 0 : previous.after + previous.length
  const back = commonSuffix(before.subarray(0, known), after.subarray(floor, at))
  const length = back + commonPrefix(before.subarray(known), after.subarray(at))
  return { before: known - back, after: at - back, length }
}

/**
 * Of matches in the order of `after`, those that stand in the same order in `before`, and are the longest together. Where two overlap there, as when the
 * bytes around an insertion are the same on both sides of it, the second begins where the first ends.
 */
function heaviestChain(found: readonly Match[]): Match[] {
  const weight: number[] = []
  const link: number[] = []
  let best = -1
  for (const [n, match] of found.entries()) {
    let heaviest = match.length
    let from = -1
    for (let m = 0; m < n; m += 1) {
      const together = (weight[m] as number) + match.length - overlap(found[m] as Match, match)
      if ((found[m] as Match).before < match.before && together > Math.max(heaviest, weight[m] as number)) {
        heaviest = together
        from = m
      }
    }
    weight.push(heaviest)
    link.push(from)
    if (best < 0 || (weight[n] as number) > (weight[best] as number)) best = n
  }
  const chain: Match[] = []
  for (let n = best; n >= 0; n = link[n] as number) {
    const match = found[n] as Match
    const previous = found[link[n] as number]
    const less = previous === undefined ? 0 : overlap(previous, match)
    chain.push({ before: match.before + less, after: match.after + less, length: match.length - less })
  }
  return chain.reverse()
}

function overlap(first: Match, second: Match): number {
  return Math.max(0, first.before + first.length - second.before)
}
