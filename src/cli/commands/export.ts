import { declare } from '../declaration.ts'

export default declare<[]>({
  description:
    'Prints the whole history as JSON Lines: a line about the journal, then one for each transaction, oldest first, with every content.',
  examples: [['journal export | gzip > history.jsonl.gz', 'an archive that needs nothing of this program']],
  async run(session) {
    await session.read(async (journal) => {
      for await (const line of journal.export()) await session.output.object(line)
    })
  },
})
