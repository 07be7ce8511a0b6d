/** What is looked at before a write. */
export type CheckName = 'path' | 'permission' | 'space' | 'lock' | 'encoding' | 'syntax' | 'dependencies'

/**
 * How much each check counts. Those that a commit fails by count most: paths and permissions are certain, space and locks may change before the
 * commit. The others say what will be wrong once it is written.
 */
export const WEIGHTS: Readonly<Record<CheckName, number>> = {
  path: 0.2,
  permission: 0.2,
  space: 0.15,
  lock: 0.15,
  encoding: 0.1,
  syntax: 0.1,
  dependencies: 0.1,
}

/** Something that speaks against a write. */
export interface Reason {
  readonly path?: string | undefined
  readonly message: string
  readonly line?: number
  readonly column?: number
  /** Would a commit be refused for it? */
  readonly refuses: boolean
  /** Further facts, by name. */
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

export interface SafetyCheck {
  readonly name: CheckName
  readonly weight: number
  /** From 0 to 1. */
  readonly score: number
  readonly reasons: readonly Reason[]
}

export interface SafetyReport {
  /** Would a commit go through, as things are now? */
  readonly ok: boolean
  /** The weighted mean of the checks; 0 when a commit would be refused. */
  readonly score: number
  readonly checks: readonly SafetyCheck[]
  /** Paths that would change. */
  readonly paths: number
  /** Bytes that would be written into the workspace. */
  readonly bytes: number
}

/** A check of `total` things: the share of those without a reason; `least` instead of less. */
export function checkOf(name: CheckName, total: number, reasons: readonly Reason[], least = 0): SafetyCheck {
  const touched = new Set(reasons.map(({ path, message }) => path ?? message)).size
  const share = total === 0 ? (touched === 0 ? 1 : 0) : Math.max(0, 1 - touched / total)
  return { name, weight: WEIGHTS[name], score: rounded(Math.max(share, reasons.length === 0 ? 1 : least)), reasons }
}

export function reportOf(checks: readonly SafetyCheck[], paths: number, bytes: number): SafetyReport {
  const ok = !checks.some(({ reasons }) => reasons.some(({ refuses }) => refuses))
  const sum = checks.reduce((total, { weight }) => total + weight, 0)
  const mean = checks.reduce((total, { weight, score }) => total + weight * score, 0) / sum
  return { ok, score: ok ? rounded(mean) : 0, checks, paths, bytes }
}

function rounded(score: number): number {
  return Math.round(score * 1000) / 1000
}
