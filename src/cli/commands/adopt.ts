import type { CollectOptions } from '../../capture/collect-options.ts'
import type { Receipt } from '../../transaction/receipt.ts'
import { declare } from '../declaration.ts'
import { UsageError } from '../failure.ts'
import type { Output } from '../output.ts'
import { present } from '../present.ts'
import { receiptText } from '../receipt-text.ts'
import { leftOutText, SCOPE_ROWS, type ScopeFlags, scopeOf } from '../scope-options.ts'
import type { MetaOptions, Session } from '../session.ts'

interface Options extends MetaOptions, ScopeFlags {
  readonly all?: boolean
}

const SCOPE_NEEDS_ALL = 'The options that say what is left out go with --all.'

export default declare<[paths: string[]], Options>({
  description:
    'Takes changes that were made behind the journal (by a person, a shell command, another tool) into the history, as one transaction. Without paths: all that `journal status` lists. With --all also files that the journal does not know yet.',
  arguments: [
    ['[path...]', 'files and folders; without --all, a file that the journal does not know yet must be named itself'],
  ],
  options: [
    [
      '-a, --all',
      'look for files that the journal does not know too; they count as having been there, so undo leaves them',
    ],
    ...SCOPE_ROWS,
  ],
  commits: true,
  examples: [
    ['journal adopt -m "edited by hand"', 'everything that status lists'],
    ['journal adopt src', 'only what changed in a folder'],
    ['journal adopt --all', 'everything in the workspace but what .gitignore files leave out'],
  ],
  async run(session, [paths], options) {
    const { output } = session
    const selection = paths.length === 0 ? undefined : paths.map((path) => session.folder(path))
    if (options.all === true) return adoptAll(session, session.selection(paths), options)
    if (!isPlain(options)) throw new UsageError(SCOPE_NEEDS_ALL, 'Run `journal help adopt` for its options.')
    await session.write(async (journal) => {
      const receipt = await journal.adopt(selection === undefined ? undefined : [...selection], session.meta(options))
      await output.result(receipt ?? { tx: null, seq: null, chain: null, files: [] }, () =>
        receipt === null ? ['Nothing to adopt.'] : receiptText(receipt, output, 'adopted as'),
      )
    })
  },
})

/** Commander sets what `--no-…` would take away. */
function isPlain({ ignore, maxFile, gitignore, defaults }: ScopeFlags): boolean {
  return ignore === undefined && maxFile === undefined && gitignore !== false && defaults !== false
}

async function adoptAll(session: Session, paths: readonly string[] | undefined, options: Options): Promise<void> {
  const { output } = session
  const request = {
    ...session.meta(options),
    ...scopeOf(options),
    ...present<CollectOptions>({ paths }),
    baseline: true,
  }
  const collected = await session.write((journal) => journal.collect(request))
  const { receipts, leftOut } = collected
  await output.result(collected, () => [
    ...(receipts.length === 0 ? ['Nothing to adopt.'] : receipts.flatMap((each) => briefly(each, output))),
    ...leftOutText(leftOut, output),
  ])
}

/** Lines of a receipt that are printed: it may name all of a workspace. */
const MOST_LINES = 20

function briefly(receipt: Receipt, output: Output): string[] {
  const lines = receiptText(receipt, output, 'adopted as')
  const more = lines.length - MOST_LINES
  return more <= 1 ? lines : [...lines.slice(0, MOST_LINES), `  and ${more} more: journal show ${receipt.tx}`]
}
