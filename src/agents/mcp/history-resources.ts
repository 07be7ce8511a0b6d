import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { ReadResourceResult } from '@modelcontextprotocol/sdk/types.js'
import { differencesOf, differencesText, transactionLine, transactionOf } from './history-form.ts'
import { workspaceWith } from './history-tools.ts'
import type { Session } from './session.ts'

/** Transactions of each directory that are listed. */
const LISTED = 20
const HISTORY = 'journal://history'

type Told = ReturnType<typeof transactionOf>

async function newest(session: Session, limit: number): Promise<{ directory: string; transactions: Told[] }[]> {
  const found = []
  for (const workspace of session.workspaces.all.filter(({ hasJournal }) => hasJournal)) {
    const transactions = await workspace.look(async (journal) => {
      const told: Told[] = []
      for await (const commit of journal.history({ limit })) told.push(transactionOf(commit))
      return told
    })
    found.push({ directory: workspace.root, transactions })
  }
  return found
}

function text(uri: URL, mimeType: string, content: string): ReadResourceResult {
  return { contents: [{ uri: uri.href, mimeType, text: content }] }
}

function variable(value: string | string[] | undefined): string {
  return decodeURIComponent(Array.isArray(value) ? value.join('/') : (value ?? ''))
}

/** The history as resources: `journal://history`, `journal://transactions/{id}`, `journal://files/{at}/{path}`. */
export function registerResources(server: McpServer, session: Session): void {
  server.registerResource(
    'history',
    HISTORY,
    {
      title: 'History',
      description: 'The newest transactions of every allowed directory, as JSON',
      mimeType: 'application/json',
    },
    async (uri) => {
      await session.ready
      return text(uri, 'application/json', JSON.stringify(await newest(session, 100), null, 2))
    },
  )
  server.registerResource(
    'transaction',
    new ResourceTemplate('journal://transactions/{transaction}', {
      list: async () => {
        await session.ready
        const found = await newest(session, LISTED)
        const resources = found.flatMap(({ transactions }) =>
          transactions.map((told) => ({
            uri: `journal://transactions/${told.transaction}`,
            name: told.transaction,
            title: told.message ?? `${told.kind} ${told.files[0]?.path ?? ''}`.trim(),
            description: transactionLine(told),
            mimeType: 'text/x-diff',
          })),
        )
        return { resources }
      },
    }),
    { title: 'Transaction', description: 'What one transaction changed, as a diff', mimeType: 'text/x-diff' },
    async (uri, { transaction }) => {
      await session.ready
      const id = variable(transaction)
      const workspace = await workspaceWith(session, undefined, id)
      const shown = await workspace.look(async (journal) => {
        const commit = await journal.show(id)
        const differences = await differencesOf(journal.diff({ tx: commit.tx }), async () => {})
        return `# ${transactionLine(transactionOf(commit))}\n${differencesText(differences)}`
      })
      return text(uri, 'text/x-diff', shown)
    },
  )
  server.registerResource(
    'file',
    new ResourceTemplate('journal://files/{at}/{+path}', { list: undefined }),
    { title: 'File at a point', description: 'A file as it was at a transaction, a number, a time, or an age' },
    async (uri, { at, path }) => {
      await session.ready
      const real = await session.folders.resolve(variable(path))
      const workspace = session.workspaces.of(real)
      const bytes = Buffer.from(await workspace.look((journal) => journal.readAt(workspace.path(real), variable(at))))
      const plain = bytes.toString('utf-8')
      if (Buffer.from(plain, 'utf-8').equals(bytes)) return text(uri, 'text/plain', plain)
      return {
        contents: [{ uri: uri.href, mimeType: 'application/octet-stream', blob: bytes.toString('base64') }],
      }
    },
  )
}
