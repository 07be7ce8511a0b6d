import { createReadStream } from 'node:fs'
import { applyBatch, readBatch } from '../batch.ts'
import { declare } from '../declaration.ts'
import { printReceipt } from '../receipt-text.ts'
import type { MetaOptions } from '../session.ts'
import { standardInput } from '../standard-input.ts'

export default declare<[], MetaOptions & { batch: string }>({
  description:
    'Runs one transaction from JSON Lines, an operation a line: all of them happen, or none. A line that cannot be read is refused with its number before anything happens.',
  required: [['--batch <file>', 'the operations; `-` for standard input']],
  commits: true,
  details: `Operations (paths are relative to the workspace, names in "from" to the current folder):
  {"op":"write","path":"a.txt","content":"text"}     "base64" or "from" for "content"; "mode", "expect"
  {"op":"append","path":"a.txt","content":"text"}    likewise, without "mode"
  {"op":"edit","path":"a.txt","edits":[{"oldText":"x","newText":"y","all":false}]}
                                                     "lenient":true to overlook blanks and indentation
  {"op":"patch","path":"a.txt","patch":"unified diff"}
  {"op":"patch","patch":"a patch of any number of files"}
  {"op":"remove","path":"a.txt"}                     "recursive":true for a folder
  {"op":"rename","path":"a.txt","to":"b.txt"}
  {"op":"mkdir","path":"d"}                          also "rmdir"
  {"op":"chmod","path":"a.sh","mode":"755"}
  {"op":"symlink","path":"l","target":"a.txt"}
"expect" is the SHA-256 of the content that must be there before, or null for no file. With "merge":true a write, edit or patch whose "expect" does not hold is merged
with what is there; "encoding" names that of a text that is not UTF-8.`,
  examples: [
    ['journal commit --batch changes.jsonl -m "rename config"', 'from a file'],
    ['generate | journal commit --batch - --json', 'from another program, and the receipt as JSON'],
  ],
  async run(session, _args, options) {
    const cwd = process.cwd()
    const { signal } = session
    session.requireWorkspace()
    const source = options.batch === '-' ? await standardInput(session) : createReadStream(options.batch, { signal })
    const lines = await readBatch(source, cwd)
    await session.write(async (journal) => {
      const receipt = await journal.transact(session.meta(options), (tx) => applyBatch(tx, lines, cwd))
      await printReceipt(receipt, session.output)
    })
  },
})
