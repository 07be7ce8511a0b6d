import type { Meta } from '../../entry/commit.ts'
import type { OpenCall } from './open-calls.ts'

/** Who is said to have made changes that no call was running for. */
export const OUTSIDE = 'outside'

/** Of changes that somebody else made, before a tool could overwrite them. */
export function outsideMeta(atStart: boolean): Meta {
  return { actor: OUTSIDE, message: atStart ? 'found when a session started' : 'changed outside of Claude Code' }
}

/** What the history says of changes that one of these calls made, most likely the first: nobody can tell. */
export function metaOfCalls(calls: readonly [OpenCall, ...OpenCall[]]): Meta {
  const [first] = calls
  const tags = calls.flatMap((call) => tagsOf(call))
  return {
    actor: calls.every(({ actor }) => actor === first.actor) ? first.actor : ACTOR,
    message: [...new Set(calls.map(({ title }) => title))].join(' · '),
    tags: [...new Set(tags)],
    ...(first.prompt !== null ? { parent: first.prompt } : {}),
  }
}

export const ACTOR = 'claude-code'
export const TAGS = { session: 'session:', tool: 'tool:', call: 'call:', agent: 'agent:', text: 'prompt:' } as const

function tagsOf({ session, tool, id, agent, text }: OpenCall): string[] {
  return [
    TAGS.session + session,
    TAGS.tool + tool,
    TAGS.call + id,
    ...(agent === null ? [] : [TAGS.agent + agent]),
    ...(text === null || text === '' ? [] : [TAGS.text + text]),
  ]
}
