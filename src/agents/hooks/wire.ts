import type { HookEvent } from './hook-event.ts'

/** Bytes of one message between a hook and the helper; paths are the longest of what it holds. */
export const MAX_MESSAGE = 64 * 1024

/** What a hook asks of the helper, as one line of JSON. */
export interface HookRequest {
  /** Of the package that asks: a helper of an older one ends, so that a newer takes its place. */
  readonly version: string
  readonly root: string
  /** Null: only asks who is there. */
  readonly event: HookEvent | null
}

/** What the helper answers, as one line of JSON. */
export type HookAnswer =
  /** Done, or safely noted. */
  | { readonly done: true; readonly pid: number; readonly version: string }
  /** It could not be done; there is a trace of it. */
  | { readonly done: false; readonly code: string; readonly message: string }
  /** The helper is ending: start another. */
  | { readonly ending: true }
