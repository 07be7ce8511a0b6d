import { z } from 'zod'
import { CHANGED, changedOf, changedText } from './receipts.ts'
import { type AnyTool, READS, tool, writes } from './tool.ts'

const STATE = {
  open: z.boolean(),
  changed: z.array(z.string()).describe('absolute paths that it would change'),
}

/** Transactions over several calls. */
export const TRANSACTION_TOOLS: readonly AnyTool[] = [
  tool({
    name: 'begin_transaction',
    role: 'settles',
    title: 'Begin Transaction',
    description:
      'Begin a transaction. From now on every tool that changes files adds to it, and nothing changes on disk; tools that read show what it would leave. commit_transaction then changes all files at once, or none; abort_transaction forgets it. If this connection ends first, nothing has happened. Use it for any change of more than one file.',
    input: {
      message: z.string().optional().describe('Why; part of the history'),
      tags: z.array(z.string()).optional().describe('Part of the history, to find it by'),
    },
    output: STATE,
    hints: writes(false, false),
    async run(session, { message, tags = [] }, call) {
      const meta = call.meta(message)
      await session.begin({ ...meta, tags: [...(meta.tags ?? []), ...tags] })
      return {
        text: 'A transaction is open. Nothing changes on disk before commit_transaction.',
        structured: { open: true, changed: [] },
      }
    },
  }),
  tool({
    name: 'transaction_status',
    title: 'Transaction Status',
    description: 'Is a transaction open, and which files would it change?',
    input: {},
    output: STATE,
    hints: READS,
    async run(session) {
      const { transaction } = session
      const changed = transaction === null ? [] : [...(await transaction.changes()).keys()].sort()
      const text =
        transaction === null
          ? 'No transaction is open.'
          : [`A transaction is open: ${changed.length} paths.`, ...changed].join('\n')
      return { text, structured: { open: transaction !== null, changed } }
    },
  }),
  tool({
    name: 'commit_transaction',
    role: 'settles',
    title: 'Commit Transaction',
    description:
      'Commit the open transaction: all its changes are made durable and put into place, as a whole. CONFLICT when somebody else has changed a file that it read or edited meanwhile: then nothing has changed, and the work must be done again on what is there now.',
    input: {},
    output: CHANGED,
    hints: writes(true, false),
    async run(session) {
      const commits = await session.takeTransaction().commit()
      const changed = { pending: false, commits }
      return { text: changedText(changed), structured: changedOf(changed) }
    },
  }),
  tool({
    name: 'abort_transaction',
    role: 'settles',
    title: 'Abort Transaction',
    description: 'Forget the open transaction. Nothing has changed on disk.',
    input: {},
    output: { open: z.boolean() },
    hints: writes(false, false),
    async run(session) {
      await session.abort()
      return { text: 'Aborted: nothing has changed.', structured: { open: false } }
    },
  }),
]
