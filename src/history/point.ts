import { JournalError } from '../errors.ts'
import { droppedError } from '../store/base.ts'
import type { HistoryIndex } from './history-index.ts'
import type { At } from './query.ts'

const FORMS =
  "Give a transaction id (or its first characters, at least 4), a number, 'head', an ISO 8601 time such as 2026-05-01T09:30, or an age such as 30s, 10m, 2h, 3d, 1w."
const TX = /^t[0-9a-z]{3,15}$/
const AGE = /^(\d{1,12})(s|m|h|d|w)$/
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const TIME = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:?\d{2})?)?$/
/** Candidates named in an error. */
const NAMED = 5

/**
 * The number of the last transaction at a point; 0 when the point lies before the first. Times without a zone are local, a date alone
 * is its midnight. A time that falls on several transactions means the last of them.
 * @param now milliseconds since 1970, for ages.
 * @throws JournalError `INVALID` for text in no known form or an ambiguous id; `NOT_FOUND` for a number or an id that is not there.
 */
export async function resolvePoint(index: HistoryIndex, at: At, now: number): Promise<number> {
  const head = await index.head()
  if (at instanceof Date) return atTime(index, head.seq, checkedTime(at.getTime(), String(at)))
  if (typeof at === 'number') return present(index, atNumber(at, head.seq))
  const text = at.trim()
  if (text === 'head') return head.seq
  if (/^\d{1,15}$/.test(text)) return present(index, atNumber(Number(text), head.seq))
  if (TX.test(text)) return atTransaction(index, text)
  const age = AGE.exec(text)
  if (age !== null) return atTime(index, head.seq, now - Number(age[1]) * (UNIT_MS[age[2] as string] as number))
  return atTime(index, head.seq, timeOf(text))
}

/**
 * The number of the one transaction that is named by id, beginning of an id, or number.
 * @throws JournalError `NOT_FOUND`, `INVALID`.
 */
export async function resolveTransaction(index: HistoryIndex, ref: string | number): Promise<number> {
  const { seq: newest } = await index.head()
  const text = typeof ref === 'string' ? ref.trim() : typeof ref === 'number' ? String(ref) : ''
  const seq =
    text === 'head'
      ? newest
      : /^\d{1,15}$/.test(text)
        ? atNumber(Number(text), newest)
        : TX.test(text)
          ? await atTransaction(index, text)
          : null
  if (seq === null) {
    throw new JournalError('INVALID', `'${text}' is no transaction`, {
      hint: 'Give a transaction id, its first characters (at least 4), or its number.',
    })
  }
  if (seq === 0) {
    throw new JournalError('NOT_FOUND', 'there is no transaction 0: it stands for the time before the first', {
      hint: "See 'journal log' for the transactions there are.",
    })
  }
  return seq
}

/** What stood at a number that is lost, or was dropped, nobody knows. */
async function present(index: HistoryIndex, seq: number): Promise<number> {
  await index.requirePoint(seq)
  return seq
}

function atNumber(seq: number, newest: number): number {
  if (!Number.isSafeInteger(seq) || seq < 0) {
    throw new JournalError('INVALID', `${seq} is no transaction number`, { hint: FORMS })
  }
  if (seq > newest) {
    throw new JournalError('NOT_FOUND', `there is no transaction ${seq}: the newest is ${newest}`, {
      hint: "See 'journal log' for the transactions there are.",
    })
  }
  return seq
}

async function atTransaction(index: HistoryIndex, prefix: string): Promise<number> {
  const found = await index.byId(prefix, NAMED + 1)
  const exact = found.find(({ tx }) => tx === prefix)
  const [first] = found
  if (exact !== undefined) return exact.seq
  if (first === undefined) {
    const { horizon } = index
    const dropped = horizon === null ? '' : ` Those up to number ${horizon.seq} were dropped by retention.`
    throw new JournalError('NOT_FOUND', `there is no transaction ${prefix}`, {
      hint: `See 'journal log' for the transactions there are.${dropped}`,
      tx: prefix,
    })
  }
  if (found.length === 1) return first.seq
  const named = found.slice(0, NAMED).map(({ tx }) => tx)
  const more = found.length > NAMED ? ' and more' : ''
  throw new JournalError(
    'INVALID',
    `'${prefix}' is the beginning of several transactions: ${named.join(', ')}${more}`,
    {
      hint: 'Give more of its characters.',
      details: { candidates: named },
    },
  )
}

function checkedTime(time: number, text: string): number {
  if (Number.isNaN(time)) throw new JournalError('INVALID', `'${text}' is no point in the history`, { hint: FORMS })
  return time
}

function timeOf(text: string): number {
  const match = TIME.exec(text)
  if (match === null) throw new JournalError('INVALID', `'${text}' is no point in the history`, { hint: FORMS })
  const [, year, month, day, clock = '00:00', zone = ''] = match
  const date = `${year}-${month}-${day}`
  // Date.parse takes the 30th of February for the 1st of March.
  const calendar = new Date(`${date}T00:00Z`)
  if (Number.isNaN(calendar.getTime()) || calendar.toISOString().slice(0, 10) !== date)
    return checkedTime(Number.NaN, text)
  const colon = /^[+-]\d{4}$/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone
  return checkedTime(Date.parse(`${date}T${clock}${colon}`), text)
}

/** Times in the log never decrease, so they can be searched by halves. */
async function atTime(index: HistoryIndex, newest: number, time: number): Promise<number> {
  const { horizon } = index
  let low = horizon?.seq ?? 0
  let high = newest
  if (horizon !== null && time < horizon.time)
    throw droppedError(`what was there at ${new Date(time).toISOString()} is not known any more`, horizon)
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((await index.record(middle)).time <= time) low = middle
    else high = middle - 1
  }
  return low
}
