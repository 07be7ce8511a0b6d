import { describe, expect, it } from 'vitest'
import { effectsOf } from '../../src/entry/effects.ts'
import type { Entry } from '../../src/entry/entry.ts'
import { changesOf } from '../../src/entry/entry.ts'
import type { FileState, State } from '../../src/entry/state.ts'

const file = (name: string, mode = 0o644): FileState => ({
  kind: 'file',
  hash: name.repeat(64).slice(0, 64),
  size: 1,
  mode,
})
const A = file('a')
const B = file('b')
const dir: State = { kind: 'dir', mode: 0o755 }
const write = (path: string, before: State, after: State): Entry => ({ op: 'write', path, before, after })
const rename = (path: string, to: string, before: State, replaced: State = null): Entry => ({
  op: 'rename',
  path,
  to,
  before,
  replaced,
  after: before,
})

describe('the effects of entries', () => {
  it('fold several changes of a path into one', () => {
    expect(effectsOf([write('x', null, A), write('x', A, B)])).toEqual([{ path: 'x', before: null, after: B }])
  })

  it('leave out what ends as it began', () => {
    expect(effectsOf([write('x', A, B), write('x', B, A)])).toEqual([])
    expect(effectsOf([rename('x', 'y', A), rename('y', 'x', A)])).toEqual([])
    expect(effectsOf([write('x', null, A), { op: 'remove', path: 'x', before: A, after: null }])).toEqual([])
  })

  it('know a file that can be moved', () => {
    expect(effectsOf([rename('x', 'y', A, B)])).toEqual([
      { path: 'x', before: A, after: null },
      { path: 'y', before: B, after: A, movedFrom: 'x' },
    ])
  })

  it('follow a file through several moves', () => {
    expect(effectsOf([rename('x', 'y', A), rename('y', 'z', A)])).toEqual([
      { path: 'x', before: A, after: null },
      { path: 'z', before: null, after: A, movedFrom: 'x' },
    ])
  })

  it.each<[string, Entry[]]>([
    ['was changed after', [rename('x', 'y', A), write('y', A, B)]],
    ['was changed before', [write('x', A, B), rename('x', 'y', B)]],
    ['stands at its old place again', [rename('x', 'y', A), write('x', null, B)]],
    ['was made by this very transaction', [write('x', null, A), rename('x', 'y', A)]],
    ['swapped places with another', [rename('x', 't', A), rename('y', 'x', B), rename('t', 'y', A)]],
  ])('do not move a file that %s', (_, entries) => {
    for (const effect of effectsOf(entries)) expect(effect.movedFrom).toBeUndefined()
  })

  it('are nothing for what was only preserved', () => {
    expect(effectsOf([{ op: 'preserve', path: 'x', before: A, after: A }])).toEqual([])
    expect(changesOf({ op: 'preserve', path: 'x', before: A, after: A })).toEqual([])
  })

  it('see a change of mode, and of kind', () => {
    const mode: Entry = { op: 'chmod', path: 'x', before: A, after: { ...A, mode: 0o600 } }
    expect(effectsOf([mode])).toHaveLength(1)
    expect(
      effectsOf([
        { op: 'remove', path: 'x', before: A, after: null },
        { op: 'mkdir', path: 'x', before: null, after: dir },
      ]),
    ).toEqual([{ path: 'x', before: A, after: dir }])
  })
})
