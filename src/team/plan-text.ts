import type { Compared, TeamPlan } from './team-plan.ts'

/** A plan for people, in Markdown. */
export function planText({ levels, dependencies, cycles, gain }: TeamPlan): string {
  const lines = ['# Plan', '']
  for (const [at, { groups }] of levels.entries()) {
    lines.push(`## Level ${at + 1}`, '')
    for (const { steps, shared } of groups) {
      if (steps.length > 1)
        lines.push(`- One after the other${shared.length === 0 ? '' : `, since they share ${codes(shared)}`}:`)
      for (const [number, { agent, tasks, files }] of steps.entries()) {
        const mark = steps.length > 1 ? `  ${number + 1}.` : '-'
        lines.push(`${mark} **${agent}** (${tasks.join(', ')}): ${codes(files)}`)
      }
    }
    lines.push('')
  }
  if (dependencies.length > 0) {
    lines.push('## Why in this order', '')
    for (const { first, next, why, file, by } of dependencies) {
      const reason =
        why === 'after'
          ? 'it was said so'
          : why === 'content'
            ? `it replaces ${code(file)}`
            : `${code(by)} ${WORDS[why]} ${code(file)}`
      lines.push(`- ${first} before ${next}: ${reason}`)
    }
    lines.push('')
  }
  if (cycles.length > 0) {
    lines.push('## Depend on each other', '', ...cycles.map((cycle) => `- ${cycle.join(', ')}`), '')
  }
  const row = (what: string, { alone, planned }: Compared): string => `| ${what} | ${alone} | ${planned} |`
  lines.push(
    '## Expected gain',
    '',
    '| | each for itself | planned |',
    '| --- | ---: | ---: |',
    row('transactions', gain.transactions),
    row('files put in place', gain.fileOperations),
    row('rounds of waiting for the log', gain.rounds),
    '',
    gain.percent >= 0
      ? `About ${gain.percent} % less time for writing (an estimate from these counts).`
      : `About ${-gain.percent} % more time for writing (an estimate from these counts): the order costs more than it saves.`,
    '',
  )
  return lines.join('\n')
}

const WORDS = { import: 'imports', link: 'links to', file: 'names' } as const
/** Names that are listed; the rest is counted. */
const LISTED = 20

function code(path: string | undefined): string {
  return `\`${path ?? ''}\``
}

function codes(paths: readonly string[]): string {
  const more = paths.length > LISTED ? ` and ${paths.length - LISTED} more` : ''
  return `${paths.slice(0, LISTED).map(code).join(', ')}${more}`
}
