import type { ChainedCommit } from '../../entry/commit.ts'
import { receiptFiles } from '../../transaction/receipt.ts'
import { TAGS } from './attribution.ts'

/** What one prompt came to. */
export interface PromptSummary {
  /** The `parent` of its transactions. */
  readonly prompt: string
  readonly session: string | null
  /** The beginning of it; null where it was not heard. */
  readonly text: string | null
  /** Of its first and its last transaction, milliseconds since 1970. */
  readonly since: number
  readonly until: number
  readonly transactions: number
  /** Paths that it changed, in alphabetical order. */
  readonly files: readonly string[]
}

/**
 * The prompts that a history tells of, the one that was last heard of first. A transaction belongs to a prompt of the runtime when it has a parent and the
 * tag of a session.
 * @param history newest first
 */
export async function promptsIn(history: AsyncIterable<ChainedCommit>, limit: number): Promise<PromptSummary[]> {
  const prompts = new Map<string, { -readonly [K in keyof PromptSummary]: PromptSummary[K] } & { paths: Set<string> }>()
  for await (const { parent, tags = [], time, entries } of history) {
    const session = tagged(tags, TAGS.session)
    if (parent === undefined || session === null) continue
    const known = prompts.get(parent)
    // The transactions of a prompt may stand between those of another.
    if (known === undefined && prompts.size === limit) continue
    const text = tagged(tags, TAGS.text)
    const prompt = known ?? {
      ...{ prompt: parent, session, text, since: time, until: time, transactions: 0 },
      ...{ files: [], paths: new Set<string>() },
    }
    prompt.text ??= text
    prompt.since = time
    prompt.transactions += 1
    for (const { path } of receiptFiles(entries)) prompt.paths.add(path)
    prompts.set(parent, prompt)
  }
  return [...prompts.values()].map(({ paths, ...prompt }) => ({ ...prompt, files: [...paths].sort() }))
}

function tagged(tags: readonly string[], start: string): string | null {
  return tags.find((tag) => tag.startsWith(start))?.slice(start.length) ?? null
}
