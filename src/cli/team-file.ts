import { createReadStream } from 'node:fs'
import { text as textOf } from 'node:stream/consumers'
import { asJournalError, JournalError } from '../errors.ts'
import type { TeamRequest } from '../team/team-task.ts'
import type { Session } from './session.ts'
import { standardInput } from './standard-input.ts'

/** The tasks of a team from a file of JSON, or from standard input. */
export async function readTeam(session: Session, file: string): Promise<TeamRequest> {
  const said = await textOf(file === '-' ? await standardInput(session) : createReadStream(file)).catch(
    (error: unknown) => {
      throw asJournalError(error, `reading ${file}`, file)
    },
  )
  try {
    return JSON.parse(said) as TeamRequest
  } catch (cause) {
    throw new JournalError('INVALID', `${file === '-' ? 'standard input' : file} is not JSON`, {
      hint: 'Give {"tasks":[{"agent":"builder","files":[{"path":"src/a.ts","edits":[{"oldText":"…","newText":"…"}]}]}]}.',
      cause,
    })
  }
}
