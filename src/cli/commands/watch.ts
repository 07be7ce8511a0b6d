import type { Collected } from '../../capture/collect-options.ts'
import type { WatchOptions } from '../../capture/watch.ts'
import { declare, positive } from '../declaration.ts'
import { counted } from '../measure.ts'
import type { Output } from '../output.ts'
import { present } from '../present.ts'
import { printable } from '../printable.ts'
import { receiptText } from '../receipt-text.ts'
import { leftOutText, SCOPE_ROWS, type ScopeFlags, scopeOf } from '../scope-options.ts'
import type { MetaOptions } from '../session.ts'

interface Options extends MetaOptions, ScopeFlags {
  readonly quiet?: number
  readonly maxWait?: number
  readonly polling?: boolean
}

/** Lines of a receipt that are printed. */
const MOST_LINES = 20

export default declare<[], Options>({
  description:
    'Watches the workspace, and takes what anybody changes there into the history as it comes: what changes together is one transaction. What has changed before is taken in first. Ends with Ctrl-C.',
  options: [
    ['--quiet <ms>', 'changes belong together until nothing has changed for so long; default 1000', positive],
    ['--max-wait <ms>', 'but no longer than this; default 10000', positive],
    ['--polling', 'look at all files again and again: for file systems that tell of no changes'],
    ...SCOPE_ROWS,
  ],
  commits: true,
  ownSignals: true,
  details: `What the journal itself writes makes no transactions. A file that is being written is waited for. With --json a line for each thing that happens:
{"event":"watching",…} once it does, {"event":"collected",…} for each transaction, {"event":"failed","error":…} for what could not be recorded yet.`,
  examples: [
    ['journal watch', 'until Ctrl-C'],
    ["journal watch --ignore '*.log' --actor anna", 'whose changes they are'],
  ],
  async run(session, _args, options) {
    const { output } = session
    const { quiet, maxWait, polling } = options
    const ending = new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve())
    })
    await session.write(async (journal) => {
      const { watch, found } = await journal.watch({
        ...session.meta(options),
        ...scopeOf(options),
        ...present<WatchOptions>({ quietMs: quiet, maxWaitMs: maxWait, polling }),
        onCollected: (collected) => tell(collected, output),
        onError: (error) => {
          if (output.json) print({ event: 'failed', error: error.toJSON() })
          else output.note(`${printable(error.message)} (${printable(error.hint)})`)
        },
      })
      if (output.json) print({ event: 'watching', root: journal.root, ...briefly(found) })
      else {
        const paths = found.receipts.reduce((sum, { files }) => sum + files.length, 0)
        if (paths > 0) output.note(`took in ${counted(paths, 'file')} that the journal did not know so`)
        for (const line of leftOutText(found.leftOut, output)) output.note(line)
        output.note(`watching ${printable(journal.root)}; Ctrl-C ends it`)
      }
      await ending
      await watch.close()
    })
  },
})

/** Of a workspace that is taken in, the transactions may name all files. */
function briefly({ receipts, leftOut }: Collected): object {
  return { receipts: receipts.map(({ tx, seq, files }) => ({ tx, seq, files: files.length })), leftOut }
}

function tell({ receipts, leftOut }: Collected, output: Output): void {
  if (output.json) {
    print({ event: 'collected', receipts, leftOut })
    return
  }
  for (const receipt of receipts) {
    const lines = receiptText(receipt, output, 'recorded as')
    const more = lines.length - MOST_LINES
    process.stdout.write(`${lines.slice(0, more > 1 ? MOST_LINES : undefined).join('\n')}\n`)
    if (more > 1) process.stdout.write(`  and ${more} more: journal show ${receipt.tx}\n`)
  }
}

function print(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}
