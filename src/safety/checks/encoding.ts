import type { Proposal, ProposedFile } from '../../transaction/guard.ts'
import { dialectOf } from '../validation/file-type.ts'
import { type DecodedText, decode } from '../validation/text.ts'
import type { Reason } from './report.ts'

/** What a change makes of a text's encoding, byte order mark, line ends and last newline. Larger files are not read. */
export async function checkEncodings(proposal: Proposal, maxBytes: number): Promise<Reason[]> {
  const reasons: Reason[] = []
  for (const file of proposal.files()) {
    if (file.after.size > maxBytes) continue
    for (const message of await problems(proposal, file, maxBytes))
      reasons.push({ path: file.path, message, refuses: false })
  }
  return reasons
}

async function problems(
  proposal: Proposal,
  { path, after, before }: ProposedFile,
  maxBytes: number,
): Promise<string[]> {
  const type = dialectOf(path)?.type ?? null
  const decoded = decode(await proposal.content(after), type)
  if ('problem' in decoded) return type === null ? [] : [`the content ${decoded.problem}`]
  const found: string[] = []
  if (/(^|[^\r])\n/.test(decoded.text) && decoded.text.includes('\r\n')) found.push('its lines end in two ways')
  if (before === null || before.state.size > maxBytes) return found
  const earlier = decode(await proposal.content(before.state), type)
  return 'problem' in earlier ? found : [...differences(earlier, decoded), ...(isMixed(earlier) ? [] : found)]
}

function isMixed({ text }: DecodedText): boolean {
  return /(^|[^\r])\n/.test(text) && text.includes('\r\n')
}

/** What readers of the file do not expect to change. */
function differences(before: DecodedText, after: DecodedText): string[] {
  const found: string[] = []
  if (before.encoding !== after.encoding) found.push(`it was in ${before.encoding}, and would be in ${after.encoding}`)
  if (before.bom !== after.bom) found.push(`its byte order mark would be ${after.bom ? 'added' : 'lost'}`)
  const ends = (text: string): string | null => (text.includes('\r\n') ? 'CRLF' : text.includes('\n') ? 'LF' : null)
  const [was, would] = [ends(before.text), ends(after.text)]
  if (was !== null && would !== null && was !== would && !isMixed(before))
    found.push(`its lines ended with ${was}, and would with ${would}`)
  if (before.text.endsWith('\n') && after.text !== '' && !after.text.endsWith('\n'))
    found.push('its last newline would be lost')
  return found
}
