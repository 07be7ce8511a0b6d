import { type Head, LOST_CHAIN, readCommit, verifyCommit } from '../entry/chain.ts'
import { ChainLink } from '../entry/chain-link.ts'
import type { ChainedCommit } from '../entry/commit.ts'
import { CommitOutline } from '../entry/commit-outline.ts'
import { decodeCheckpoint, decodeGap, decodeSegment, decodeTerm, headBehind } from '../entry/control.ts'
import { isSilenced } from '../entry/entry.ts'
import type { Frame } from '../log/log-reader.ts'
import { offsetOf, segmentOf } from '../log/position.ts'
import type { ContentCensus } from './content-census.ts'
import type { Findings } from './findings.ts'
import { NewestChains } from './newest-chains.ts'
import { isWithin } from './path-scope.ts'
import { type Gap, lostTransactions } from './verify-report.ts'

/** How many chain values are kept at hand. */
const CHAINS = 8192

/** Follows the chain of commits through the log, and holds every record beside it to what it says of the chain. */
export class ChainAudit {
  readonly gaps: Gap[] = []
  /** The chain value that must occur; null when it did, or none must. */
  awaited: string | null
  transactions = 0
  /** The newest base that a commit names, and the commit's number. */
  named: { readonly digest: string; readonly seq: number } | null = null
  readonly #journalId: string
  readonly #findings: Findings
  readonly #census: ContentCensus
  readonly #outline = new CommitOutline()
  readonly #chains = new NewestChains(CHAINS)
  /** The head: its chain value stands in the link. */
  readonly #link = new ChainLink()
  #seq = 0
  #time = 0
  #next: string | undefined
  /** False behind damage, until the next commit gives a chain value to go on from. */
  #linked = true
  /** The term of the last writer that told of itself; null behind damage. */
  #announced: number | null = null
  /** Paths of edits whose words were erased, until a purge that tells of it. */
  readonly #erasedWords = new Map<string, string>()

  constructor(journalId: string, head: Head, findings: Findings, census: ContentCensus, awaited: string | null) {
    this.#journalId = journalId
    this.#findings = findings
    this.#census = census
    this.awaited = awaited
    this.head = head
  }

  get head(): Head {
    const head = { seq: this.#seq, chain: this.#link.hex, time: this.#time }
    return this.#next === undefined ? head : { ...head, next: this.#next }
  }

  set head({ seq, chain, time, next }: Head) {
    this.#seq = seq
    this.#time = time
    this.#next = next
    this.#link.hex = chain
  }

  /** Something stands in the log here that is no frame. */
  damaged(): void {
    this.#linked = false
    this.#announced = null
  }

  segment(frame: Frame): void {
    const record = decodeSegment(frame.payload)
    const expected = { journal: this.#journalId, segment: segmentOf(frame.position), ...this.head }
    const wrong = record.journal !== expected.journal || record.segment !== expected.segment
    const unlinked = this.#linked && (record.seq !== expected.seq || record.chain !== expected.chain)
    if (!wrong && !unlinked) return
    this.#findings.add({
      kind: 'segment',
      message: `segment ${expected.segment} says that it ${wrong ? `is segment ${record.segment} of journal ${record.journal}` : `follows transaction ${record.seq}, but it follows ${expected.seq}`}`,
      position: [segmentOf(frame.position), offsetOf(frame.position)],
    })
  }

  term(frame: Frame): void {
    const { term } = decodeTerm(frame.payload)
    this.#announced = frame.term
    if (term !== frame.term) this.contradicted(frame, `a writer of term ${frame.term} says that it is ${term}`)
  }

