import type { Journal } from '../../journal.ts'
import { relativePath } from '../../relative-path.ts'

/** The newest transaction with a tag that changed a path and was not taken back; null when there is none. */
export async function lastEdit(journal: Journal, path: string, tag: string): Promise<string | null> {
  const named = relativePath(journal.root, path)
  const settled = new Map<string, 'there' | 'undone'>()
  for await (const { tx, kind, of, tags } of journal.history({ path: named })) {
    const state = settled.get(tx) ?? 'there'
    if ((kind === 'undo' || kind === 'redo') && of !== undefined) {
      // Of what is said of a transaction, the newest counts. An undo that was taken back says nothing.
      if (state === 'there' && !settled.has(of)) settled.set(of, kind === 'undo' ? 'undone' : 'there')
    } else if (state === 'there' && tags?.includes(tag)) return tx
  }
  return null
}
