import type { Stats } from '../../history/stats.ts'
import { declare } from '../declaration.ts'
import { byteCount, isoTime } from '../measure.ts'

const SIZES = new Set(['logBytes', 'blobBytes', 'indexBytes', 'brokenBytes', 'stagingBytes'])

const NAMES: Readonly<Record<keyof Stats, string>> = {
  transactions: 'transactions',
  dropped: 'dropped',
  entries: 'operations',
  paths: 'paths',
  actors: 'actors',
  logBytes: 'log',
  segments: 'segments',
  blobBytes: 'blobs, size',
  blobs: 'blobs',
  indexBytes: 'index',
  brokenBytes: 'kept by repairs',
  stagingBytes: 'staging',
  first: 'first',
  last: 'last',
}

function valueText(name: string, value: unknown): string {
  if (value === null) return '-'
  if (Array.isArray(value)) return String(value.length)
  if (SIZES.has(name)) return byteCount(Number(value))
  if (name === 'first' || name === 'last') return isoTime(Number(value))
  return String(value)
}

export default declare<[]>({
  description:
    'Prints counts and sizes: transactions, operations, paths, actors, and the room that the journal takes on disk.',
  examples: [['journal stats', 'for a person']],
  async run(session) {
    const { output } = session
    await session.read(async (journal) => {
      const stats = await journal.stats()
      await output.result(stats, () =>
        Object.entries(NAMES)
          .filter(([key]) => key !== 'dropped' || stats.dropped > 0)
          .map(([key, name]) => output.row([name, valueText(key, stats[key as keyof Stats])], [16, -24])),
      )
    })
  },
})
