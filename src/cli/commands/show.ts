import type { About, ChainedCommit } from '../../entry/commit.ts'
import { subjectOf } from '../../entry/entry.ts'
import { receiptFiles } from '../../transaction/receipt.ts'
import { declare } from '../declaration.ts'
import { ago, isoTime } from '../measure.ts'
import type { Output } from '../output.ts'
import { printDifferences } from '../patch-text.ts'
import { printable, printableText } from '../printable.ts'
import { transactionName } from '../transaction-name.ts'

function header(commit: ChainedCommit, output: Output): string[] {
  const { bold, dim } = output.colors
  const relative = output.terminal ? dim(` (${ago(commit.time, Date.now())})`) : ''
  const named = commit.of ?? commit.about?.map(partText).join(', ')
  const facts: [name: string, value: string | undefined][] = [
    ['kind', named === undefined ? commit.kind : `${commit.kind} of ${named}`],
    ['time', isoTime(commit.time) + relative],
    ['actor', commit.actor],
    ['tags', commit.tags?.join(', ')],
    ['parent', commit.parent],
    ['chain', commit.chain],
  ]
  const lines = facts.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name.padEnd(8)}${name === 'time' ? value : printable(value)}`],
  )
  const message =
    commit.message === undefined
      ? []
      : [
          '',
          ...printableText(commit.message)
            .split('\n')
            .map((line) => `    ${line}`),
        ]
  const entries = commit.entries.map((entry) => {
    const to =
      entry.op === 'rename'
        ? ` -> ${printable(entry.to)}`
        : entry.op === 'note'
          ? ` ${printable(JSON.stringify(entry.value))}`
          : ''
    const name = entry.op === 'revise' ? printable(entry.by) : entry.op
    return `  ${name.padEnd(8)} ${printable(subjectOf(entry))}${to}`
  })
  return [`${bold(`transaction ${commit.tx}`)} (${commit.seq})`, ...lines, ...message, '', ...entries, '']
}

/** One of several that an undo is about. */
function partText({ tx, paths }: About): string {
  return paths === null ? tx : `${tx} (${paths.map(printable).join(', ')})`
}

export default declare<[tx: string]>({
  description: 'Shows one transaction: who, why, when, every operation in it, and what changed in each file.',
  arguments: [['<tx>', 'its id, the beginning of one, its number, or `head`']],
  examples: [
    ['journal show head', 'the last transaction'],
    ['journal show 12 --json', 'number 12, for a program'],
  ],
  async run(session, [name]) {
    const { output } = session
    await session.read(async (journal) => {
      const commit = await journal.show(await transactionName(name, journal))
      if (output.json) return output.object({ ...commit, files: receiptFiles(commit.entries) })
      for (const line of header(commit, output)) await output.line(line)
      await printDifferences(journal.diff({ tx: commit.tx }), output)
    })
  },
})
