import type { Proposal } from '../../transaction/guard.ts'
import type { Reason } from './report.ts'

/** What the log writer wants free besides. */
const MARGIN = 64 * 1024 * 1024

/** Bytes that a commit takes at most: each new content in the workspace and in the journal, each earlier one that may have to be kept. */
export function bytesOf(proposal: Proposal): { readonly workspace: number; readonly total: number } {
  let workspace = 0
  let earlier = 0
  for (const { after, before } of proposal.files()) {
    workspace += after.size
    earlier += before?.state.size ?? 0
  }
  for (const [path, state] of proposal.draft.changes) {
    const found = proposal.draft.base.get(path)?.state
    if (state === null && found?.kind === 'file') earlier += found.size
  }
  return { workspace, total: 2 * workspace + earlier }
}

/** Too little room refuses; less than twice what is needed is a warning. `score` of the check along with its reasons. */
export function checkSpace(needed: number, free: number): { readonly score: number; readonly reasons: Reason[] } {
  if (needed === 0) return { score: 1, reasons: [] }
  const details = { needed, free }
  if (free < needed) {
    const message = `the commit takes up to ${needed} bytes, and ${free} are free`
    return { score: 0, reasons: [{ message, refuses: true, details }] }
  }
  if (free >= 2 * needed + MARGIN) return { score: 1, reasons: [] }
  const message = `the commit takes up to ${needed} bytes of the ${free} that are free`
  return { score: 0.5, reasons: [{ message, refuses: false, details }] }
}
