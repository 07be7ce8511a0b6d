import type { HookEvent } from './hook-event.ts'
import type { Trace } from './hook-folder.ts'

/** What a trace says of the event that failed. */
export function traceOf(event: HookEvent | null): Pick<Trace, 'event' | 'tool' | 'call' | 'session'> {
  if (event === null) return { event: 'unknown' }
  const { name, session, call } = event
  return { event: name, session, ...(call === undefined ? {} : { tool: call.tool, call: call.id }) }
}
