import { hashBytes, hashFile } from '../content/hash.ts'
import type { Disk } from '../disk/disk.ts'
import { JournalError } from '../errors.ts'
import type { Operation, StagedContent } from '../transaction/operation.ts'

/** Names that a stager gives. */
const STAGED = /^t[0-9a-z]{15}\.c\d+$/

/** Operations as they are sent: contents in memory come along, those in files are named within the folder of the process. */
export function packed(operations: readonly Operation[]): Operation[] {
  return operations.map((operation) => {
    if (!('content' in operation)) return operation
    const { hash, size, source } = operation.content
    const sent: StagedContent =
      source.at === 'staged' ? { hash, size, source: { at: 'staged', file: nameOf(source.file) } } : operation.content
    return { ...operation, content: sent }
  })
}

/**
 * Operations as they came: each content must be what its hash says, wherever it comes from.
 * @throws JournalError `INVALID` for one that is not, or is not there any more
 */
export async function unpacked(disk: Disk, folder: string, operations: readonly Operation[]): Promise<Operation[]> {
  const received: Operation[] = []
  for (const operation of operations) {
    if (!('content' in operation)) received.push(operation)
    else received.push({ ...operation, content: await checkedContent(disk, folder, operation.content) })
  }
  return received
}

async function checkedContent(
  disk: Disk,
  folder: string,
  { hash, size, source }: StagedContent,
): Promise<StagedContent> {
  if (source.at === 'memory') {
    if (source.bytes.byteLength !== size || hashBytes(source.bytes) !== hash) throw spoilt()
    return { hash, size, source }
  }
  if (source.at !== 'staged' || !STAGED.test(source.file)) throw spoilt()
  const file = `${folder}/${source.file}`
  if (disk.lstat(file)?.kind !== 'file') throw spoilt()
  const handle = disk.open(file, 'read')
  const found = await hashFile(disk, handle).finally(() => disk.close(handle))
  if (found.hash !== hash || found.size !== size) throw spoilt()
  return { hash, size, source: { at: 'staged', file } }
}

function nameOf(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1)
}

function spoilt(): JournalError {
  return new JournalError('INVALID', 'a content did not reach the process that writes as it was meant', {
    hint: 'Nothing was changed. Run the transaction again.',
  })
}
