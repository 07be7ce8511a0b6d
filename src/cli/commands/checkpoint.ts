import { declare } from '../declaration.ts'

export default declare<[]>({
  description:
    'Puts all that was committed on stable storage in the workspace, so that the next opening has nothing to look after. Happens by itself; call it before a snapshot of the disk.',
  examples: [['journal checkpoint', 'now']],
  async run(session) {
    const { output } = session
    await session.write(async (journal) => {
      await journal.checkpoint()
      const { seq, chain, time } = journal.head
      await output.result({ seq, chain, time }, () => [`checkpoint at transaction ${seq}`])
    })
  },
})
