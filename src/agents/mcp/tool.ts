import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { CallToolResult, ContentBlock, ToolAnnotations } from '@modelcontextprotocol/sdk/types.js'
import { z } from 'zod'
import { JournalError } from '../../errors.ts'
import type { Call, Role, Session } from './session.ts'

/** What a tool gives back. Without `text`, the text is the structured content as JSON. */
export interface Answer<O> {
  readonly text?: string
  readonly blocks?: readonly ContentBlock[]
  /** What the client should know besides. */
  readonly notes?: readonly string[]
  readonly structured: O
  /** For programs: what the client's model need not see. */
  readonly meta?: Readonly<Record<string, unknown>>
}

export interface Tool<I extends z.ZodRawShape, O extends z.ZodRawShape> {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly input: I
  readonly output: O
  readonly hints: ToolAnnotations
  /** Default: `looks` for one that only reads, else `changes`. */
  readonly role?: Role
  readonly run: (
    session: Session,
    input: z.output<z.ZodObject<I>>,
    call: Call,
  ) => Promise<Answer<z.input<z.ZodObject<O>>>>
}

/** A tool whose types were checked where it stands. */
export type AnyTool = Tool<z.ZodRawShape, z.ZodRawShape>

export function tool<I extends z.ZodRawShape, O extends z.ZodRawShape>(declared: Tool<I, O>): AnyTool {
  return declared as unknown as AnyTool
}

/** Hints of a tool that changes nothing. */
export const READS: ToolAnnotations = { readOnlyHint: true, openWorldHint: false }

/** Hints of a tool that changes files. Whatever it destroys is in the history. */
export function writes(destructive: boolean, idempotent: boolean): ToolAnnotations {
  return { readOnlyHint: false, idempotentHint: idempotent, destructiveHint: destructive, openWorldHint: false }
}

/** Offers tools to the clients of a server. */
export function register(server: McpServer, session: Session, tools: readonly AnyTool[]): void {
  for (const { name, title, description, input, output, hints, run, ...more } of tools) {
    const { role = hints.readOnlyHint === true ? 'looks' : 'changes' } = more
    server.registerTool(
      name,
      { title, description, inputSchema: z.object(input), outputSchema: z.object(output), annotations: hints },
      async (given, extra): Promise<CallToolResult> => {
        try {
          const call = await session.call(name, extra)
          const {
            text,
            blocks,
            notes = [],
            structured,
            meta,
          } = await session.inOrder(role, () => run(session, given, call))
          const said = blocks ?? [{ type: 'text' as const, text: text ?? JSON.stringify(structured, null, 2) }]
          const content = [...said, ...notes.map((note) => ({ type: 'text' as const, text: note }))]
          const result = { content, structuredContent: structured as Record<string, unknown> }
          return meta === undefined ? result : { ...result, _meta: meta }
        } catch (error) {
          return refusal(error)
        }
      },
    )
  }
}

/** A failed call, as a model can read it; programs find the journal's errors in `_meta`. */
function refusal(error: unknown): CallToolResult {
  if (!(error instanceof JournalError)) {
    const text = error instanceof Error ? error.message : String(error)
    return { content: [{ type: 'text', text }], isError: true }
  }
  const { code, message, hint } = error
  const told = JSON.parse(JSON.stringify(error.toJSON())) as Record<string, unknown>
  return {
    content: [{ type: 'text', text: `${code}: ${message}\nhint: ${hint}` }],
    isError: true,
    _meta: { 'write-journal/error': told },
  }
}
