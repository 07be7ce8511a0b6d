import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { chainCommit, genesis, readCommit, verifyCommit } from '../../src/entry/chain.ts'
import { unpack } from '../../src/entry/codec.ts'
import type { Commit } from '../../src/entry/commit.ts'
import type { Entry } from '../../src/entry/entry.ts'
import { JournalError } from '../../src/errors.ts'

const id = '00112233445566778899aabbccddeeff'
const edit: Entry = { op: 'edit', path: 'a', before: null, after: null, edits: [{ oldText: 'b', newText: 'c' }] }
const commit = (seq: number, time = seq): Commit => ({
  tx: `t${String(seq).padStart(15, '0')}`,
  seq,
  time,
  kind: 'write',
  done: 0,
  entries: [],
})

describe('the chain', () => {
  it('begins with the hash of the id', () => {
    expect(genesis(id)).toEqual({
      seq: 0,
      time: 0,
      chain: createHash('sha256').update(Buffer.from(id, 'hex')).digest('hex'),
    })
  })

  it('goes on with the hash of the value before and the body', () => {
    const first = chainCommit(genesis(id), commit(1))
    const [chain, body] = unpack(first.payload) as [Uint8Array, Uint8Array]
    const expected = createHash('sha256')
      .update(Buffer.from(genesis(id).chain, 'hex'))
      .update(body)
      .digest('hex')
    expect(Buffer.from(chain).toString('hex')).toBe(expected)
    expect(first.head).toEqual({ seq: 1, time: 1, chain: expected })
    const second = chainCommit(first.head, commit(2))
    expect(verifyCommit(first.head, second.payload)).toMatchObject({ seq: 2, chain: second.head.chain })
    expect(readCommit(second.payload)).toEqual(verifyCommit(first.head, second.payload))
  })

  it('breaks at any change of any byte', () => {
    const { payload } = chainCommit(genesis(id), { ...commit(1), entries: [edit] })
    for (let bit = 0; bit < payload.byteLength * 8; bit += 1) {
      const changed = Uint8Array.prototype.slice.call(payload)
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      let code = 'ok'
      try {
        verifyCommit(genesis(id), changed)
      } catch (error) {
        code = (error as JournalError).code
        expect(error).toBeInstanceOf(JournalError)
      }
      expect(code, `bit ${bit}`).toBe('CORRUPT')
    }
  })

  it('breaks when a transaction is left out, put in, or moved', () => {
    const first = chainCommit(genesis(id), commit(1))
    const second = chainCommit(first.head, commit(2))
    expect(() => verifyCommit(genesis(id), second.payload)).toThrow(/number 2, and 1 was due/)
    expect(() => verifyCommit(second.head, second.payload)).toThrow(JournalError)
    const other = chainCommit(genesis('ff'.repeat(16)), commit(1))
    expect(() => verifyCommit(genesis(id), other.payload)).toThrow(/does not fit the history/)
  })

  it('takes no commit out of order, and none from the past', () => {
    expect(() => chainCommit(genesis(id), commit(2))).toThrow(RangeError)
    const { head } = chainCommit(genesis(id), commit(1, 100))
    expect(() => chainCommit(head, commit(2, 99))).toThrow(RangeError)
  })
})
