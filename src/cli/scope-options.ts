import type { ScopeOptions } from '../capture/collect-options.ts'
import type { LeftOut, LeftOutReason } from '../capture/left-out.ts'
import { byteAmount, collect } from './declaration.ts'
import { counted } from './measure.ts'
import type { Output } from './output.ts'
import { present } from './present.ts'
import { printable } from './printable.ts'

/** Options that say what of the workspace is taken in. */
export interface ScopeFlags {
  readonly ignore?: readonly string[]
  readonly maxFile?: number
  /** Commander's way to say `--no-gitignore`. */
  readonly gitignore?: boolean
  readonly defaults?: boolean
}

export const SCOPE_ROWS = [
  ['--ignore <pattern>', 'leave out what fits, as in .gitignore; ! takes in; may be repeated', collect],
  ['--max-file <bytes>', 'leave out larger files; default 64M', byteAmount],
  ['--no-gitignore', 'take in what .gitignore files leave out'],
  ['--no-defaults', 'take in .git and node_modules'],
] as const

export function scopeOf({ ignore, maxFile, gitignore, defaults }: ScopeFlags): ScopeOptions {
  return present<ScopeOptions>({ ignore, maxFileBytes: maxFile, gitignore, defaults })
}

const WORDS: Readonly<Record<LeftOutReason, string>> = {
  busy: 'kept changing; the next look takes it in',
  unreadable: 'may not be read',
  size: 'larger than the limit',
  name: 'a name or target that is no text',
  kind: 'a device, a pipe or a socket',
  journal: 'a workspace of its own',
  pattern: 'left out by --ignore',
  ignored: 'left out by the rules',
}
/** What the rules leave out is expected to be. */
const EXPECTED: readonly LeftOutReason[] = ['ignored', 'pattern']
const NAMED = 5

/** What was left out, for a person: by reason, what was not to be expected by name. */
export function leftOutText({ groups }: LeftOut, output: Output): string[] {
  return groups.flatMap(({ reason, count, paths }) => {
    const line = output.colors.dim(`left out ${counted(count, 'path')}: ${WORDS[reason]}`)
    if (EXPECTED.includes(reason)) return [line]
    const more = count > NAMED ? [`  and ${count - NAMED} more`] : []
    return [line, ...paths.slice(0, NAMED).map((path) => `  ${printable(path)}`), ...more]
  })
}
