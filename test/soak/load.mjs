/** Small random transactions: what a long life of a workspace is made of. */
import { createHash } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { fail, tell } from '../crash/child.mjs'

/** Refusals that random operations and races between transactions earn rightly. */
const EXPECTED = new Set(['NOT_FOUND', 'EXISTS', 'INVALID', 'CONFLICT'])
const MODES = [0o644, 0o600, 0o755, 0o640]
const FOLDERS = 40
const FILES = 60
const BOXES = 50
const LINKS = 100
const LIMIT = 4096
/** One written content in so many is too large for the log. */
const LARGE_ONE_IN = 20_000
const LARGE = 1_300_000
/** One transaction in so many takes an earlier one back. */
const UNDO_ONE_IN = 500
const LINE = 'the quick brown fox jumps over the lazy dog 0123456789\n'

export class Load {
  #root
  #random
  #recent = []
  #number = 0

  constructor(root, random) {
    this.#root = root
    this.#random = random
  }

  /** One transaction, told when it is begun and when it is acknowledged. */
  async transact(journal) {
    const random = this.#random
    if (this.#recent.length > 0 && random.below(UNDO_ONE_IN) === 0) return this.#undo(journal)
    const tx = journal.begin({ message: 'soak' })
    tell('start', { tx: tx.id })
    // What this process itself knows of contents, by path.
    const wrote = new Map()
    try {
      const files = random.chance(0.6) ? 1 : random.between(2, random.chance(0.6) ? 2 : 5)
      for (let count = 0; count < files; count += 1) await this.#operation(tx, wrote)
      this.#acknowledged(await tx.commit(), wrote)
    } catch (error) {
      await tx.abort()
      this.#refused(error, tx.id)
    }
  }

  async #undo(journal) {
    try {
      this.#acknowledged(await journal.undo(this.#random.pick(this.#recent)), new Map())
    } catch (error) {
      this.#refused(error)
    }
  }

  #acknowledged({ tx, seq, chain }, wrote) {
    tell('ack', { tx, seq, chain, wrote: [...wrote] })
    this.#recent.push(tx)
    if (this.#recent.length > 8) this.#recent.shift()
  }

  #refused(error, tx) {
    if (EXPECTED.has(error?.code)) tell('refused', { tx, code: error.code })
    else fail('transaction', error)
  }

  #operation(tx, wrote) {
    const choice = this.#random.unit()
    const path = this.#path()
    if (choice < 0.45) return this.#write(tx, path, wrote)
    if (choice < 0.6) return this.#append(tx, path, wrote)
    if (choice < 0.72) return this.#edit(tx, path, wrote)
    if (choice < 0.78) return this.#remove(tx, path, wrote)
    if (choice < 0.84) return this.#rename(tx, path, wrote)
    if (choice < 0.9) return this.#chmod(tx, path)
    if (choice < 0.94) return this.#box(tx)
    return this.#link(tx, path)
  }

  #write(tx, path, wrote) {
    const random = this.#random
    const text = random.below(LARGE_ONE_IN) === 0 ? this.#text(LARGE) : this.#text(this.#size())
    wrote.set(path, createHash('sha256').update(text).digest('hex'))
    return tx.write(path, text, random.chance(0.1) ? { mode: random.pick(MODES) } : {})
  }

  #append(tx, path, wrote) {
    const size = this.#found(path)?.size ?? 0
    if (size > LIMIT) return this.#write(tx, path, wrote)
    wrote.delete(path)
    return tx.append(path, this.#text(this.#random.below(200)))
  }

  async #edit(tx, path, wrote) {
    if (!this.#found(path)?.isFile()) return this.#write(tx, path, wrote)
    const before = Buffer.from(await tx.read(path)).toString()
    const first = before.slice(0, before.indexOf('\n') + 1)
    if (first === '' || before.indexOf(first, 1) > 0) return this.#write(tx, path, wrote)
    wrote.delete(path)
    return tx.edit(path, [{ oldText: first, newText: this.#head() }])
  }

  #remove(tx, path, wrote) {
    if (!this.#found(path)) return this.#write(tx, path, wrote)
    wrote.delete(path)
    return tx.remove(path)
  }

  #rename(tx, path, wrote) {
    if (!this.#found(path)) return this.#write(tx, path, wrote)
    const to = this.#path()
    if (to === path) return this.#chmod(tx, path)
    wrote.delete(path)
    wrote.delete(to)
    return tx.rename(path, to)
  }

  #chmod(tx, path) {
    return this.#found(path) ? tx.chmod(path, this.#random.pick(MODES)) : tx.mkdir(this.#boxPath())
  }

  #box(tx) {
    const path = this.#boxPath()
    return this.#found(path) ? tx.rmdir(path) : tx.mkdir(path)
  }

  #link(tx, target) {
    const path = `links/l${this.#random.below(LINKS)}`
    return this.#found(path) && this.#random.chance(0.3) ? tx.remove(path) : tx.symlink(path, `../${target}`)
  }

  #found(path) {
    return lstatSync(`${this.#root}/${path}`, { throwIfNoEntry: false })
  }

  #path() {
    return `d${this.#random.below(FOLDERS)}/f${this.#random.below(FILES)}.txt`
  }

  #boxPath() {
    return `boxes/b${this.#random.below(BOXES)}`
  }

  /** Most are small. */
  #size() {
    return this.#random.chance(0.1) ? 0 : Math.floor(LIMIT * this.#random.unit() ** 3)
  }

  /** A line that stands nowhere else. */
  #head() {
    this.#number += 1
    return `${this.#number} ${this.#random.unit()}\n`
  }

  #text(size) {
    if (size === 0) return ''
    const head = this.#head()
    return size <= head.length ? head : head + LINE.repeat(Math.ceil((size - head.length) / LINE.length))
  }
}
