/** Random choices from a seed, for the child processes (mulberry32). */
export function dice(seed) {
  let state = seed >>> 0
  const unit = () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000
  }
  const below = (limit) => Math.floor(unit() * limit)
  return {
    unit,
    below,
    between: (low, high) => low + below(high - low + 1),
    chance: (probability) => unit() < probability,
    pick: (list) => list[below(list.length)],
    bytes: (size) => {
      const bytes = Buffer.allocUnsafe(size)
      // A short random pattern, repeated: cheap, and no two alike.
      const pattern = Buffer.from(Array.from({ length: 64 }, () => below(256)))
      bytes.fill(pattern)
      if (size >= 8) bytes.writeDoubleLE(unit(), size - 8)
      return bytes
    },
    fork: () => dice(below(0x1_0000_0000)),
  }
}
