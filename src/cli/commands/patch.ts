import { createReadStream } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import type { PatchOptions } from '../../edit/patch/patch-set.ts'
import type { Encoding } from '../../edit/text.ts'
import { asJournalError, JournalError } from '../../errors.ts'
import type { Revision } from '../../transaction/revision.ts'
import type { Transaction } from '../../transaction/transaction.ts'
import { conditionOf, declare, encodingName, expectation, whole } from '../declaration.ts'
import { UsageError } from '../failure.ts'
import { present } from '../present.ts'
import { printReceipt } from '../receipt-text.ts'
import { printRehearsal } from '../revision-text.ts'
import type { MetaOptions, Session } from '../session.ts'
import { standardInput } from '../standard-input.ts'

interface Options extends MetaOptions {
  readonly path?: string
  readonly strip?: number
  readonly encoding?: Encoding
  readonly expect?: string
  readonly merge?: boolean
  readonly dryRun?: boolean
}

export default declare<[file: string], Options>({
  description:
    'Applies a patch to the files that it names, as one transaction: all of it, or nothing, and then every hunk that does not fit is named. Takes unified diffs of any number of files, as git and diff -u write them, and the apply_patch format; which one it is, it finds out. Names in the patch are relative to the workspace.',
  arguments: [['<file>', 'the patch; `-` for standard input']],
  options: [
    ['--path <path>', 'the one file to change, whatever the patch calls it'],
    ['--strip <count>', 'how many names to leave out at the beginning of each path; default: a/ and b/', whole],
    ['--encoding <name>', 'with --path, of a file that is not UTF-8: utf-16le, utf-16be, latin1', encodingName],
    ['--expect <hash>', 'with --path: apply it only if the content there now has this SHA-256', expectation],
    ['--merge', 'with --expect: when the content is another by now, merge the patch with what changed'],
    ['--dry-run', 'only say what would be changed, or why it does not fit'],
  ],
  commits: true,
  examples: [
    ['journal patch fix.diff -m "the fix from upstream"', 'a patch of many files'],
    ['git diff | journal patch - --dry-run', 'would it fit?'],
    ['journal patch fix.diff --path src/a.ts', 'a diff of one file, whatever names it has'],
  ],
  async run(session, [file], options) {
    if (options.path === undefined && (options.expect ?? options.merge ?? options.encoding) !== undefined)
      throw new UsageError('--expect, --merge and --encoding are about one file', 'Name it with --path.')
    if (options.path !== undefined && options.strip !== undefined)
      throw new UsageError('--strip and --path exclude each other', 'Leave one of them out.')
    const patch = await readPatchFile(session, file)
    const apply = async (tx: Transaction): Promise<readonly Revision[]> => {
      const { strip, path, encoding, merge } = options
      if (path === undefined) return tx.applyPatch(patch, present<PatchOptions>({ strip }))
      const how = { ...conditionOf(options), ...present<{ encoding?: Encoding; merge?: boolean }>({ encoding, merge }) }
      return [await tx.patch(session.path(path), patch, how)]
    }
    await session.write(async (journal) => {
      if (options.dryRun) {
        const rehearsal = journal.begin(session.meta(options))
        await printRehearsal(await apply(rehearsal), session.output)
        return rehearsal.abort()
      }
      await printReceipt(await journal.transact(session.meta(options), apply), session.output)
    })
  },
})

async function readPatchFile(session: Session, file: string): Promise<string> {
  session.requireWorkspace()
  const source = file === '-' ? await standardInput(session) : createReadStream(file, { signal: session.signal })
  const bytes = await buffer(source).catch((error: unknown) => {
    throw asJournalError(error, 'reading the patch', file)
  })
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new JournalError('INVALID', 'the patch is not UTF-8 text', {
      hint: 'Only patches of texts are taken; binary ones are not.',
      path: file,
      cause,
    })
  }
}
