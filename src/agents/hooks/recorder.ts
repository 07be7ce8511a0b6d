import { randomBytes } from 'node:crypto'
import type { Meta } from '../../entry/commit.ts'
import { ACTOR, metaOfCalls, outsideMeta } from './attribution.ts'
import type { HookCall, HookEvent } from './hook-event.ts'
import { currentPrompts, type OpenCall, openCalls } from './open-calls.ts'
import { recordedPaths } from './recorded-paths.ts'

/** What is to be taken into the history, where it differs from the journal's record. */
export interface Found {
  /** Null: anywhere in the workspace. */
  readonly paths: readonly string[] | null
  readonly meta: Meta
  /** What the journal does not know was there before any tool ran: taking the record back must not remove it. */
  readonly before: boolean
}

/** How long a call counts as running when its end is not heard: longer than commands are let run. */
const OPEN_MS = 15 * 60_000

export type Collect = (found: Found) => Promise<void>

/**
 * What the events of the runtime come to in the history. The tools write the files themselves; so before one runs, what is there is recorded, and when it
 * has run, what it changed. What is found while calls are open was made by them: also when their end is never heard, because they failed or a hook died.
 *
 * Events of one workspace must come one after another.
 */
export class HookRecorder {
  readonly #root: string
  readonly #collect: Collect
  readonly #calls: ReturnType<typeof openCalls>
  readonly #prompts: ReturnType<typeof currentPrompts>

  constructor(root: string, collect: Collect) {
    this.#root = root
    this.#collect = collect
    this.#calls = openCalls(root)
    this.#prompts = currentPrompts(root)
  }

  async record(event: HookEvent): Promise<void> {
    switch (event.name) {
      case 'SessionStart':
        // What the runtime left open when it died; and then the tree as it is, so that the first command need not wait for it.
        await this.#end(event)
        return this.#settle(null, true)
      case 'UserPromptSubmit':
        await this.#end(event)
        return this.#begin(event)
      case 'PreToolUse':
        return this.#before(event, event.call as HookCall)
      case 'PostToolUse':
      case 'PostToolUseFailure':
        return this.#after(event, event.call as HookCall)
      case 'Stop':
        return this.#end(event)
      case 'SessionEnd':
        await this.#end(event)
        return this.#prompts.drop(event.session)
    }
  }

  /** Notes what the session works on now. */
  #begin({ session, prompt, text }: HookEvent): void {
    this.#prompts.put(session, {
      session,
      prompt: prompt ?? `p${randomBytes(8).toString('hex')}`,
      text: text ?? '',
      since: Date.now(),
    })
  }

  async #before(event: HookEvent, call: HookCall): Promise<void> {
    const opened = this.#opened(event, call)
    if (opened.paths === null) {
      await this.#settle(null)
      // An agent runs one such call after another: the one before ended unheard.
      for (const other of this.#calls.all()) {
        if (other.paths === null && other.session === opened.session && other.agent === opened.agent)
          this.#calls.drop(other.id)
      }
    } else if (opened.paths.length === 0) return
    else await this.#settle(opened.paths)
    this.#calls.put(call.id, opened)
  }

  async #after(event: HookEvent, call: HookCall): Promise<void> {
    const begun = this.#calls.get(call.id)
    const ended = begun ?? this.#opened(event, call)
    // Whose beginning was not heard, or could not be recorded, may have found there what nobody knows of.
    const before = begun === null
    if (ended.paths === null) {
      const others = this.#open().filter(({ id }) => id !== call.id)
      await this.#settleFiles(others)
      const alike = others.filter(({ paths }) => paths === null)
      await this.#changedBy(null, [ended, ...alike], before)
    } else if (ended.paths.length > 0) await this.#changedBy(ended.paths, [ended], before)
    this.#calls.drop(call.id)
  }

  /** Calls that may still run. What nobody ended for so long did end, and what is found now is not theirs. */
  #open(): OpenCall[] {
    return this.#calls.all().filter(({ since }) => Date.now() - since < OPEN_MS)
  }

  /** Records what was changed until now, for whoever did: the calls that are open, or somebody outside. `paths`: only there. */
  async #settle(paths: readonly string[] | null, atStart = false): Promise<void> {
    const open = this.#open()
    const [first, ...more] = open.filter((call) => call.paths === null)
    if (paths === null) await this.#settleFiles(open)
    else {
      const writing = open.find((call) => call.paths?.some((path) => paths.includes(path)))
      if (writing !== undefined) return this.#changedBy(paths, [writing])
    }
    if (first === undefined) return this.#collect({ paths, meta: outsideMeta(atStart), before: true })
    return this.#changedBy(paths, [first, ...more])
  }

  #changedBy(
    paths: readonly string[] | null,
    calls: readonly [OpenCall, ...OpenCall[]],
    before = false,
  ): Promise<void> {
    return this.#collect({ paths, meta: metaOfCalls(calls), before })
  }

  async #settleFiles(open: readonly OpenCall[]): Promise<void> {
    for (const call of open) {
      if (call.paths !== null && call.paths.length > 0) await this.#changedBy(call.paths, [call])
    }
  }

  /** The calls of an agent are over, whether their ends were heard or not; with the session, those of all its agents. */
  async #end(event: HookEvent): Promise<void> {
    const all = event.name === 'SessionEnd' || event.name === 'SessionStart'
    const over = this.#calls
      .all()
      .filter(({ session, agent }) => session === event.session && (all || agent === (event.agent ?? null)))
    const open = new Set(this.#open().map(({ id }) => id))
    const recent = over.filter(({ id }) => open.has(id))
    if (recent.some(({ paths }) => paths === null)) await this.#settle(null)
    else await this.#settleFiles(recent)
    for (const { id } of over) this.#calls.drop(id)
  }

  #opened(event: HookEvent, call: HookCall): OpenCall {
    const { session, agent, agentType } = event
    const current = this.#prompts.get(session)
    const prompt = event.prompt ?? current?.prompt ?? null
    const paths = call.path === null ? null : recordedPaths(this.#root, call.path)
    return {
      id: call.id,
      tool: call.tool,
      paths,
      session,
      agent: agent ?? null,
      actor: agent === undefined ? ACTOR : `${ACTOR}/${agentType ?? agent}`,
      prompt,
      text: current !== null && current.prompt === prompt ? current.text : null,
      title: titleOf(call, paths),
      since: Date.now(),
    }
  }
}

function titleOf({ tool, command }: HookCall, paths: readonly string[] | null): string {
  if (paths !== null) return `${tool} ${paths[0] ?? ''}`.trim()
  return command === undefined ? tool : `${tool}: ${command}`
}
