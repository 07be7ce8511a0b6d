/** Every row and condition by which recovery decides, and whether the end of a log is torn or damaged. */
export const STAGES = [
  { name: 'recovery', files: ['test/recovery', 'test/log/tail.test.ts'] },
  { name: 'found', files: ['test/crash/found.test.ts', 'test/journal/regressions.test.ts'] },
  { name: 'failing', files: ['test/journal/failed-syncs.test.ts', 'test/log', 'test/golden', 'test/damage'] },
  { name: 'faults', files: ['test/journal/bad-luck.test.ts', 'test/retention'] },
  {
    name: 'simulated',
    files: ['test/sim/atomicity.test.ts', 'test/sim/failing-disk.test.ts', 'test/sim/in-place.test.ts'],
    env: { SIM_CRASHES: '4000', SIM_SEED: '7' },
  },
]

const table = 'recovery/table.ts'
const plan = 'recovery/plan.ts'
const mixture = 'recovery/mixture.ts'
const paths = 'recovery/path-history.ts'
const torn = 'recovery/torn-form.ts'
const recovery = 'recovery/recovery.ts'
const tail = 'log/tail.ts'
const scan = 'recovery/log-scan.ts'

/** The tests that are likeliest to miss a check of a file. */
export const FIRST = {
  [table]: ['test/recovery/table.test.ts'],
  [plan]: ['test/recovery/plan.test.ts'],
  [mixture]: ['test/recovery/table.test.ts', 'test/workspace/in-place.test.ts'],
  [torn]: ['test/recovery/table.test.ts'],
  [recovery]: ['test/recovery/recovery.test.ts'],
  [tail]: ['test/log/tail.test.ts'],
  [scan]: ['test/recovery/log-scan.test.ts'],
}

