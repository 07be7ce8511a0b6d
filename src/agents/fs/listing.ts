import type nodeFs from 'node:fs'
import { sep } from 'node:path'
import { isJournalName } from '../../entry/path.ts'

type Named = string | Buffer | nodeFs.Dirent

/** What a folder lists, without journals: nobody who works through a facade can change them, so nobody need trip over them. */
export function withoutJournals<T>(listed: T): T {
  return Array.isArray(listed) ? (listed.filter((entry: Named) => !isOfJournal(entry)) as T) : listed
}

function isOfJournal(entry: Named): boolean {
  if (typeof entry === 'string' || Buffer.isBuffer(entry)) return entry.toString().split(sep).some(isJournalName)
  const { name, parentPath } = entry as nodeFs.Dirent & { readonly parentPath?: string }
  return isJournalName(name.toString()) || (parentPath ?? '').split(sep).some(isJournalName)
}
