import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hookFolder, makeHookFolder } from './hook-folder.ts'

/** A tool call between its beginning and its end. */
export interface OpenCall {
  readonly id: string
  readonly tool: string
  /** What it writes, relative to the workspace; null: it may write anything. */
  readonly paths: readonly string[] | null
  readonly session: string
  readonly agent: string | null
  readonly actor: string
  /** The prompt that it works for. */
  readonly prompt: string | null
  /** The beginning of the prompt. */
  readonly text: string | null
  /** What it does, in a few words. */
  readonly title: string
  /** Milliseconds since 1970. */
  readonly since: number
}

/** What a session works on. */
export interface CurrentPrompt {
  readonly session: string
  readonly prompt: string
  readonly text: string
  readonly since: number
}

/** Milliseconds after which what nobody ended is forgotten. */
const FORGOTTEN_MS = 24 * 3_600_000

/**
 * Which calls run and which prompts are worked on, in small files: the halves of a call, and its prompt, are heard by different processes. Nothing depends
 * on them but to whom a change is put down, so they are not synced, and one that cannot be read is as good as none.
 */
class Notes<T extends { readonly since: number }> {
  readonly #root: string
  readonly #name: string

  constructor(root: string, name: string) {
    this.#root = root
    this.#name = name
  }

  put(id: string, note: T): void {
    makeHookFolder(this.#root, this.#name)
    const path = this.#path(id)
    writeFileSync(`${path}.new`, JSON.stringify(note), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }

  get(id: string): T | null {
    return this.#read(this.#path(id))
  }

  drop(id: string): void {
    rmSync(this.#path(id), { force: true })
  }

  /** Oldest first. */
  all(): T[] {
    let names: string[]
    try {
      names = readdirSync(this.#folder)
    } catch {
      return []
    }
    const notes: T[] = []
    for (const name of names.filter((name) => name.endsWith('.json'))) {
      const path = join(this.#folder, name)
      const note = this.#read(path)
      if (note === null || Date.now() - note.since > FORGOTTEN_MS) rmSync(path, { force: true })
      else notes.push(note)
    }
    return notes.sort((one, other) => one.since - other.since)
  }

  get #folder(): string {
    return join(hookFolder(this.#root), this.#name)
  }

  #read(path: string): T | null {
    try {
      const note = JSON.parse(readFileSync(path, 'utf8')) as T
      return typeof note?.since === 'number' ? note : null
    } catch {
      return null
    }
  }

  #path(id: string): string {
    return join(this.#folder, `${createHash('sha256').update(id).digest('hex').slice(0, 32)}.json`)
  }
}

export function openCalls(root: string): Notes<OpenCall> {
  return new Notes<OpenCall>(root, 'calls')
}

export function currentPrompts(root: string): Notes<CurrentPrompt> {
  return new Notes<CurrentPrompt>(root, 'prompts')
}
