import { declare } from '../declaration.ts'

export default declare<[]>({
  description:
    'Prints the newest chain value. It stands for the whole history: kept somewhere else, it lets `journal verify --head` notice that the history was replaced by an older copy or written anew.',
  examples: [
    ['journal head > ~/anchors/project', 'keep it where the journal is not'],
    ['journal head --json', 'with its number and time'],
  ],
  async run(session) {
    const { output } = session
    await session.read(async (journal) => {
      const { seq, chain, time } = await journal.anchor()
      await output.result({ seq, chain, time }, () => [chain])
    })
  },
})
