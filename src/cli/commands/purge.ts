import { declare } from '../declaration.ts'
import { maintenanceOf } from '../maintenance.ts'
import { byteCount, counted } from '../measure.ts'

export default declare<[path: string], { dryRun?: boolean }>({
  description:
    'Erases every content that a path ever had from the journal, for a secret that slipped in. The history keeps that there was something, and its chain can still be verified. Cannot be undone.',
  arguments: [['<path>', 'the file']],
  options: [['--dry-run', 'only show what would be erased']],
  examples: [
    ['journal purge .env --dry-run', 'what would be erased'],
    ['journal purge .env -m "key leaked"', 'erase it'],
  ],
  async run(session, [path], { dryRun }) {
    const { output } = session
    const purged = session.path(path)
    await session[dryRun ? 'read' : 'write'](async (journal) => {
      const result = await maintenanceOf(journal).purge(purged, { ...session.meta({}), ...(dryRun ? { dryRun } : {}) })
      await output.result(result, () => [
        `${dryRun ? 'would erase' : 'erased'} ${counted(result.hashes.length, 'content')}, ${byteCount(result.bytesFreed)}`,
        ...result.hashes.map((hash: string) => `  ${hash}`),
      ])
    })
  },
})
