import path from 'node:path'
import { declare } from '../declaration.ts'
import { byteCount, counted } from '../measure.ts'

export default declare<[], { to: string; at?: string }>({
  description:
    'Rebuilds the files of any point of the history in another folder, from the journal alone. The workspace stays as it is.',
  required: [['--to <dir>', 'the folder; it must be empty or not exist']],
  options: [['--at <at>', 'a transaction, a number, or a time; default: the newest']],
  examples: [
    ['journal replay --to /tmp/now', 'the newest state'],
    ['journal replay --to /tmp/then --at 3d', 'the files of three days ago'],
  ],
  async run(session, _args, { to, at }) {
    const { output } = session
    await session.read(async (journal) => {
      const folder = path.resolve(to)
      const result = await journal.replay(at === undefined ? { to: folder } : { to: folder, at })
      session.progress.clear()
      await output.result(result, () => [
        `rebuilt transaction ${result.seq} in ${folder}: ${counted(result.files, 'file')}, ${byteCount(result.bytes)}`,
      ])
    })
  },
})
