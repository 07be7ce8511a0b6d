import { hashesTo } from './digest.ts'
import { literal, PlainCursor } from './plain-cursor.ts'

const FILE = 1
const DIRECTORY = 2
const SYMLINK = 3
const NIL = 0xc0
const FALSE = 0xc2
const TRUE = 0xc3
const DIGEST = 32

const KEY = {
  tx: literal('tx'),
  seq: literal('seq'),
  time: literal('time'),
  kind: literal('kind'),
  of: literal('of'),
  actor: literal('actor'),
  message: literal('message'),
  tags: literal('tags'),
  parent: literal('parent'),
  done: literal('done'),
  entries: literal('entries'),
  op: literal('op'),
  path: literal('path'),
  before: literal('before'),
  after: literal('after'),
  as: literal('as'),
  length: literal('length'),
  words: literal('words'),
  implied: literal('implied'),
} as const

/** Kinds of commits and operations that have nothing about them that a verification must know. */
const KINDS = ['write', 'undo', 'redo', 'restore', 'revert', 'adopt', 'recovery'].map(literal)
const OPERATIONS = [
  'write',
  'edit',
  'append',
  'mkdir',
  'patch',
  'remove',
  'put',
  'rmdir',
  'chmod',
  'symlink',
  'preserve',
]
const OPERATION_LITERALS = OPERATIONS.map(literal)

/**
 * What a verification needs of a commit, read where it stands. Takes what the journal itself writes, key by key in its order; checks of it all that
 * `readCommit` does. Of anything else it says nothing: then `readCommit` has to.
 */
export class CommitOutline {
  readonly #cursor = new PlainCursor()
  /** Words of edits and patches: from, to. */
  readonly #words: number[] = []
  #wordCount = 0
  #spoken = 0
  /** Contents named by states: where the hash is, and the path from, to. */
  readonly #named: number[] = []
  #count = 0
  seq = 0
  time = 0
  /** Where the chain value is. */
  chain = 0
  /** Where the body is. */
  body = 0
  bodyEnd = 0
  #tx = 0
  #txEnd = 0

  /** How many contents are named. */
  get count(): number {
    return this.#count
  }

  hashAt(index: number): number {
    return this.#named[index * 3] as number
  }

  path(index: number): string {
    return this.#cursor.textAt(this.#named[index * 3 + 1] as number, this.#named[index * 3 + 2] as number)
  }

  tx(): string {
    return this.#cursor.textAt(this.#tx, this.#txEnd)
  }

