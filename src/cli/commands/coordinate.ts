import { declare } from '../declaration.ts'
import { counted } from '../measure.ts'
import { printable } from '../printable.ts'
import { readTeam } from '../team-file.ts'

export default declare<[file: string]>({
  description:
    'Does the work of several agents in the order that `journal plan` shows: a transaction for each agent and group, under the name of the agent, all with the plan as their parent.',
  arguments: [['<file>', 'tasks in JSON, as `journal plan` takes them; `-` for standard input']],
  details:
    'When a step fails, what is done stays, and nothing further is begun; the error says what is done and what is left.',
  examples: [
    ['journal coordinate team.json', 'plan it, and do it'],
    ['journal log --parent t0f3kq2m9x7b4c1d', 'who did what of it'],
  ],
  async run(session, [file]) {
    const request = await readTeam(session, file)
    await session.write(async (journal) => {
      const done = await journal.coordinate(await journal.planTeam(request))
      await session.output.result(done, () => [
        ...done.transactions.map(
          ({ tx, seq, agent, files }) => `${tx}  ${seq}  ${printable(agent)}  ${counted(files.length, 'file')}`,
        ),
        `${counted(done.transactions.length, 'transaction')} with parent ${done.plan}`,
      ])
    })
  },
})
