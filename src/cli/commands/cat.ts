import type { FileState } from '../../entry/state.ts'
import type { At } from '../../history/query.ts'
import type { Journal } from '../../journal.ts'
import { declare } from '../declaration.ts'
import type { Output } from '../output.ts'

/** Contents up to this size are printed as text, when they are text; others as Base64. */
const TEXT_LIMIT = 1024 * 1024

function asText(content: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content)
  } catch {
    return undefined
  }
}

/** `{ path, seq, hash, size, mode, content }`, or `base64` for what is not text or is large: that is written piece by piece. */
async function printObject(journal: Journal, path: string, at: At, state: FileState, output: Output): Promise<void> {
  const { hash, size, mode } = state
  const head = { path, seq: await journal.resolve(at), hash, size, mode }
  const content = size <= TEXT_LIMIT ? asText(await journal.readAt(path, at)) : undefined
  if (content !== undefined) return output.object({ ...head, content })
  await output.write(`${JSON.stringify(head).slice(0, -1)},"base64":"`)
  let rest = Buffer.alloc(0)
  for await (const chunk of await journal.streamAt(path, at)) {
    const bytes = Buffer.concat([rest, chunk])
    // Base64 turns 3 bytes into 4 digits: only whole groups can be joined.
    const whole = bytes.length - (bytes.length % 3)
    rest = bytes.subarray(whole)
    if (whole > 0) await output.write(bytes.toString('base64', 0, whole))
  }
  await output.write(`${rest.toString('base64')}"}\n`)
}

export default declare<[path: string], { at: string }>({
  description: 'Prints a file as it was at a point, byte for byte, or as it is in the journal now.',
  arguments: [['<path>', 'the file']],
  options: [['--at <at>', 'a transaction, a number, or a time: 2h, 2026-01-31T12:00; default: the newest']],
  examples: [
    ['journal cat src/a.ts --at 2h > a.before.ts', 'the file of two hours ago'],
    ['journal cat src/a.ts --at 12', 'the file after transaction 12'],
  ],
  async run(session, [argument], { at = 'head' }) {
    const { output } = session
    await session.read(async (journal) => {
      const path = session.path(argument)
      // Throws NOT_FOUND, before anything is printed, when there was no file.
      const stream = output.json ? undefined : await journal.streamAt(path, at)
      if (stream !== undefined) for await (const chunk of stream) await output.write(chunk)
      else {
        const state = await journal.stateAt(path, at)
        if (state?.kind === 'file') await printObject(journal, path, at, state, output)
        else await journal.readAt(path, at)
      }
    })
  },
})
