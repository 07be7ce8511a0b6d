import type { SalvageReport } from '../salvage/report.ts'
import { counted } from './measure.ts'
import { printable } from './printable.ts'

/** What a salvage did, or would do, for a person. */
export function salvageText({ salvaged, lost, versions, restored, kept }: SalvageReport, planned: boolean): string[] {
  const lines = [`${planned ? 'would be salvaged' : 'salvaged'}: ${counted(salvaged, 'transaction')}`]
  for (const { seq, tx, paths } of lost) {
    const what = paths.length === 0 ? '' : `: ${paths.map(printable).join(', ')}`
    lines.push(`lost: transaction number ${seq}${tx === null ? '' : ` (${tx})`}${what}`)
  }
  for (const { hash, tx, path } of versions)
    lines.push(`lost: a content of ${path === '' ? 'no path' : printable(path)} (${hash.slice(0, 16)}…, ${tx})`)
  for (const { path } of restored) lines.push(`taken from the workspace again: ${printable(path)}`)
  if (lost.length + versions.length === 0) lines.push('nothing is lost')
  if (kept !== null && !planned) lines.push(`what was damaged is kept: .journal/${kept}-*`)
  if (!planned)
    lines.push('hint: `journal status` compares the files with the history; `journal verify` lists the gaps.')
  return lines
}

const NAMED = 5

/** For a refusal: what could be done. */
export function lossHint({ salvaged, lost, versions }: SalvageReport): string {
  const names = lost.slice(0, NAMED).map(({ seq, tx }) => (tx === null ? `number ${seq}` : `${tx} (${seq})`))
  const more = lost.length > NAMED ? ` and ${lost.length - NAMED} more` : ''
  const without =
    names.length === 0 ? 'no transaction' : `${counted(lost.length, 'transaction')}: ${names.join(', ')}${more}`
  const contents = versions.length === 0 ? '' : `, and ${counted(versions.length, 'content')}`
  return `Nothing was changed. Copy .journal to a safe place and restore it from a backup; or run 'journal recover --salvage', which would keep ${counted(salvaged, 'transaction')} and lose ${without}${contents}.`
}
