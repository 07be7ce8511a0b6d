/** Every row and condition by which recovery decides, and whether the end of a log is torn or damaged. */
export const STAGES = [
  { name: 'table', files: ['test/recovery', 'test/log/tail.test.ts'] },
  {
    name: 'simulated',
    files: ['test/sim/atomicity.test.ts', 'test/sim/failing-disk.test.ts'],
    env: { SIM_CRASHES: '4000', SIM_SEED: '7' },
  },
  { name: 'found', files: ['test/crash/found.test.ts', 'test/journal/regressions.test.ts'] },
  { name: 'faults', files: ['test/journal/bad-luck.test.ts', 'test/log', 'test/golden', 'test/damage'] },
]

const table = 'recovery/table.ts'
const plan = 'recovery/plan.ts'
const torn = 'recovery/torn-form.ts'
const recovery = 'recovery/recovery.ts'
const tail = 'log/tail.ts'
const scan = 'recovery/log-scan.ts'

export const MUTANTS = [
  {
    file: table,
    from: "{ found: 'goal', restarted: 'any', decision: 'nothing'",
    to: "{ found: 'goal', restarted: 'any', decision: 'write'",
  },
  { file: table, from: "decision: 'write',", to: "decision: 'nothing'," },
  { file: table, from: "decision: 'keep and write',", to: "decision: 'write'," },
  { file: table, from: "decision: 'keep and write',", to: "decision: 'keep and report'," },
  {
    file: table,
    from: "restarted: 'no',\n    decision: 'keep and report'",
    to: "restarted: 'no',\n    decision: 'keep and write'",
  },
  {
    file: table,
    from: "{ found: 'other', restarted: 'any', decision: 'keep and report'",
    to: "{ found: 'other', restarted: 'any', decision: 'keep and write'",
  },
  {
    file: table,
    from: "(candidate.restarted === 'yes') === restarted",
    to: "(candidate.restarted === 'yes') !== restarted",
  },
  { file: plan, from: 'if (!sameState(history.states.at(-1) ?? null, before)) history', to: 'if (false) history' },
  {
    file: plan,
    from: "null, observed, restarted)) === 'other') continue",
    to: "null, observed, restarted)) === 'other' && false) continue",
  },
  { file: plan, from: 'if (index + 1 > reached) missing', to: 'if (index > reached) missing' },
  { file: plan, from: "mode === 'revert' ? revertible(scan, histories, missing) : []", to: '[]' },
  {
    file: plan,
    from: 'if (member.commit.seq <= done || !missing.has(member)) break',
    to: 'if (member.commit.seq <= done) break',
  },
  {
    file: plan,
    from: 'if (member.commit.seq <= done || !missing.has(member)) break',
    to: 'if (!missing.has(member)) break',
  },
  { file: plan, from: 'if (!free) break', to: '' },
  { file: plan, from: 'writer.boot !== site.disk.bootId', to: 'false' },
  { file: plan, from: 'writer.boot !== site.disk.bootId', to: 'true' },
  { file: plan, from: "(found?.kind === 'dir' && state?.kind === 'dir')", to: 'false' },
  { file: plan, from: "site.suspect && goal?.kind === 'file' ? 'known' : 'goal'", to: "'goal'" },
  { file: plan, from: "if (history.states.some((known) => matches(state, known))) return 'known'", to: '' },
  { file: plan, from: "restarted &&\n    state?.kind === 'file' &&", to: 'false &&' },
  { file: plan, from: "if (between) return 'known'", to: '' },
  {
    file: plan,
    from: 'return aside || site.movedAside.has(history.path) ?',
    to: 'return site.movedAside.has(history.path) ?',
  },
  { file: plan, from: 'return aside || site.movedAside.has(history.path) ?', to: 'return aside ?' },
  { file: plan, from: "if (state.kind !== 'file') return 'other'", to: "if (state.kind !== 'file') return 'torn'" },
  { file: plan, from: "if (state.size === 0) return 'torn'", to: "if (state.size === 0) return 'other'" },
  { file: plan, from: 'history.states.slice(1)', to: 'history.states.slice(2)' },
  { file: torn, from: 'return position >= size\n', to: 'return true\n' },
  { file: torn, from: 'if (position >= size) return true', to: 'if (position >= size) return false' },
  { file: torn, from: '&& sector.some((byte) => byte !== 0)', to: '' },
  { file: torn, from: 'Buffer.compare(sector, chunk.subarray(at, end)) !== 0 && ', to: '' },
  { file: recovery, from: 'if (mark !== null) asideMarks.add(mark)', to: '' },
  { file: recovery, from: 'isGone(leftover) &&\n', to: '' },
  { file: recovery, from: "if (tx !== '' && !committed.has(tx)) discarded.add(tx)", to: '' },
  {
    file: recovery,
    from: 'if (await isAccountedFor(disk, leftover, scan.inFlight, known, site.contents)) continue',
    to: 'continue',
  },
  {
    file: recovery,
    from: 'for (const { commit } of plan.revert) await committer.record(revertOf(commit.tx, commit.entries), null)',
    to: '',
  },
  { file: recovery, from: 'if (keeps && something) {', to: 'if (false) {' },
  { file: recovery, from: "!== 'dir') blocked.push({ tx, path })", to: "!== 'dir') blocked.length = 0" },
  { file: recovery, from: 'for (const leftover of leftovers) removeLeftover(site, leftover, options.salvage)', to: '' },
  { file: recovery, from: 'for (const { commit } of scan.inFlight) await committer.ownBlobs(commit.entries)', to: '' },
  { file: recovery, from: 'before: observed.state, after: goal', to: 'before: null, after: goal' },
  { file: tail, from: 'if (header.durable > position) evidence', to: 'if (header.durable >= position) evidence' },
  { file: tail, from: 'if (header.durable > position) evidence', to: 'if (false) evidence' },
  { file: tail, from: "evidence === null ? 'torn' : 'corrupt'", to: "'torn'" },
  { file: tail, from: 'if (disk.lstat(copy) !== null) disk.unlink(copy)', to: '' },
  { file: tail, from: 'affected.reverse()', to: 'affected' },
  { file: tail, from: '(from === 0 && segment > 1)', to: 'false' },
  { file: scan, from: "hint < end || verdict?.verdict === 'corrupt'", to: 'true' },
  { file: scan, from: 'if (missing < 0) return', to: 'return' },
  { file: scan, from: 'flight.position >= redo', to: 'flight.position > redo' },
]
