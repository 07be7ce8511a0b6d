import fc from 'fast-check'
import { type Journal, JournalError, type Transaction } from '../../src/index.ts'

/** One call on a transaction, as a value that shrinks well. */
export type Call =
  | { readonly op: 'write' | 'append'; readonly path: string; readonly content: string; readonly mode?: number }
  | { readonly op: 'edit'; readonly path: string; readonly newText: string }
  | { readonly op: 'remove' | 'mkdir' | 'rmdir'; readonly path: string }
  | { readonly op: 'rename'; readonly path: string; readonly to: string }
  | { readonly op: 'chmod'; readonly path: string; readonly mode: number }
  | { readonly op: 'symlink'; readonly path: string; readonly target: string }

export const PATHS = ['a', 'b', 'c', 'd', 'd/a', 'd/b', 'd/e', 'd/e/f', 'g/h', 'link', 'd/link'] as const

/** Stands for a content that becomes a blob, so that counterexamples stay readable. */
const LARGE = 'large'

/** Bytes of it where segments are of the ordinary size. */
const LARGE_SIZE = 1024 * 1024 + 1

const path = fc.constantFrom(...PATHS)
const mode = fc.constantFrom(0o600, 0o640, 0o644, 0o755)
const content = fc.oneof(
  { weight: 30, arbitrary: fc.string({ maxLength: 12 }).map((text) => `${text} word\n`) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 2000 }).map((size) => 'word '.repeat(size)) },
  { weight: 1, arbitrary: fc.constantFrom('', LARGE) },
)

export const call: fc.Arbitrary<Call> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant('write' as const), path, content }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('write' as const), path, content, mode }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('append' as const), path, content }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('edit' as const), path, newText: fc.string({ maxLength: 5 }) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('remove' as const), path }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('rename' as const), path, to: path }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('mkdir' as const), path }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('rmdir' as const), path }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('chmod' as const), path, mode: mode.map((bits) => bits | 0o700) }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('symlink' as const), path, target: path }) },
)

export const transactions = fc.array(fc.array(call, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 })

/** What the workspace does not allow is refused, typed; that is part of the game. Returns the code. */
export async function perform(tx: Transaction, made: Call, large = LARGE_SIZE): Promise<string> {
  const bytesOf = (content: string) => (content === LARGE ? 'Q'.repeat(large) : content)
  try {
    switch (made.op) {
      case 'write':
        await tx.write(made.path, bytesOf(made.content), made.mode === undefined ? {} : { mode: made.mode })
        break
      case 'append':
        await tx.append(made.path, bytesOf(made.content))
        break
      case 'edit':
        await tx.edit(made.path, [{ oldText: 'word', newText: made.newText, all: true }])
        break
      case 'remove':
        await tx.remove(made.path, { recursive: true })
        break
      case 'rename':
        await tx.rename(made.path, made.to)
        break
      case 'mkdir':
        await tx.mkdir(made.path)
        break
      case 'rmdir':
        await tx.rmdir(made.path)
        break
      case 'chmod':
        await tx.chmod(made.path, made.mode)
        break
      case 'symlink':
        await tx.symlink(made.path, made.target)
        break
    }
    return 'ok'
  } catch (error) {
    if (!(error instanceof JournalError) || !['INVALID', 'NOT_FOUND', 'EXISTS', 'PATH_OUTSIDE'].includes(error.code))
      throw error
    return error.code
  }
}

/** Runs calls as one transaction; null when none of them was allowed or nothing came of them. */
export async function commitCalls(
  journal: Journal,
  calls: readonly Call[],
  actor = 'tester',
  large = LARGE_SIZE,
): Promise<string | null> {
  const tx = journal.begin({ actor })
  let taken = 0
  for (const made of calls) if ((await perform(tx, made, large)) === 'ok') taken += 1
  if (taken === 0) {
    await tx.abort()
    return null
  }
  return (await tx.commit()).tx
}
