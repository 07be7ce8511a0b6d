import type { ChainedCommit, Commit, Meta, Of } from '../entry/commit.ts'

/** A commit that has no place in the history yet. */
export type Unplaced = Pick<Commit, 'tx' | 'kind' | 'entries'> & { readonly of?: Of | undefined } & {
  readonly [K in keyof Meta]?: Commit[K] | undefined
}

/** Every key in the same order: all commits have one shape, however little is said of them. */
export function commitOf(unplaced: Unplaced, seq: number, time: number, done: number): Writable<ChainedCommit> {
  const { tx, kind, of: named, actor, message, tags, parent, entries } = unplaced
  const [of, about] = typeof named === 'object' ? [undefined, named] : [named, undefined]
  return {
    tx,
    seq,
    time,
    kind,
    of,
    about,
    actor,
    message,
    tags,
    parent,
    done,
    entries,
    chain: '',
  } as Writable<ChainedCommit>
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
