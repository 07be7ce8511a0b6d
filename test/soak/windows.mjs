/** What was measured over a long life, in windows, and whether it stayed as it was. */
const WINDOWS = 10
const MIB = 1024 * 1024
/** Folders are held open from one transaction to the next, and let go at a checkpoint: so many come and go. */
const PINNED = 48

export function median(values) {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

const sum = (values) => values.reduce((total, value) => total + value, 0)

/** One row a window of the history. */
export function windowsOf(campaign, total) {
  const width = total / WINDOWS
  return Array.from({ length: WINDOWS }, (_, number) => {
    const [from, to] = [number * width, (number + 1) * width]
    // What the last process made beyond the end belongs to the last window.
    const inside = ({ seq }) => seq > from && (seq <= to || number === WINDOWS - 1)
    const samples = campaign.samples.filter(inside)
    const opened = (...how) => campaign.openings.filter((each) => inside(each) && how.includes(each.how))
    const catchUps = campaign.catchUps.filter(inside)
    const paces = campaign.paces.filter(inside)
    const spaces = campaign.spaces.filter(inside)
    const before = campaign.spaces.findLast(({ seq }) => seq <= from)
    const last = spaces.at(-1)
    const of = (list, value) => median(list.map(value))
    const grown = (folder) =>
      last === undefined ? null : (last[folder].bytes - (before?.[folder].bytes ?? 0)) / (last.seq - (before?.seq ?? 0))
    return {
      to: Math.round(to),
      // A process that lives long is larger than one that is killed early: they are not compared.
      long: samples.some(({ life }) => life === 'long'),
      perSecond:
        paces.length === 0
          ? null
          : sum(paces.map(({ transactions }) => transactions)) / sum(paces.map(({ seconds }) => seconds)),
      resident: of(samples, ({ rss }) => rss / MIB),
      anonymous: of(samples, ({ anonymous }) => anonymous / MIB),
      heap: of(samples, ({ heap }) => heap / MIB),
      descriptors: of(samples, ({ descriptors }) => descriptors),
      staged: Math.max(0, ...samples.map(({ staged }) => staged)),
      openedFresh: of(opened('first'), ({ ms }) => ms),
      openedClosed: of(opened('closed', 'clean'), ({ ms }) => ms),
      openedKilled: of(opened('killed'), ({ ms }) => ms),
      catchUp: of(
        catchUps.filter(({ transactions }) => transactions > 0),
        ({ ms }) => ms,
      ),
      logGrowth: grown('log'),
      index: last === undefined ? null : last.index.bytes / last.seq,
      broken: last?.broken.files ?? null,
    }
  })
}

export const COLUMNS = {
  to: 'transactions',
  perSecond: 'a second',
  resident: 'rss MiB',
  anonymous: 'anonymous MiB',
  heap: 'heap MiB',
  descriptors: 'descriptors',
  staged: 'staged',
  openedFresh: 'open, new process ms',
  openedClosed: 'open, closed ms',
  openedKilled: 'open, killed ms',
  catchUp: 'index catch-up ms',
  logGrowth: 'log B/tx',
  index: 'index B/tx',
  broken: 'broken',
}

/** What must stay flat: late windows against early ones. `slack`: allowed beyond the factor. */
const FLAT = [
  { key: 'resident', factor: 1.15, slack: 24 },
  { key: 'anonymous', factor: 1.15, slack: 24 },
  { key: 'heap', factor: 1.15, slack: 8 },
  { key: 'descriptors', factor: 1, slack: PINNED },
  { key: 'openedFresh', factor: 1.25, slack: 20 },
  { key: 'openedClosed', factor: 1.25, slack: 20 },
  { key: 'openedKilled', factor: 1.5, slack: 60 },
  { key: 'logGrowth', factor: 1.1, slack: 0, reserved: true },
  { key: 'index', factor: 1.3, slack: 0 },
]

/** Bytes that the log reserves ahead of its end, at most: they come and go. */
const RESERVED = 4 * MIB

/** Windows 2 and 3 against the last two of the same kind of life: the first one is still filling the workspace. */
export function verdicts(windows) {
  return FLAT.map(({ key, factor, slack, reserved }) => {
    const values = windows.slice(1).flatMap((row) => (row[key] === null || row.long ? [] : [row[key]]))
    const [early, late] = [median(values.slice(0, 2)), median(values.slice(-2))]
    const limit = early === null ? null : early * factor + slack + (reserved ? RESERVED / windows[0].to : 0)
    return { what: `${COLUMNS[key]}, late against early`, early, late, limit, flat: limit === null || late <= limit }
  })
}

/** Within the one process that lives longest: its last quarter against its second. */
export function longLife(samples) {
  const of = samples.filter(({ life }) => life === 'long')
  const quarter = Math.floor(of.length / 4)
  if (quarter === 0) return []
  return [
    ['rss MiB', ({ rss }) => rss / MIB, 1.15, 24],
    ['heap MiB', ({ heap }) => heap / MIB, 1.15, 8],
    ['descriptors', ({ descriptors }) => descriptors, 1, PINNED],
  ].map(([name, value, factor, slack]) => {
    const early = median(of.slice(quarter, 2 * quarter).map(value))
    const late = median(of.slice(-quarter).map(value))
    const limit = early * factor + slack
    return { what: `${name} of one long life`, early, late, limit, flat: late <= limit }
  })
}
