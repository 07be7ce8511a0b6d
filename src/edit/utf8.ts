/** Ranges of the second byte where not every continuation will do: no overlong forms, no surrogates, nothing above U+10FFFF. */
const SECOND: Readonly<Record<number, readonly [number, number]>> = {
  224: [0xa0, 0xbf],
  237: [0x80, 0x9f],
  240: [0x90, 0xbf],
  244: [0x80, 0x8f],
}

/** Where the first character begins that UTF-8 does not have (RFC 3629, section 4). */
export function firstBadByte(bytes: Uint8Array): number {
  for (let at = 0; at < bytes.byteLength; ) {
    const lead = bytes[at] as number
    const length =
      lead < 0x80
        ? 1
        : lead >= 0xc2 && lead < 0xe0
          ? 2
          : lead >= 0xe0 && lead < 0xf0
            ? 3
            : lead >= 0xf0 && lead < 0xf5
              ? 4
              : 0
    if (length === 0) return at
    for (let index = 1; index < length; index += 1) {
      const [low, high] = (index === 1 ? SECOND[lead] : undefined) ?? [0x80, 0xbf]
      const byte = bytes[at + index] ?? 0
      if (byte < low || byte > high) return at
    }
    at += length
  }
  return bytes.byteLength
}
