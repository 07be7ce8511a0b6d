import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Files that take long, the longest first: one that began last would leave the other processors idle at the end. The runner itself knows durations only
 * from a run before, and a fresh clone has none.
 */
const LONGEST = [
  'docs/examples',
  'crash/follow',
  'agents/hooks/bad-luck',
  'sim/fault-loop',
  'sim/in-place',
  'kernel/power-cut',
  'agents/hooks/session',
  'crash/in-place',
  'retention/drop-crash',
  'retention/purge-changes',
  'cli/hook',
  'kernel/failing-calls',
  'sim/atomicity',
  'journal/bad-luck',
  'workspace/materialization',
  'processes/many',
  'fuzz/bombs',
  'sim/failing-disk',
  'crash/kill',
  'escape/swap',
  'capture/undo',
  'journal/properties',
  'recovery/locked-file',
  'damage/damages',
  'damage/salvage-crash',
  'damage/flips',
  'crash/revert',
  'escape/table',
  'agents/write-file-atomic/write-file-atomic',
  'journal/failed-syncs',
  'golden/golden',
  'crash/external',
]

const RANKS = new Map(LONGEST.map((name, rank) => [`test/${name}.test.ts`, rank]))

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const root = `${this.ctx.config.root}/`
    const rankOf = ({ moduleId }: TestSpecification): number =>
      RANKS.get(moduleId.startsWith(root) ? moduleId.slice(root.length) : moduleId) ?? LONGEST.length
    return (await super.sort(files)).sort((a, b) => rankOf(a) - rankOf(b))
  }
}
