import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeMessage, MAX_MESSAGE, MessageParts } from '../../src/processes/message.ts'

describe('messages', () => {
  it('come out as they went in, however they are cut', () => {
    const message = fc.record({
      text: fc.string(),
      bytes: fc.uint8Array({ maxLength: 300 }),
      list: fc.array(fc.integer()),
    })
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 90 })), (messages, cuts) => {
        const whole = Buffer.concat(messages.map((one) => encodeMessage(one)))
        const parts = new MessageParts()
        const found: unknown[] = []
        let at = 0
        for (const cut of [...cuts, whole.byteLength + 1]) {
          const piece = whole.subarray(at, at + cut)
          at += cut
          if (piece.byteLength > 0) found.push(...parts.take(piece).map((taken) => taken.message))
        }
        const plain = (one: unknown): unknown => ({
          ...(one as object),
          bytes: Buffer.from((one as { bytes: Uint8Array }).bytes).toString('hex'),
        })
        expect(found.map(plain)).toEqual(messages.map(plain))
      }),
    )
  })

  it('keep what is undefined undefined', () => {
    const [taken] = new MessageParts().take(Buffer.from(encodeMessage({ mode: undefined, expect: null })))
    expect(taken?.message).toEqual({ mode: undefined, expect: null })
  })

  it('of more than the limit are refused on both sides', () => {
    expect(() => encodeMessage(new Uint8Array(MAX_MESSAGE))).toThrow(/cannot be handed/)
    const header = Buffer.alloc(4)
    header.writeUInt32LE(MAX_MESSAGE + 1)
    expect(() => new MessageParts().take(header)).toThrow(RangeError)
  })
})
