import { createHash } from 'node:crypto'
import { JournalError } from '../errors.ts'
import { asBytes, decodeCommit, encodeCommit, fromHex, isPurged, pack, toHex, unpack } from './codec.ts'
import type { ChainedCommit, Commit } from './commit.ts'
import { isSpoken, type SpokenEntry } from './entry.ts'

/** The newest point of the history. */
export interface Head {
  /** Number of the last transaction; 0: none yet. */
  readonly seq: number
  /** Chain value after it, in hex. */
  readonly chain: string
  /** Its time. */
  readonly time: number
  /**
   * Behind a gap whose last chain value is lost: sha256 of the body of the one commit that may follow. `chain` is all zeros then, and that commit's
   * own is taken for the next.
   */
  readonly next?: string
}

/** Stands for a chain value that is lost. */
export const LOST_CHAIN = '0'.repeat(64)

/** The head of a journal without transactions. */
export function genesis(journalId: string): Head {
  return { seq: 0, chain: createHash('sha256').update(fromHex(journalId)).digest('hex'), time: 0 }
}

function link(previous: string, body: Uint8Array): Buffer {
  return createHash('sha256').update(previous, 'hex').update(body).digest()
}

function isLinked(head: Head, chain: Uint8Array, body: Uint8Array): boolean {
  return head.next === undefined
    ? link(head.chain, body).equals(chain)
    : createHash('sha256').update(body).digest('hex') === head.next
}

/** What a gap binds the commit behind it by: sha256 of its body. */
export function bodyHash(payload: Uint8Array): string {
  return createHash('sha256').update(parts(payload)[1]).digest('hex')
}

/** The payload of a commit frame, and the head after it. */
export function chainCommit(head: Head, commit: Commit): { readonly payload: Uint8Array; readonly head: Head } {
  if (commit.seq !== head.seq + 1 || commit.time < head.time) throw new RangeError('a commit must follow its head')
  const { body, words } = encodeCommit(commit)
  const chain = link(head.chain, body)
  return {
    payload: pack([chain, body, words]),
    head: { seq: commit.seq, chain: chain.toString('hex'), time: commit.time },
  }
}

/** Decodes the payload of a commit frame without checking its place in the chain. */
export function readCommit(payload: Uint8Array): ChainedCommit {
  const [chain, body, words] = parts(payload)
  return { ...decodeCommit(body, words), chain: toHex(chain) }
}

/** Decodes it and checks that it follows `head`; `CORRUPT` with the transaction's id when it does not. */
export function verifyCommit(head: Head, payload: Uint8Array): ChainedCommit {
  const [chain, body, words] = parts(payload)
  const commit = decodeCommit(body, words)
  const reason =
    commit.seq !== head.seq + 1
      ? `it has number ${commit.seq}, and ${head.seq + 1} was due`
      : isLinked(head, chain, body)
        ? null
        : 'its chain value does not fit the history before it'
  if (reason !== null) {
    throw new JournalError('CORRUPT', `transaction ${commit.tx} is not in its place: ${reason}`, {
      hint: 'The history was changed after it was written. Restore .journal from a backup.',
      tx: commit.tx,
    })
  }
  return { ...commit, chain: toHex(chain) }
}

/** The payload with the words erased of every entry that `chosen` picks; null when there are none. As long as before: every frame keeps its place. */
export function withoutWords(payload: Uint8Array, chosen: (entry: SpokenEntry) => boolean): Uint8Array | null {
  const [chain, body, words] = parts(payload)
  const spoken = decodeCommit(body, words).entries.filter(isSpoken)
  const erased = words.map((item, index) => {
    const entry = spoken[index]
    const erase = entry !== undefined && !isPurged(item) && chosen(entry)
    return erase ? new Uint8Array(asBytes(item, 0, 'words').byteLength) : item
  })
  return erased.every((item, index) => item === words[index]) ? null : pack([chain, body, erased])
}

function parts(payload: Uint8Array): [chain: Uint8Array, body: Uint8Array, words: readonly unknown[]] {
  const value = unpack(payload)
  const [chain, body, words] = Array.isArray(value) ? value : []
  return [asBytes(chain, 32, 'chain value'), asBytes(body, 0, 'commit body'), Array.isArray(words) ? words : []]
}
