import { createReadStream } from 'node:fs'
import { lstat, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { JournalError } from '../../errors.ts'
import type { FileView } from './file-view.ts'
import type { OpenTransaction } from './open-transaction.ts'
import type { Session } from './session.ts'

type Step =
  | { readonly kind: 'dir'; readonly to: string; readonly mode: number }
  | { readonly kind: 'file'; readonly from: string; readonly to: string; readonly mode: number }
  | { readonly kind: 'link'; readonly to: string; readonly target: string }

/** Moves what is at `from` to another directory with a journal of its own: made there first, then removed here. */
export async function moveBetween(
  session: Session,
  transaction: OpenTransaction,
  from: string,
  to: string,
): Promise<void> {
  const [old, fresh] = [session.workspaces.of(from), session.workspaces.of(to)]
  if (old.path(from) === '') {
    throw new JournalError('INVALID', `${from} is an allowed directory itself`, {
      hint: 'Move what is in it.',
      path: from,
    })
  }
  const view = await session.view()
  // All that can be refused is, before anything is done.
  const steps = await stepsOf(view, from, to)
  const [source, target] = [await transaction.part(old), await transaction.part(fresh)]
  for (const step of steps) {
    const path = fresh.path(step.to)
    if (step.kind === 'dir') await target.mkdir(path, { mode: step.mode })
    else if (step.kind === 'link') await target.symlink(path, step.target)
    else {
      const content = session.transaction === null ? createReadStream(step.from) : await view.read(step.from)
      await target.write(path, content, { mode: step.mode })
    }
  }
  await source.remove(old.path(from), { recursive: true })
}

async function stepsOf(view: FileView, from: string, to: string): Promise<Step[]> {
  const link = await lstat(from).catch(() => null)
  if (link?.isSymbolicLink() === true) return [{ kind: 'link', to, target: await readlink(from) }]
  const { isDirectory, isFile, permissions } = await view.facts(from)
  const mode = Number.parseInt(permissions, 8)
  if (isFile) return [{ kind: 'file', from, to, mode }]
  if (!isDirectory) {
    throw new JournalError('INVALID', `${from} is neither a file nor a directory`, {
      hint: 'Leave it out.',
      path: from,
    })
  }
  const steps: Step[] = [{ kind: 'dir', to, mode }]
  for (const { name } of await view.entries(from))
    steps.push(...(await stepsOf(view, join(from, name), join(to, name))))
  return steps
}