  checkpoint(frame: Frame): void {
    const { redo, seq, chain } = decodeCheckpoint(frame.payload)
    if (redo > frame.position) this.contradicted(frame, 'a checkpoint says that recovery begins behind it')
    const known = seq === this.#seq ? this.#link.hex : this.#chains.get(seq)
    const wrong = known === undefined ? seq > this.#seq : known !== chain && known !== LOST_CHAIN
    if (this.#linked && wrong)
      this.contradicted(frame, `a checkpoint names another chain value for transaction number ${seq}`)
  }

  contradicted({ position }: Frame, message: string): void {
    this.#findings.add({ kind: 'record', message, position: [segmentOf(position), offsetOf(position)] })
  }

  gap(frame: Frame): void {
    const gap = decodeGap(frame.payload)
    const position: [number, number] = [segmentOf(frame.position), offsetOf(frame.position)]
    const before = this.head
    const after = headBehind(before, gap)
    if (this.#linked && (after.seq < before.seq || after.time < before.time)) {
      const message = `the gap at segment ${position[0]}, offset ${position[1]} goes back behind transaction ${before.seq}`
      this.#findings.add({ kind: 'chain', message, position })
    }
    const lost = after.seq > before.seq ? { from: before.seq + 1, to: after.seq } : null
    this.gaps.push({ position, lost, contents: gap.contents.length })
    for (const hash of gap.contents) this.#census.lost(hash)
    // A purge may be among what is lost.
    if (lost !== null) this.#erasedWords.clear()
    if (gap.seq !== null) this.#linked = true
    // A term may have been announced where the gap is.
    this.#announced = null
    this.head = after
  }

  commit(frame: Frame): void {
    this.transactions += 1
    if (!this.#follows(frame)) this.#decoded(frame)
  }

  /** Is it the commit that was due, with nothing about it that takes more than its outline? Most are, and this takes a tenth of the time. */
  #follows({ payload, term }: Frame): boolean {
    if (!this.#linked || this.#next !== undefined) return false
    if (this.#announced !== null && this.#announced !== term) return false
    const outline = this.#outline
    if (!outline.read(payload)) return false
    const { seq, time, chain, body, bodyEnd } = outline
    if (seq !== this.#seq + 1 || time < this.#time) return false
    if (!this.#link.leadsTo(payload, chain, body, bodyEnd)) return false
    this.#link.advance(payload, chain)
    this.#chains.setAt(seq, payload, chain)
    this.#seq = seq
    this.#time = time
    if (this.awaited !== null && this.#link.hex === this.awaited) this.awaited = null
    this.#census.namedIn(payload, outline)
    return true
  }

  #decoded(frame: Frame): void {
    const position: [number, number] = [segmentOf(frame.position), offsetOf(frame.position)]
    let commit: ChainedCommit
    if (!this.#linked) {
      const loose = readCommit(frame.payload)
      const due = this.#seq + 1
      if (loose.seq > due) this.#findings.add(lostTransactions(due, loose, position))
      // With its predecessor read, the chain can be checked in spite of the damage between them.
      this.#linked = loose.seq === due
    }
    try {
      if (this.#linked) commit = verifyCommit(this.head, frame.payload)
      else commit = readCommit(frame.payload)
    } catch (error) {
      this.#findings.addError('chain', error, frame.position)
      commit = readCommit(frame.payload)
    }
    if (commit.time < this.#time) {
      const message = `the time of transaction ${commit.tx} lies before that of the one before it`
      this.#findings.add({ kind: 'time', message, tx: commit.tx, position })
    }
    if (this.#announced !== null && this.#announced !== frame.term)
      this.contradicted(frame, `no writer of term ${frame.term} told of itself before ${commit.tx}`)
    this.#linked = true
    this.#chains.set(commit.seq, commit.chain)
    this.head = { seq: commit.seq, chain: commit.chain, time: commit.time }
    if (commit.chain === this.awaited) this.awaited = null
    this.#census.named(commit)
    if (commit.horizon !== undefined) this.named = { digest: commit.horizon, seq: commit.seq }
    for (const entry of commit.entries) {
      if (isSilenced(entry)) this.#erasedWords.set(entry.path, commit.tx)
      if (entry.op !== 'purge') continue
      for (const path of this.#erasedWords.keys()) if (isWithin(path, entry.path)) this.#erasedWords.delete(path)
    }
  }

  /** When the whole log was read. */
  conclude(): void {
    for (const [path, tx] of this.#erasedWords) {
      const message = `what was edited in ${path} was erased, and no purge in the history tells of it`
      this.#findings.add({ kind: 'content', message, tx, path })
    }
  }
}
