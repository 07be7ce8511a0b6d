import { createReadStream } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { asJournalError, JournalError } from '../errors.ts'
import type { Session } from './session.ts'
import { standardInput } from './standard-input.ts'

/** What a file of JSON or YAML says, or standard input (`-`). @throws JournalError `INVALID` with the line */
export async function structuredFile(session: Session, file: string): Promise<unknown> {
  const source = file === '-' ? await standardInput(session) : createReadStream(file, { signal: session.signal })
  const bytes = await buffer(source).catch((error: unknown) => {
    throw asJournalError(error, 'reading it', file)
  })
  const text = bytes.toString('utf8').replace(/^\ufeff/, '')
  try {
    return JSON.parse(text) as unknown
  } catch {
    // YAML says better what is wrong, and where.
  }
  const { parse } = await import('yaml')
  try {
    return parse(text) as unknown
  } catch (cause) {
    throw new JournalError(
      'INVALID',
      `${file === '-' ? 'standard input' : file} is neither JSON nor YAML: ${(cause as Error).message.split('\n')[0]}`,
      {
        hint: 'Correct it.',
        path: file,
        cause,
      },
    )
  }
}
