import { openJournal } from '../../dist/index.js'

export const name = 'write-journal'

/** One durable transaction a batch; also one transaction a call when callers come at the same time. */
export async function open(folder) {
  const journal = await openJournal(folder, { actor: 'bench', durability: 'full' })
  return {
    batch: (files) =>
      journal.transact({}, async (tx) => {
        for (const { path, content } of files) await tx.write(path, content)
      }),
    one: ({ path, content }) => journal.write(path, content),
    close: () => journal.close(),
  }
}
