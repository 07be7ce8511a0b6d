import { InvalidArgumentError } from 'commander'
import { declare, octal } from '../declaration.ts'
import { UsageError } from '../failure.ts'
import { printReceipt } from '../receipt-text.ts'
import type { MetaOptions } from '../session.ts'

function mode(text: string): number {
  try {
    return octal(text)
  } catch (error) {
    if (error instanceof InvalidArgumentError) throw new UsageError(error.message, 'Modes are octal: 644, 755.')
    throw error
  }
}

export default declare<[mode: string, paths: string[]], MetaOptions>({
  description: 'Changes permissions, all in one transaction.',
  arguments: [
    ['<mode>', 'octal: 755'],
    ['<path...>', 'files or folders'],
  ],
  commits: true,
  examples: [['journal chmod 755 bin/run', 'make a script executable']],
  async run(session, [text, paths], options) {
    const bits = mode(text)
    await session.write(async (journal) => {
      const receipt = await journal.transact(session.meta(options), async (tx) => {
        for (const path of paths) await tx.chmod(session.folder(path), bits)
      })
      await printReceipt(receipt, session.output)
    })
  },
})
