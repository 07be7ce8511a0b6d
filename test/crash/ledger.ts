import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { ChainedCommit, Entry, Journal, State } from '../../src/index.ts'
import type { Told } from './victim.ts'

/** What stands in a workspace, by path; everything but the journal. */
export function treeOf(root: string): Map<string, State> {
  const tree = new Map<string, State>()
  const visit = (folder: string): void => {
    for (const name of readdirSync(`${root}/${folder}`)) {
      const path = folder === '' ? name : `${folder}/${name}`
      if (path === '.journal') continue
      const stat = lstatSync(`${root}/${path}`)
      const mode = stat.mode & 0o7777
      if (stat.isSymbolicLink()) tree.set(path, { kind: 'symlink', target: readlinkSync(`${root}/${path}`) })
      else if (stat.isDirectory()) {
        tree.set(path, { kind: 'dir', mode })
        visit(path)
      } else {
        const hash = createHash('sha256')
          .update(readFileSync(`${root}/${path}`))
          .digest('hex')
        tree.set(path, { kind: 'file', hash, size: stat.size, mode })
      }
    }
  }
  visit('')
  return tree
}

function apply(tree: Map<string, State>, entry: Entry): void {
  const set = (path: string, state: State): void => {
    if (state === null) tree.delete(path)
    else tree.set(path, state)
  }
  if (entry.op === 'preserve' || entry.op === 'note') return
  if (entry.op === 'rename') {
    set(entry.path, null)
    set(entry.to, entry.after)
  } else set(entry.path, entry.after)
}

function show(state: State | undefined): string {
  if (state === undefined || state === null) return 'nothing'
  switch (state.kind) {
    case 'file':
      return `file ${state.hash.slice(0, 12)} ${state.size} bytes ${state.mode.toString(8)}`
    case 'dir':
      return `folder ${state.mode.toString(8)}`
    case 'symlink':
      return `link to ${state.target}`
  }
}

/** A line a path that differs; empty when both are the same. */
export function differences(expected: ReadonlyMap<string, State>, found: ReadonlyMap<string, State>): string[] {
  const lines: string[] = []
  for (const path of new Set([...expected.keys(), ...found.keys()])) {
    const [a, b] = [show(expected.get(path)), show(found.get(path))]
    if (a !== b) lines.push(`${path}: ${a} by the history, ${b} in the workspace`)
  }
  return lines
}

/** The history as it was last seen, to which every later look must only add. */
export class Ledger {
  readonly tree = new Map<string, State>()
  readonly commits: ChainedCommit[] = []
  readonly bySeq = new Map<number, string>()
  readonly byTx = new Map<string, number>()

  /** Reads the whole history again. Returns what is wrong with it. */
  async read(journal: Journal): Promise<string[]> {
    const faults: string[] = []
    const known = this.commits.length
    let seq = 0
    for await (const commit of journal.history({ order: 'oldest' })) {
      seq += 1
      if (commit.seq !== seq) faults.push(`transaction ${commit.seq} stands where ${seq} should`)
      if (seq <= known) {
        if (commit.chain !== this.bySeq.get(seq)) faults.push(`transaction ${seq} is another one than before`)
        continue
      }
      if (this.byTx.has(commit.tx)) faults.push(`transaction ${commit.tx} stands in the history twice`)
      this.commits.push(commit)
      this.bySeq.set(seq, commit.chain)
      this.byTx.set(commit.tx, seq)
      for (const entry of commit.entries) apply(this.tree, entry)
    }
    if (seq < known) faults.push(`the history was shortened from ${known} to ${seq}`)
    return faults
  }

  /** What was acknowledged and is not in the history as it was acknowledged. */
  missing(told: readonly Told[]): string[] {
    const faults: string[] = []
    for (const { kind, tx = '', seq, chain } of told) {
      if (kind !== 'ack') continue
      const found = this.byTx.get(tx)
      if (found === undefined) faults.push(`acknowledged ${tx} (${seq}) is not in the history`)
      else if (found !== seq || this.bySeq.get(found) !== chain)
        faults.push(`acknowledged ${tx} (${seq}) stands as ${found} in the history`)
    }
    return faults
  }
}
