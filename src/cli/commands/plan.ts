import { planText } from '../../team/plan-text.ts'
import { declare } from '../declaration.ts'
import { printableText } from '../printable.ts'
import { readTeam } from '../team-file.ts'

interface Options {
  readonly team: string
}

export default declare<[], Options>({
  description:
    'Puts the work of several agents in order: what depends on what, who shares which files, and what doing it like that is expected to save. Prints Markdown; changes nothing.',
  required: [['--team <file>', 'tasks in JSON; `-` for standard input']],
  details:
    'A task: {"agent":"builder","name"?:"…","message"?:"…","after"?:["other task"],"files":[…]}; a file: {"path":"…"} with one of "edits", "patch", "content", "remove".',
  examples: [
    ['journal plan --team team.json', 'look at the plan'],
    ['journal plan --team team.json --json | jq .gain', 'what it is expected to save'],
  ],
  async run(session, _, { team }) {
    const request = await readTeam(session, team)
    await session.read(async (journal) => {
      const plan = await journal.planTeam(request)
      const { id: _id, bases: _bases, tasks, ...rest } = plan
      const named = tasks.map(({ agent, name, files }) => ({ agent, name, files: files.map(({ path }) => path) }))
      await session.output.result({ tasks: named, ...rest }, () => [printableText(planText(plan)).trimEnd()])
    })
  },
})
