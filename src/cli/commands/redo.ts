import { declare } from '../declaration.ts'
import { TAKE_BACK_OPTIONS, type TakeBackOptions, takeBack } from '../take-back.ts'

export default declare<[names: string[]], TakeBackOptions>({
  description:
    'Does transactions again that were undone, by one new transaction. Name the transactions, or their undo; or say which, as for `undo`.',
  arguments: [['[tx...]', 'ids, beginnings of ids, or numbers; `head` right after an undo']],
  options: TAKE_BACK_OPTIONS,
  commits: true,
  examples: [
    ['journal redo head', 'take back the undo just made'],
    ['journal redo --prompt p17', 'all that was undone of what a prompt did'],
  ],
  async run(session, [names], options) {
    await takeBack(session, 'redo', names, options)
  },
})
