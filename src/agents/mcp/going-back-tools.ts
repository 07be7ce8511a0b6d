import { z } from 'zod'
import type { TransactionOptions, UndoOptions } from '../../journal-types.ts'
import type { Receipt } from '../../transaction/receipt.ts'
import { transactionRef } from './history-form.ts'
import { DIRECTORY, POINT, pathsIn, WHICH, workspaceOf, workspaceWith } from './history-tools.ts'
import { RECEIPT, receiptOf, receiptText } from './receipts.ts'
import { checkSignal } from './session.ts'
import { type AnyTool, tool, writes } from './tool.ts'
import type { Workspace } from './workspaces.ts'

const FORCE = z
  .boolean()
  .default(false)
  .describe('Go on although a file was changed since; what is there now is kept in the history')
const MESSAGE = z.string().optional().describe('Why; part of the history')
const ONE = { receipt: RECEIPT.nullable().describe('null: there was nothing to do') }

function one(workspace: Workspace, receipt: Receipt | null) {
  const told = receipt === null ? null : receiptOf({ workspace, receipt })
  return { text: receipt === null ? 'nothing to do' : receiptText(receipt), structured: { receipt: told } }
}

function forced(meta: TransactionOptions, force: boolean): UndoOptions {
  return { ...meta, force }
}

const CONFLICTS =
  'CONFLICT, and nothing changed, when one of its files was changed since; the error names them. It is a transaction itself, so it can be undone.'

/** Going back in history, each a transaction of its own. */
export const GOING_BACK_TOOLS: readonly AnyTool[] = [
  tool({
    name: 'undo',
    title: 'Undo Transaction',
    description: `Take one transaction back, whichever it is, not only the last: its files are again what they were before it. ${CONFLICTS}`,
    input: { transaction: WHICH, force: FORCE, message: MESSAGE, directory: DIRECTORY },
    output: ONE,
    hints: writes(true, false),
    async run(session, { transaction, force, message, directory }, call) {
      const workspace = await workspaceWith(session, directory, transaction)
      return session.alone(workspace, async (journal) => {
        const tx = await transactionRef(journal, transaction)
        checkSignal(call.signal)
        return one(workspace, await journal.undo(tx, { ...forced(call.meta(message), force), dryRun: false }))
      })
    },
  }),
  tool({
    name: 'redo',
    title: 'Redo Transaction',
    description: `Make again what was undone: name the transaction, or its undo. ${CONFLICTS}`,
    input: { transaction: WHICH, force: FORCE, message: MESSAGE, directory: DIRECTORY },
    output: ONE,
    hints: writes(true, false),
    async run(session, { transaction, force, message, directory }, call) {
      const workspace = await workspaceWith(session, directory, transaction)
      return session.alone(workspace, async (journal) => {
        const tx = await transactionRef(journal, transaction)
        checkSignal(call.signal)
        return one(workspace, await journal.redo(tx, { ...forced(call.meta(message), force), dryRun: false }))
      })
    },
  }),
  tool({
    name: 'restore',
    title: 'Restore',
    description:
      'Bring files, or all that the journal knows, back to what they were at a point. Only touches what the journal wrote. Try it with dryRun first.',
    input: {
      to: POINT,
      paths: z.array(z.string()).optional().describe('Files, or directories with all in them; default: everything'),
      dryRun: z.boolean().default(false).describe('Only say what would change'),
      force: FORCE,
      message: MESSAGE,
      directory: DIRECTORY,
    },
    output: {
      changes: z.array(z.object({ path: z.string(), change: z.enum(['added', 'modified', 'deleted']) })),
      ...ONE,
    },
    hints: writes(true, true),
    async run(session, { to, paths, dryRun, force, message, directory }, call) {
      const workspace = await workspaceOf(session, directory)
      const within = await pathsIn(session, workspace, paths)
      const options = {
        ...forced(call.meta(message), force),
        to,
        dryRun,
        ...(within === undefined ? {} : { paths: within }),
      }
      const restored = dryRun
        ? await workspace.look((journal) => journal.restore(options))
        : await session.alone(workspace, (journal) => {
            checkSignal(call.signal)
            return journal.restore(options)
          })
      const changes = restored.changes.map(({ path, before, after }) => ({
        path,
        change: before === null ? ('added' as const) : after === null ? ('deleted' as const) : ('modified' as const),
      }))
      const { text, structured } = one(workspace, restored.receipt)
      const preview = changes.map(({ path, change }) => `  ${change}  ${path}`).join('\n')
      return { text: dryRun ? `would change:\n${preview}` : text, structured: { changes, ...structured } }
    },
  }),
  tool({
    name: 'adopt',
    title: 'Adopt Changes',
    description:
      'Take changes that were made behind the journal (by a person, a shell command, another tool) into the history, so that they can be undone too. Changes no file.',
    input: {
      paths: z.array(z.string()).optional().describe('Default: every file that the journal knows'),
      message: MESSAGE,
      directory: DIRECTORY,
    },
    output: ONE,
    hints: writes(false, true),
    async run(session, { paths, message, directory }, call) {
      const workspace = await workspaceOf(session, directory)
      const within = await pathsIn(session, workspace, paths)
      return session.alone(workspace, async (journal) =>
        one(workspace, await journal.adopt(within, call.meta(message))),
      )
    },
  }),
]
