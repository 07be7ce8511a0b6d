/** What MessagePack a payload may hold: standard types, text as keys, no extensions. The decoder itself takes more than that. */
import { isUtf8 } from 'node:buffer'

/** Levels of maps and arrays in each other. The deepest payload has five. */
const DEPTH = 16
/** A shorter text is looked through here: a call would cost more. */
const SHORT = 64

/** Is that part right UTF-8? */
export function isText(bytes: Uint8Array, from: number, to: number): boolean {
  if (to > bytes.byteLength) return false
  if (to - from <= SHORT) {
    let at = from
    while (at < to && (bytes[at] as number) < 0x80) at += 1
    if (at === to) return true
  }
  return isUtf8(bytes.subarray(from, to))
}

/**
 * Is this one MessagePack value of the types that the format allows, and nothing behind it? Reads each byte once at most, allocates nothing
 * and believes no length before its bytes are there.
 */
export function isPlain(bytes: Uint8Array): boolean {
  const end = bytes.byteLength
  /** Values still to come, and keys among them, level by level. */
  const left = new Array<number>(DEPTH).fill(0)
  const keyed = new Array<boolean>(DEPTH).fill(false)
  let level = 0
  let at = 0
  left[0] = 1

  const length = (width: number): number => {
    if (at + width > end) return end + 1
    let value = 0
    for (let index = 0; index < width; index += 1) value = value * 256 + (bytes[at + index] as number)
    at += width
    return value
  }

  for (;;) {
    while (left[level] === 0) {
      if (level === 0) return at === end
      level -= 1
    }
    const wantsKey = keyed[level] === true && (left[level] as number) % 2 === 0
    left[level] = (left[level] as number) - 1
    if (at >= end) return false
    const tag = bytes[at] as number
    at += 1
    let text = -1
    let items = -1
    let skipped = 0
    let map = false
    if (tag < 0x80) {
      // A small number.
    } else if (tag < 0x90) {
      items = tag & 0x0f
      map = true
    } else if (tag < 0xa0) items = tag & 0x0f
    else if (tag < 0xc0) text = tag & 0x1f
    else if (tag < 0xe0) {
      switch (tag) {
        case 0xc0:
        case 0xc2:
        case 0xc3:
          break
        case 0xc4:
          skipped = length(1)
          break
        case 0xc5:
          skipped = length(2)
          break
        case 0xc6:
          skipped = length(4)
          break
        case 0xcc:
        case 0xd0:
          skipped = 1
          break
        case 0xcd:
        case 0xd1:
          skipped = 2
          break
        case 0xca:
        case 0xce:
        case 0xd2:
          skipped = 4
          break
        case 0xcb:
        case 0xcf:
        case 0xd3:
          skipped = 8
          break
        case 0xd9:
          text = length(1)
          break
        case 0xda:
          text = length(2)
          break
        case 0xdb:
          text = length(4)
          break
        case 0xdc:
          items = length(2)
          break
        case 0xdd:
          items = length(4)
          break
        case 0xde:
          items = length(2)
          map = true
          break
        case 0xdf:
          items = length(4)
          map = true
          break
        default:
          // 0xc1, and the extensions.
          return false
      }
    }
    if (wantsKey && text < 0) return false
    if (text >= 0) {
      if (!isText(bytes, at, at + text)) return false
      at += text
    } else if (items >= 0) {
      const values = map ? items * 2 : items
      // Each takes a byte at least.
      if (values > end - at || level + 1 === DEPTH) return false
      level += 1
      left[level] = values
      keyed[level] = map
    }
    at += skipped
    if (at > end) return false
  }
}
