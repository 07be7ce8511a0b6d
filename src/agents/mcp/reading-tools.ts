import { extname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import type { Session } from './session.ts'
import { type AnyTool, READS, tool } from './tool.ts'

const MEDIA: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.bmp': 'image/bmp',
  '.svg': 'image/svg+xml',
  '.mp3': 'audio/mpeg',
  '.wav': 'audio/wav',
  '.ogg': 'audio/ogg',
  '.flac': 'audio/flac',
}
const LINES = {
  path: z.string(),
  tail: z.number().optional().describe('If provided, returns only the last N lines of the file'),
  head: z.number().optional().describe('If provided, returns only the first N lines of the file'),
}
export const SAID = { content: z.string() }
const INSIDE = 'Only works within allowed directories.'

function kindOf(mimeType: string): 'image' | 'audio' | null {
  const [kind] = mimeType.split('/')
  return kind === 'image' || kind === 'audio' ? kind : null
}

/** An answer that says the same as text and as structure: that of most tools of the reference server. */
export function said(content: string, notes: readonly string[] = []) {
  return { text: content, structured: { content }, notes }
}

async function readText(session: Session, { path, head, tail }: z.output<z.ZodObject<typeof LINES>>) {
  const real = await session.folders.resolve(path)
  if (head && tail) throw new Error('Cannot specify both head and tail parameters simultaneously')
  const view = await session.view()
  if (tail) return said(await view.tail(real, tail))
  return said(head ? await view.head(real, head) : (await view.read(real)).toString('utf-8'))
}

const media = z.union([
  z.object({ type: z.enum(['image', 'audio']), data: z.string(), mimeType: z.string() }),
  z.object({
    type: z.literal('resource'),
    resource: z.object({ uri: z.string(), mimeType: z.string().optional(), blob: z.string() }),
  }),
])

/** The tools of the reference server that read contents. */
export const READING_TOOLS: readonly AnyTool[] = [
  tool({
    name: 'read_file',
    title: 'Read File (Deprecated)',
    description: 'Read the complete contents of a file as text. DEPRECATED: Use read_text_file instead.',
    input: LINES,
    output: SAID,
    hints: READS,
    run: readText,
  }),
  tool({
    name: 'read_text_file',
    title: 'Read Text File',
    description: `Read the contents of a file as text, whatever its extension. Use 'head' to read only the first N lines, or 'tail' to read only the last N. Within an open transaction it shows what the transaction would leave. ${INSIDE}`,
    input: LINES,
    output: SAID,
    hints: READS,
    run: readText,
  }),
  tool({
    name: 'read_media_file',
    title: 'Read Media File',
    description: `Read a file and return it as base64 with its MIME type: images and audio as such, any other file as an embedded resource. ${INSIDE}`,
    input: { path: z.string() },
    output: { content: z.array(media) },
    hints: READS,
    async run(session, { path }) {
      const real = await session.folders.resolve(path)
      const data = (await (await session.view()).read(real)).toString('base64')
      const mimeType = MEDIA[extname(real).toLowerCase()] ?? 'application/octet-stream'
      const type = kindOf(mimeType)
      const block =
        type === null
          ? { type: 'resource' as const, resource: { uri: pathToFileURL(real).href, mimeType, blob: data } }
          : { type, data, mimeType }
      return { blocks: [block], structured: { content: [block] } }
    },
  }),
  tool({
    name: 'read_multiple_files',
    title: 'Read Multiple Files',
    description: `Read several files at once, each under its path. A file that cannot be read is reported in its place, and the others are read all the same. ${INSIDE}`,
    input: {
      paths: z
        .array(z.string())
        .min(1)
        .describe(
          'Array of file paths to read. Each path must be a string pointing to a valid file within allowed directories.',
        ),
    },
    output: SAID,
    hints: READS,
    async run(session, { paths }, call) {
      const view = await session.view()
      const parts: string[] = []
      for (const path of paths) {
        await call.progress(parts.length, path)
        try {
          const text = (await view.read(await session.folders.resolve(path))).toString('utf-8')
          parts.push(`${path}:\n${text}\n`)
        } catch (error) {
          parts.push(`${path}: Error - ${error instanceof Error ? error.message : String(error)}`)
        }
      }
      return said(parts.join('\n---\n'))
    },
  }),
]
