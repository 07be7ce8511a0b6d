import { declare } from '../declaration.ts'
import { byteCount, counted } from '../measure.ts'

export default declare<[]>({
  description:
    'Frees the space of contents that nothing in the history names any more. The history and its chain stay as they are.',
  examples: [['journal compact', 'after a purge, or a crash while large files were written']],
  async run(session) {
    const { output } = session
    await session.write(async (journal) => {
      const result = await journal.compact()
      await output.result(result, () => [
        `removed ${counted(result.blobsRemoved, 'blob')} and ${counted(result.filesRemoved, 'file')}, freed ${byteCount(result.bytesFreed)}`,
      ])
    })
  },
})