  /** False: it is of another form, or it is none. The payload must not change as long as the outline is asked about it. */
  read(payload: Uint8Array): boolean {
    const cursor = this.#cursor
    this.#count = 0
    this.#spoken = 0
    cursor.open(payload, 0, payload.byteLength)
    if (cursor.array() !== 3 || !this.#digest()) return false
    this.chain = cursor.from
    if (!cursor.binary()) return false
    this.body = cursor.from
    this.bodyEnd = cursor.to
    const words = cursor.array()
    for (let index = 0; index < words; index += 1) {
      if (!cursor.binary()) return false
      this.#words[index * 2] = cursor.from
      this.#words[index * 2 + 1] = cursor.to
    }
    if (words < 0 || !cursor.isAtEnd) return false
    this.#wordCount = words
    cursor.open(payload, this.body, this.bodyEnd)
    return this.#body() && cursor.isAtEnd && this.#spoken === words
  }

  #body(): boolean {
    const cursor = this.#cursor
    let left = cursor.map() - 6
    if (!cursor.literal(KEY.tx) || !cursor.text()) return false
    this.#tx = cursor.from
    this.#txEnd = cursor.to
    if (!cursor.literal(KEY.seq)) return false
    this.seq = cursor.integer()
    if (this.seq < 0 || !cursor.literal(KEY.time)) return false
    this.time = cursor.integer()
    if (this.time < 0 || !cursor.literal(KEY.kind) || this.#oneOf(KINDS) < 0) return false
    for (const key of [KEY.of, KEY.actor, KEY.message]) {
      if (!cursor.literal(key)) continue
      left -= 1
      if (!cursor.text()) return false
    }
    if (cursor.literal(KEY.tags)) {
      left -= 1
      const tags = cursor.array()
      if (tags < 0) return false
      for (let index = 0; index < tags; index += 1) if (!cursor.text()) return false
    }
    if (cursor.literal(KEY.parent)) {
      left -= 1
      if (!cursor.text()) return false
    }
    if (!cursor.literal(KEY.done) || cursor.integer() < 0) return false
    if (left !== 0 || !cursor.literal(KEY.entries)) return false
    const entries = cursor.array()
    if (entries < 0) return false
    for (let index = 0; index < entries; index += 1) if (!this.#entry()) return false
    return true
  }

  #entry(): boolean {
    const cursor = this.#cursor
    let left = cursor.map() - 4
    if (!cursor.literal(KEY.op)) return false
    const operation = OPERATIONS[this.#oneOf(OPERATION_LITERALS)]
    if (operation === undefined || !cursor.literal(KEY.path) || !cursor.path()) return false
    const { from, to } = cursor
    if (!cursor.literal(KEY.before) || !this.#state(from, to)) return false
    if (!cursor.literal(KEY.after) || !this.#state(from, to)) return false
    if (left > 0 && cursor.literal(KEY.as)) {
      left -= 1
      if (!cursor.text()) return false
    }
    switch (operation) {
      case 'append':
        return left === 1 && cursor.literal(KEY.length) && cursor.integer() >= 0
      case 'edit':
      case 'patch':
        return left === 1 && cursor.literal(KEY.words) && this.#digest() && this.#spokenAt(cursor.from, operation)
      case 'mkdir':
        return left === 0 || (left === 1 && cursor.literal(KEY.implied) && cursor.tag(TRUE))
      default:
        return left === 0
    }
  }

  #state(from: number, to: number): boolean {
    const cursor = this.#cursor
    if (cursor.tag(NIL)) return true
    const items = cursor.array()
    switch (cursor.integer()) {
      case FILE:
        if ((items !== 4 && items !== 6) || !this.#digest()) return false
        this.#name(cursor.from, from, to)
        return this.#integers(items - 2)
      case DIRECTORY:
        return (items === 2 || items === 4) && this.#integers(items - 1)
      case SYMLINK:
        return items === 2 && cursor.text()
      default:
        return false
    }
  }

  #name(hash: number, from: number, to: number): void {
    const place = this.#count * 3
    this.#named[place] = hash
    this.#named[place + 1] = from
    this.#named[place + 2] = to
    this.#count += 1
  }

  #integers(count: number): boolean {
    for (let index = 0; index < count; index += 1) if (this.#cursor.integer() < 0) return false
    return true
  }

  #digest(): boolean {
    return this.#cursor.binary() && this.#cursor.to - this.#cursor.from === DIGEST
  }

  #oneOf(literals: readonly Uint8Array[]): number {
    for (let index = 0; index < literals.length; index += 1)
      if (this.#cursor.literal(literals[index] as Uint8Array)) return index
    return -1
  }

  /** Are the next words those of that hash, and what an edit or a patch says? Those that were erased are not. */
  #spokenAt(digest: number, operation: 'edit' | 'patch'): boolean {
    const cursor = this.#cursor
    if (this.#spoken === this.#wordCount) return false
    const from = this.#words[this.#spoken * 2] as number
    const to = this.#words[this.#spoken * 2 + 1] as number
    this.#spoken += 1
    const { bytes, at, end } = cursor
    if (!hashesTo(bytes.subarray(from, to), bytes, digest)) return false
    cursor.open(bytes, from, to)
    const right = (operation === 'patch' ? cursor.text() : this.#edits()) && cursor.isAtEnd
    cursor.open(bytes, at, end)
    return right
  }

  #edits(): boolean {
    const cursor = this.#cursor
    const edits = cursor.array()
    if (edits < 0) return false
    for (let index = 0; index < edits; index += 1) {
      if (cursor.array() !== 3 || !cursor.text() || !cursor.text()) return false
      if (!cursor.tag(FALSE) && !cursor.tag(TRUE)) return false
    }
    return true
  }
}
