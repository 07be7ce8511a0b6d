/** Paths as the log holds them: relative to the workspace, `/` between names. */

/** The folder that holds a journal; nothing in any folder of this name is ever written through a transaction. */
export const JOURNAL_FOLDER = '.journal'

/** Code points that some file systems ignore in names. */
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu
/** A name without any of this cannot be a journal's. */
const SUSPICIOUS = /journa|~\d|[^ -~]/i
/** An empty name, `.` or `..`. */
const NO_NAME = /(?:^|\/)\.{0,2}(?:\/|$)/

/**
 * Could some file system take `name` for the journal's folder? Folds case and compatibility forms, drops ignorable code points, the dots and blanks
 * that Windows drops at the end, and stream suffixes; knows both short forms too.
 */
export function isJournalName(name: string): boolean {
  if (!SUSPICIOUS.test(name)) return false
  const folded = name
    .normalize('NFKC')
    .replace(IGNORABLE, '')
    .toLowerCase()
    .replace(/:.*$/su, '')
    .replace(/[. ]+$/u, '')
  return folded === JOURNAL_FOLDER || /^jo(urna|[0-9a-f]{4})~\d+$/.test(folded)
}

/** Can a path of the history be this: inside the workspace by its text alone, and in no journal? */
export function isInside(path: string): boolean {
  if (NO_NAME.test(path) || path.includes('\0')) return false
  return !SUSPICIOUS.test(path) || !path.split('/').some(isJournalName)
}
