import { lineOf } from './tree.mjs'

const CHAIN_BYTES = 32

/** The history as it was seen so far, kept outside of the workspace; every later look must only add to it. */
export class Ledger {
  /** What the workspace must be, by path. */
  tree = new Map()
  /** Transactions so far. */
  seq = 0
  acknowledged = 0
  refused = 0
  /** Committed and never acknowledged, because their process was killed first. */
  unacknowledged = 0
  #chains = Buffer.alloc(0)

  chain(seq) {
    return this.#chains.toString('hex', (seq - 1) * CHAIN_BYTES, seq * CHAIN_BYTES)
  }

  /**
   * Reads on from where it stopped, and compares with what the processes told that wrote since. Returns what is wrong.
   * `told`: lines with `kind` `start`, `ack`, `refused`.
   */
  async readOn(journal, told) {
    const faults = []
    const acks = new Map()
    const started = new Set()
    const refused = new Set()
    for (const line of told) {
      if (line.kind === 'ack') acks.set(line.tx, line)
      else if (line.kind === 'start') started.add(line.tx)
      else if (line.kind === 'refused') refused.add(line.tx)
    }
    this.acknowledged += acks.size
    this.refused += refused.size
    for await (const commit of journal.history({ order: 'oldest', since: this.seq })) {
      const { seq, tx, kind } = commit
      if (seq !== this.seq + 1) faults.push(`transaction ${seq} stands where ${this.seq + 1} should`)
      this.#take(commit, faults)
      // Nobody else writes here, so nothing can have been found or kept, and nothing fails.
      if (kind !== 'write' && kind !== 'undo') faults.push(`${tx} (${seq}) is a ${kind}: ${commit.message}`)
      if (kind === 'write' && !started.has(tx)) faults.push(`nobody began ${tx} (${seq})`)
      if (refused.has(tx)) faults.push(`${tx} (${seq}) had been refused`)
      const ack = acks.get(tx)
      if (ack === undefined) this.unacknowledged += 1
      else if (ack.seq !== seq || ack.chain !== commit.chain)
        faults.push(`${tx} was acknowledged as ${ack.seq} and is ${seq}`)
      else
        for (const [path, hash] of ack.wrote) {
          const after = commit.entries.findLast((entry) => entry.path === path)?.after
          if (after?.hash !== hash)
            faults.push(`${tx} (${seq}) wrote ${hash} to ${path}; the history has ${after?.hash}`)
        }
      acks.delete(tx)
    }
    for (const [tx, { seq }] of acks) faults.push(`acknowledged ${tx} (${seq}) is not in the history`)
    return faults
  }

  /** Looks at all of it again. Returns what is not as it was. */
  async readAgain(journal) {
    const faults = []
    const known = new Set()
    let seq = 0
    for await (const commit of journal.history({ order: 'oldest' })) {
      seq += 1
      if (commit.seq !== seq || commit.chain !== this.chain(seq)) faults.push(`transaction ${seq} is another one now`)
      if (known.has(commit.tx)) faults.push(`${commit.tx} (${seq}) stands in the history twice`)
      known.add(commit.tx)
    }
    if (seq !== this.seq) faults.push(`the history had ${this.seq} transactions and has ${seq}`)
    return faults
  }

  #take(commit, faults) {
    this.seq = commit.seq
    const needed = commit.seq * CHAIN_BYTES
    if (this.#chains.byteLength < needed) this.#chains = Buffer.concat([this.#chains], Math.max(4096, 2 * needed))
    this.#chains.write(commit.chain, needed - CHAIN_BYTES, 'hex')
    for (const entry of commit.entries) {
      this.#change(commit, entry.path, entry.before, entry.op === 'rename' ? null : entry.after, faults)
      if (entry.op === 'rename') this.#change(commit, entry.to, entry.replaced, entry.after, faults)
    }
  }

  #change({ seq }, path, before, after, faults) {
    const [known, said] = [this.tree.get(path) ?? 'nothing', lineOf(before)]
    if (known !== said) faults.push(`${seq} found ${said} at ${path}, where the history before it leaves ${known}`)
    if (after === null) this.tree.delete(path)
    else this.tree.set(path, lineOf(after))
  }
}
