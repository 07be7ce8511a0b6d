import { LineTransport } from './line-transport.ts'
import { createServer, type ServerOptions } from './server.ts'

/**
 * Serves one client over standard input and output until it is gone, or `signal` fires. What it left open is aborted.
 * @throws JournalError `NOT_FOUND` when none of the folders can be used
 */
export async function serve(options: ServerOptions, signal: AbortSignal): Promise<void> {
  const { server, session } = await createServer(options)
  const transport = new LineTransport(process.stdin, process.stdout)
  const gone = new Promise<void>((resolve) => {
    server.server.onclose = resolve
  })
  const stop = (): void => void server.close()
  signal.addEventListener('abort', stop)
  try {
    await server.connect(transport)
    options.log(`write-journal MCP server ${options.version} on standard input and output`)
    await gone
  } finally {
    signal.removeEventListener('abort', stop)
    await session.ready.catch(() => {})
    await session.end()
  }
}
