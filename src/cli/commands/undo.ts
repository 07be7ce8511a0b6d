import { declare } from '../declaration.ts'
import { TAKE_BACK_OPTIONS, type TakeBackOptions, takeBack } from '../take-back.ts'

export default declare<[names: string[]], TakeBackOptions & { interactive?: boolean }>({
  description:
    'Takes transactions back, however old, by one new transaction. What others changed elsewhere in the same files since stays; where they changed the same, nothing happens and the places are listed (exit code 3).',
  arguments: [['[tx...]', 'ids, beginnings of ids, numbers, or `head`']],
  options: [
    ...TAKE_BACK_OPTIONS,
    ['-i, --interactive', 'choose from a list of the newest ones, look at the difference, confirm'],
  ],
  commits: true,
  details:
    'Of transactions named and criteria given, those are meant that meet all of it. --actor, --tag and --parent say who and why of the undo itself.',
  examples: [
    ['journal undo head', 'take the last transaction back'],
    ['journal undo t3k9 t7b2', 'take older ones back, by the beginnings of their ids'],
    ['journal undo --prompt p17 --dry-run', 'what it would change to take back all that a prompt did'],
    ['journal undo --of-actor builder --since 2h --path src', 'what builder did below src in the last two hours'],
    ['journal undo -i', 'choose'],
  ],
  async run(session, [names], options) {
    if (options.interactive !== true) return takeBack(session, 'undo', names, options)
    const { chooseAndUndo } = await import('../undo-chooser.ts')
    await chooseAndUndo(session, names, options)
  },
})
