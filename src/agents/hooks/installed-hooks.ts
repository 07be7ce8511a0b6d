import { jsonTree } from '../../edit/json-tree.ts'
import { isList, isTable, type PlainTable, type PlainValue } from '../../edit/plain-value.ts'
import { changedSettings } from '../../edit/settings/changed-settings.ts'
import { jsonSettings } from '../../edit/settings/json-settings.ts'
import { checkedSettings, type SettingChange } from '../../edit/settings/setting-change.ts'
import { JournalError } from '../../errors.ts'
import { HOOK_EVENTS, type HookEventName } from './hook-event.ts'

/** What a settings file is that nobody has written yet. */
const EMPTY = '{}\n'
/** Seconds that the runtime gives a hook: more than it takes, for a first look at a large tree. */
const TIMEOUT_S = 30
/** Names without any other character are compared as they are; anything else is a regular expression. */
const MATCHERS = ['Write|Edit|MultiEdit|NotebookEdit|Bash|PowerShell', 'mcp__.*']
const OF_TOOLS: ReadonlySet<HookEventName> = new Set(['PreToolUse', 'PostToolUse', 'PostToolUseFailure'])
/** A command that ends in this is ours, however the program is found. */
const OURS = /(?:\bjournal(?:\.cmd)?|[\\/]cli[\\/]main\.js)["']?\s+hook(?:\s+--init)?\s*$/

export function isHookCommand(command: string): boolean {
  return OURS.test(command)
}

/** One of our hooks as it stands in a settings file. */
export interface InstalledHook {
  readonly event: string
  readonly matcher: string | null
  readonly command: string
}

/**
 * Settings with our hooks in them; all else stays byte for byte. The same text when they are there already.
 * @param text what the file holds; null when there is none
 * @throws JournalError `INVALID` with the line, when it is no plain JSON or says something else than settings do
 */
export async function withHooks(text: string | null, path: string, command: string): Promise<string> {
  const before = text ?? EMPTY
  const wanted = wantedHooks(command)
  if (sameHooks(await installedHooks(before, path), wanted)) return before
  let now = await withoutHooks(before, path)
  for (const { event, matcher } of wanted) {
    const { hooks } = await read(now, path)
    const at = isTable(hooks) && isList(hooks[event]) ? hooks[event].length : 0
    const group: PlainTable = {
      ...(matcher === null ? {} : { matcher }),
      hooks: [{ type: 'command', command, timeout: TIMEOUT_S }],
    }
    const change: SettingChange =
      at === 0 && !(isTable(hooks) && isList(hooks[event]))
        ? { key: ['hooks', event], value: [group] }
        : { key: ['hooks', event, at], value: group }
    now = await changed(now, [change], path)
  }
  return now
}

/** Settings without our hooks, and without what held nothing else. @throws JournalError as `withHooks` */
export async function withoutHooks(text: string, path: string): Promise<string> {
  let now = text
  for (let key = placeOfOurs(await read(now, path)); key !== null; key = placeOfOurs(await read(now, path))) {
    now = await changed(now, [{ key, delete: true }], path)
  }
  return now
}

/** True for a file that `withHooks` made from nothing. */
export async function isAllOurs(text: string, path: string): Promise<boolean> {
  const [first] = await installedHooks(text, path)
  return first !== undefined && (await withHooks(null, path, first.command)) === text
}

/** In the order of the file. @throws JournalError as `withHooks` */
export async function installedHooks(text: string, path: string): Promise<InstalledHook[]> {
  const { hooks } = await read(text, path)
  return groupsOf(hooks).flatMap(({ event, group }) =>
    commandsOf(group)
      .filter(({ command }) => isHookCommand(command))
      .map(({ command }) => ({ event, matcher: typeof group.matcher === 'string' ? group.matcher : null, command })),
  )
}

/** Does the file turn all hooks off? */
export async function hooksDisabled(text: string, path: string): Promise<boolean> {
  return (await read(text, path)).disableAllHooks === true
}

function wantedHooks(command: string): InstalledHook[] {
  return HOOK_EVENTS.flatMap((event) =>
    (OF_TOOLS.has(event) ? MATCHERS : [null]).map((matcher) => ({ event, matcher, command })),
  )
}

function sameHooks(one: readonly InstalledHook[], other: readonly InstalledHook[]): boolean {
  const named = (hooks: readonly InstalledHook[]) => hooks.map((hook) => JSON.stringify(hook)).sort()
  return JSON.stringify(named(one)) === JSON.stringify(named(other))
}

interface Group {
  readonly event: string
  readonly at: number
  readonly group: PlainTable
}

function groupsOf(hooks: PlainValue | undefined): Group[] {
  if (!isTable(hooks)) return []
  return Object.entries(hooks).flatMap(([event, groups]) =>
    isList(groups) ? groups.flatMap((group, at) => (isTable(group) ? [{ event, at, group }] : [])) : [],
  )
}

function commandsOf(group: PlainTable): { readonly at: number; readonly command: string }[] {
  if (!isList(group.hooks)) return []
  return group.hooks.flatMap((hook, at) =>
    isTable(hook) && typeof hook.command === 'string' ? [{ at, command: hook.command }] : [],
  )
}

/** The outermost that holds nothing but one of ours. */
function placeOfOurs(settings: PlainTable): (string | number)[] | null {
  for (const { event, at, group } of groupsOf(settings.hooks)) {
    const ours = commandsOf(group).find(({ command }) => isHookCommand(command))
    if (ours === undefined) continue
    const hooks = settings.hooks as PlainTable
    if ((group.hooks as readonly PlainValue[]).length > 1) return ['hooks', event, at, 'hooks', ours.at]
    if ((hooks[event] as readonly PlainValue[]).length > 1) return ['hooks', event, at]
    return Object.keys(hooks).length > 1 ? ['hooks', event] : ['hooks']
  }
  return null
}

async function read(text: string, path: string): Promise<PlainTable> {
  // Where the runtime finds a comment or a mistake it may take no setting at all: that is for a person to put right.
  await jsonTree(text, path, false)
  const value: unknown = JSON.parse(text)
  if (!isTable(value)) throw refused(path, 'it holds no JSON object')
  const { hooks } = value
  if (hooks === undefined) return value
  if (!isTable(hooks)) throw refused(path, 'its hooks are no JSON object')
  for (const [event, groups] of Object.entries(hooks)) {
    if (!isList(groups)) throw refused(path, `its hooks.${event} is no list`)
  }
  return value
}

function changed(text: string, changes: readonly SettingChange[], path: string): Promise<string> {
  return changedSettings(text, checkedSettings(path, changes), path, jsonSettings)
}

function refused(path: string, what: string): JournalError {
  return new JournalError('INVALID', `${path}: ${what}`, { hint: 'Correct the file first. Nothing was changed.', path })
}
