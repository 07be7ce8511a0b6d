import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { RootsListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { JournalError } from '../../errors.ts'
import { EDITING_TOOLS } from './editing-tools.ts'
import { GOING_BACK_TOOLS } from './going-back-tools.ts'
import { registerResources } from './history-resources.ts'
import { HISTORY_TOOLS } from './history-tools.ts'
import { LISTING_TOOLS } from './listing-tools.ts'
import { MODULE_TOOLS } from './module-tools.ts'
import { READING_TOOLS } from './reading-tools.ts'
import { Session, type SessionOptions } from './session.ts'
import { type AnyTool, register } from './tool.ts'
import { TRANSACTION_TOOLS } from './transaction-tools.ts'
import { WRITING_TOOLS } from './writing-tools.ts'

/** Those of the reference filesystem server, with its arguments, results and refusals. */
export const REFERENCE_TOOLS: readonly AnyTool[] = [...READING_TOOLS, ...WRITING_TOOLS, ...LISTING_TOOLS]
export const JOURNAL_TOOLS: readonly AnyTool[] = [
  ...TRANSACTION_TOOLS,
  ...EDITING_TOOLS,
  ...HISTORY_TOOLS,
  ...GOING_BACK_TOOLS,
  ...MODULE_TOOLS,
]

const INSTRUCTIONS = `Files in the allowed directories, through a journal: every change is kept in a history and can be undone.
Change several files as one: begin_transaction, then the tools that write, then commit_transaction; or edit_files, apply_patch, build_module in one call.
Nothing changes on disk before the commit, and reading shows what it will leave. After a mistake: history, then undo.
CONFLICT means that somebody else changed the file: read it again.`

/** How long a call waits for a client to say its roots. */
const ROOTS_MS = 10_000

export interface ServerOptions extends SessionOptions {
  readonly version: string
  /** Allowed folders; those that the client names as its roots take their place. */
  readonly folders: readonly string[]
  /** Takes what a person who looks after the server should know. */
  readonly log: (line: string) => void
}

export interface JournalServer {
  readonly server: McpServer
  readonly session: Session
}

/**
 * A server for one client, not yet connected. `session.end` aborts what the client left open, and closes the journals.
 * @throws JournalError `NOT_FOUND` when folders were named, and none of them can be used
 */
export async function createServer(options: ServerOptions): Promise<JournalServer> {
  const { version, folders, log } = options
  const session = new Session(options)
  const server = new McpServer(
    { name: 'write-journal', title: 'write-journal', version },
    { instructions: INSTRUCTIONS },
  )
  register(server, session, REFERENCE_TOOLS)
  register(server, session, JOURNAL_TOOLS)
  registerResources(server, session)
  for (const warning of await session.folders.name(folders)) log(warning)
  if (folders.length > 0 && session.folders.list.length === 0)
    throw new JournalError('NOT_FOUND', 'None of the specified directories are accessible', {
      hint: 'Name a folder that is there.',
    })
  session.ready = settle(session, log)
  session.committed = () => server.sendResourceListChanged()
  const protocol = server.server
  session.client = () => protocol.getClientVersion()?.name
  protocol.setNotificationHandler(RootsListChangedNotificationSchema, () => {
    session.ready = session.ready.then(() => takeRoots(server, session, log))
  })
  protocol.oninitialized = () => {
    if (protocol.getClientCapabilities()?.roots !== undefined) {
      session.ready = session.ready.then(() => takeRoots(server, session, log))
    } else if (session.folders.list.length === 0) {
      log('There is no allowed directory: start the server with one, or use a client that has roots.')
    }
  }
  return { server, session }
}

async function takeRoots(server: McpServer, session: Session, log: ServerOptions['log']): Promise<void> {
  try {
    const { roots } = await server.server.listRoots(undefined, { timeout: ROOTS_MS })
    for (const warning of await session.folders.replace(roots)) log(warning)
    await settle(session, log)
  } catch (error) {
    log(`The client did not say its roots: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function settle(session: Session, log: ServerOptions['log']): Promise<void> {
  for (const failure of await session.settle()) log(failure)
}
