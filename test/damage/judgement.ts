import { isDeepStrictEqual } from 'node:util'
import type { ChainedCommit } from '../../src/entry/commit.ts'
import type { VerifyReport } from '../../src/index.ts'
import { differences } from '../sim/tree.ts'
import type { Answer, Answers } from './answers.ts'

/**
 * `harmless`: every answer is that of the undamaged journal. `named`: somebody who asks is told by a typed error, or by a problem that verify
 * lists. `torn`: the end is taken for a write that never finished, and that is said. `unseen`: the end was cut off neatly behind all that
 * anything else on the disk knows of, so nothing can tell; only where that is allowed.
 */
export type Verdict = 'harmless' | 'named' | 'torn' | 'unseen'

/** Codes by which a damaged journal may refuse. */
const REFUSALS: ReadonlySet<string> = new Set([
  'CORRUPT',
  'NEWER_FORMAT',
  'FOREIGN',
  'NOT_FOUND',
  'PERMISSION',
  'IO',
  'INVALID',
])

function withoutTorn(value: unknown): unknown {
  const { tornBytes: _, ...rest } = value as VerifyReport
  return rest
}

function same(question: string, a: Answer, b: Answer): boolean {
  if (a.is === 'error' && b.is === 'error') return a.error.code === b.error.code && a.error.message === b.error.message
  if (a.is !== 'value' || b.is !== 'value') return false
  // Bytes behind the end are no part of the history.
  if (question === 'verify') return isDeepStrictEqual(withoutTorn(a.value), withoutTorn(b.value))
  return isDeepStrictEqual(a.value, b.value)
}

function isPrefix(shorter: readonly ChainedCommit[], whole: readonly ChainedCommit[]): boolean {
  return isDeepStrictEqual(shorter, whole.slice(0, shorter.length))
}

/** @throws Error that says what answer was wrong */
export function judge(good: Answers, bad: Answers, unprovable = false): Verdict {
  const torn = (bad.report?.tornBytes ?? 0) > (good.report?.tornBytes ?? 0)
  const wrong = (what: string, answer: Answer): never => {
    const said = answer.is === 'error' ? `${answer.error.code} ${answer.error.message}` : answer
    throw new Error(
      `${what}: ${said instanceof Object && 'fault' in said ? (said.fault as Error).stack : JSON.stringify(said)?.slice(0, 600)}`,
    )
  }
  let different = 0
  const check = (side: 'reading' | 'writing', said: boolean): void => {
    for (const [question, answer] of bad[side]) {
      if (answer.is === 'fault') wrong(`untyped: ${side} ${question}`, answer)
      const expected = good[side].get(question)
      if (expected === undefined) wrong(`not asked: ${side} ${question}`, answer)
      if (same(question, expected as Answer, answer)) continue
      different += 1
      if (answer.is === 'error') {
        if (!REFUSALS.has(answer.error.code) || answer.error.hint === '')
          wrong(`odd refusal: ${side} ${question}`, answer)
        continue
      }
      if (question === 'verify' && !(answer.is === 'value' && (answer.value as VerifyReport).ok)) continue
      // Only a torn end makes any answer another, and that must be said.
      if (!said) wrong(`wrong answer: ${side} ${question}`, answer)
      if (question === 'history' && answer.is === 'value' && expected?.is === 'value') {
        const whole = expected.value as ChainedCommit[]
        if (!isPrefix(answer.value as ChainedCommit[], whole)) wrong(`wrong history: ${side}`, answer)
      }
      if (question.startsWith('readAt')) wrong(`wrong content: ${side} ${question}`, answer)
    }
  }
  check('reading', torn || unprovable)
  check('writing', bad.tornBytes > good.tornBytes || unprovable)
  const moved = differences(good.tree, bad.tree)
  if (moved.length > 0) throw new Error(`the workspace was changed: ${moved.join('; ')}`)
  if (different === 0) return 'harmless'
  if (bad.report === null || !bad.report.ok || bad.writing.get('open')?.is === 'error') return 'named'
  if (torn) return 'torn'
  if (unprovable) return 'unseen'
  throw new Error(`verify finds nothing wrong, yet ${different} answers differ`)
}
