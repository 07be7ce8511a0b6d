import { declare } from '../declaration.ts'
import { receiptText } from '../receipt-text.ts'
import type { MetaOptions } from '../session.ts'

export default declare<[paths: string[]], MetaOptions>({
  description:
    'Takes changes that were made behind the journal (by a person, a shell command, another tool) into the history, as one transaction. Without paths: all that `journal status` lists.',
  arguments: [['[path...]', 'files and folders; a file that the journal does not know yet must be named itself']],
  commits: true,
  examples: [
    ['journal adopt -m "edited by hand"', 'everything that status lists'],
    ['journal adopt src', 'only what changed in a folder'],
  ],
  async run(session, [paths], options) {
    const { output } = session
    const selection = paths.length === 0 ? undefined : paths.map((path) => session.folder(path))
    await session.write(async (journal) => {
      const receipt = await journal.adopt(selection === undefined ? undefined : [...selection], session.meta(options))
      await output.result(receipt ?? { tx: null, seq: null, chain: null, files: [] }, () =>
        receipt === null ? ['Nothing to adopt.'] : receiptText(receipt, output, 'adopted as'),
      )
    })
  },
})
