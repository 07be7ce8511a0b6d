import { once } from 'node:events'
import { addAbortSignal } from 'node:stream'
import type { Session } from './session.ts'

/**
 * Standard input as a stream of bytes that an interruption ends, once there is something in it: so that nobody holds the
 * journal's lock while a person thinks about what to type. Throws NOT_FOUND, before it waits, when there is no journal.
 */
export async function standardInput(session: Session): Promise<NodeJS.ReadStream> {
  session.requireWorkspace()
  const { stdin } = process
  if (stdin.isTTY) session.output.note('Reading from the keyboard; Ctrl-D on an empty line ends.')
  addAbortSignal(session.signal, stdin)
  await once(stdin, 'readable', { signal: session.signal })
  return stdin
}
