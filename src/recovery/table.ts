/** What stands at a path of a transaction in flight, compared with what the log says. */
export type Found =
  /** Just what recovery wants there. */
  | 'goal'
  /** Another state that the log knows of this path, from before or in between. */
  | 'known'
  /** A large file with bytes of two states of it that follow each other: it was being changed in place. */
  | 'mixed'
  /** Missing, empty, or a part of a content that was being written, with zeros for the rest. */
  | 'torn'
  /** Anything else: somebody edited it. */
  | 'other'

export type Decision = 'nothing' | 'write' | 'keep and write' | 'keep and report'

export interface Rule {
  readonly found: Found
  /** Has the machine been started anew since the commit? */
  readonly restarted: 'any' | 'yes' | 'no'
  readonly decision: Decision
  readonly reason: string
}

/**
 * How recovery decides, path by path. The goal is the content after the last transaction that is kept (the content before, where one is taken
 * back). The first rule that fits holds. docs/recovery.md prints this table; tests go through every row.
 */
export const RECOVERY_TABLE: readonly Rule[] = Object.freeze([
  { found: 'goal', restarted: 'any', decision: 'nothing', reason: 'it was done before the crash' },
  {
    found: 'known',
    restarted: 'any',
    decision: 'write',
    reason: 'it had not been done; what is there is in the journal',
  },
  {
    found: 'mixed',
    restarted: 'any',
    decision: 'keep and write',
    reason: 'it was being changed in place',
  },
  {
    found: 'torn',
    restarted: 'yes',
    decision: 'keep and write',
    reason: 'the power went while it was on its way to the disk',
  },
  {
    found: 'torn',
    restarted: 'no',
    decision: 'keep and report',
    reason: 'without a restart nothing is torn: somebody emptied or removed it',
  },
  { found: 'other', restarted: 'any', decision: 'keep and report', reason: 'somebody edited it: it is theirs' },
])

export function decide(found: Found, restarted: boolean): Rule {
  const rule = RECOVERY_TABLE.find(
    (candidate) =>
      candidate.found === found && (candidate.restarted === 'any' || (candidate.restarted === 'yes') === restarted),
  )
  if (rule === undefined) throw new RangeError(`no rule for ${found}`)
  return rule
}