export const MUTANTS = [
  {
    file: table,
    from: "{ found: 'goal', restarted: 'any', decision: 'nothing'",
    to: "{ found: 'goal', restarted: 'any', decision: 'write'",
  },
  { file: table, from: "decision: 'write',", to: "decision: 'nothing'," },
  {
    file: table,
    from: "restarted: 'yes',\n    decision: 'keep and write',",
    to: "restarted: 'yes',\n    decision: 'write',",
  },
  {
    file: table,
    from: "restarted: 'yes',\n    decision: 'keep and write',",
    to: "restarted: 'yes',\n    decision: 'keep and report',",
  },
  {
    file: table,
    from: "restarted: 'any',\n    decision: 'keep and write',",
    to: "restarted: 'any',\n    decision: 'write',",
  },
  {
    file: table,
    from: "restarted: 'any',\n    decision: 'keep and write',",
    to: "restarted: 'any',\n    decision: 'keep and report',",
  },
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
  { file: paths, from: 'if (!sameState(history.states.at(-1) ?? null, before)) {', to: 'if (false) {' },
  {
    file: paths,
    from: 'history.states.push(before)\n        history.writers.push(null)',
    to: 'history.states[history.states.length - 1] = before',
  },
  {
    file: plan,
    from: "if (found === 'other') continue",
    to: '',
  },
  { file: plan, from: '? history.states.length - 2', to: '? -1' },
  { file: plan, from: "if (await isMixed(site, history, restarted)) return 'mixed'", to: '' },
  { file: plan, from: 'history.mixed === false && known.size > site.inline', to: 'known.size > site.inline' },
  { file: mixture, from: '> inline && state.mode', to: '> 0 && state.mode' },
  { file: mixture, from: 'if (size > Math.max(...sizes) ||', to: 'if (' },
  { file: mixture, from: '(!cut && size < Math.min(...sizes))', to: 'false' },
  { file: mixture, from: 'for (const sector of odd) explain(sector, parts)', to: 'odd.length = 0' },
  { file: mixture, from: 'return cut && bytes.every', to: 'return bytes.every' },
  { file: mixture, from: 'filter((index) => !cut || bytes[index] !== 0)', to: 'filter(() => true)' },
  {
    file: recovery,
    from: 'if (!(await isMixedLeftover(site, leftover, scan, histories)))',
    to: '',
  },
  { file: plan, from: 'index + 1 > reached', to: 'index > reached' },
  { file: plan, from: "mode === 'revert' ? revertible(site, scan, histories, missing) : []", to: '[]' },
  { file: plan, from: 'history.states.at(undone)', to: 'history.states.at(0)' },
  { file: plan, from: 'if (suspect) return chosen', to: '' },
  { file: plan, from: 'member.boot !== disk.bootId || ', to: '' },
  { file: plan, from: 'member.commit.seq <= done || ', to: '' },
  { file: plan, from: ' || !missing.has(member)) break', to: ') break' },
  { file: plan, from: 'histories.get(path)?.writers.at(-1) !== member', to: 'false' },
  { file: plan, from: ' && !gone.has(member.commit.tx)', to: '' },
  {
    file: plan,
    from: "commit.kind === 'revert' && commit.of !== undefined && !gone.has(commit.tx)",
    to: 'commit.of !== undefined',
  },
  { file: plan, from: 'writer.boot !== site.disk.bootId', to: 'false' },
  { file: plan, from: 'writer.boot !== site.disk.bootId', to: 'true' },
  { file: plan, from: "(found?.kind === 'dir' && state?.kind === 'dir')", to: 'false' },
  { file: plan, from: "(site.suspect && goal?.kind === 'file')", to: 'false' },
  { file: plan, from: 'return locked || ', to: 'return ' },
  { file: plan, from: "if (history.states.some((known) => matches(state, known))) return 'known'", to: '' },
  { file: plan, from: '(restarted || opened(known, state.mode))', to: 'opened(known, state.mode)' },
  { file: plan, from: '(restarted || opened(known, state.mode))', to: 'restarted' },
  { file: plan, from: "if (between) return 'known'", to: '' },
  {
    file: plan,
    from: "writer !== null && history.states[index]?.kind === 'dir'",
    to: "history.states[index]?.kind === 'dir'",
  },
  {
    file: plan,
    from: 'return aside || site.movedAside.has(history.path) ?',
    to: 'return site.movedAside.has(history.path) ?',
  },
  { file: plan, from: 'return aside || site.movedAside.has(history.path) ?', to: 'return aside ?' },
  { file: plan, from: "if (state.kind !== 'file') return 'other'", to: "if (state.kind !== 'file') return 'torn'" },
  { file: plan, from: "if (state.size === 0) return 'torn'", to: "if (state.size === 0) return 'other'" },
  { file: plan, from: 'for (const known of history.states) {', to: 'for (const known of history.states.slice(1)) {' },
  { file: torn, from: 'return position >= size\n', to: 'return true\n' },
  { file: torn, from: 'if (position >= size) return true', to: 'if (position >= size) return false' },
  { file: torn, from: 'if (Buffer.compare(sector, wanted) === 0) return true', to: '' },
  { file: torn, from: 'sector.subarray(right).every((byte) => byte === 0)', to: 'true' },
  { file: torn, from: 'sector.subarray(right).every((byte) => byte === 0)', to: 'false' },
  { file: recovery, from: 'if (mark !== null) asideMarks.add(mark)', to: '' },
  { file: recovery, from: 'isGone(leftover) &&\n', to: '' },
  { file: recovery, from: 'if (!(await site.isCommitted(tx))) discarded.add(tx)', to: '' },
  { file: recovery, from: 'if (!(await site.isCommitted(tx))) discarded', to: 'discarded' },
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
  {
    file: recovery,
    from: 'for (const leftover of leftovers) removeLeftover(',
    to: 'for (const leftover of []) removeLeftover(',
  },
  { file: recovery, from: 'options.salvage && discarded.has(leftover.tx)', to: 'options.salvage' },
  { file: recovery, from: 'for (const { commit } of scan.inFlight) await committer.ownBlobs(commit.entries)', to: '' },
  { file: recovery, from: 'before: observed.state, after: goal', to: 'before: null, after: goal' },
  { file: tail, from: 'if (header.durable > position) evidence', to: 'if (header.durable >= position) evidence' },
  { file: tail, from: 'if (header.durable > position) evidence', to: 'if (false) evidence' },
  { file: tail, from: "evidence === null ? 'torn' : 'corrupt'", to: "'torn'" },
  { file: tail, from: 'if (disk.lstat(copy) !== null) disk.unlink(copy)', to: '' },
  { file: tail, from: 'affected.reverse()', to: 'affected' },
  { file: tail, from: '(from === 0 && segment > 1)', to: 'false' },
  { file: scan, from: "hint < end || verdict?.verdict === 'corrupt'", to: 'true' },
  { file: scan, from: 'if (index < 0) return', to: 'return' },
  { file: scan, from: 'flight.position >= redo', to: 'flight.position > redo' },
]
