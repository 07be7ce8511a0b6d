import { declare } from '../declaration.ts'
import { byteCount, counted } from '../measure.ts'
import { printable } from '../printable.ts'

export default declare<[paths: string[]], { dryRun?: boolean }>({
  description:
    'Erases every content that paths ever had from the journal, for a secret that slipped in. The history keeps that there was something, and its chain can still be verified. A content that another path has too stays, unless both are given. Files in the workspace are left alone. Cannot be undone.',
  arguments: [['<path...>', 'files, or folders with all that was ever in them']],
  options: [['--dry-run', 'only show what would be erased']],
  examples: [
    ['journal purge .env --dry-run', 'what would be erased'],
    ['journal purge .env -m "key leaked"', 'erase it'],
  ],
  async run(session, [paths], { dryRun }) {
    const { output } = session
    const purged = paths.map((path) => session.folder(path))
    await session[dryRun ? 'read' : 'write'](async (journal) => {
      const result = await journal.purge(purged, { ...session.meta({}), ...(dryRun ? { dryRun } : {}) })
      await output.result(result, () => [
        `${dryRun ? 'would erase' : 'erased'} ${counted(result.hashes.length, 'content')}, ${byteCount(result.bytes)}`,
        ...result.hashes.map((hash) => `  ${hash}`),
        ...result.kept.map(({ hash, path }) => `kept, ${printable(path)} has it too: ${hash}`),
      ])
      for (const path of result.current) {
        output.note(
          `${printable(path)} may still hold it: change the file first, then purge, or the next write keeps it again.`,
        )
      }
    })
  },
})
