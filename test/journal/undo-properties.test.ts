/** Undo of a random selection: refused, with nothing changed, or the tree that comes of the history without what was selected. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Journal, Receipt } from '../../src/index.ts'
import { JournalError } from '../../src/index.ts'
import '../seed.ts'
import { differences } from '../sim/tree.ts'
import { newDisk, openOn, ROOT, workspace } from './fixture.ts'

const ACTORS = ['ann', 'bob', 'cy'] as const
const PATHS = ['a', 'b', 'd/c'] as const
const LINES = 30

type Change =
  /** Each actor has lines of its own, far from those of others. */
  | { readonly op: 'line'; readonly path: string; readonly line: number; readonly text: string }
  | { readonly op: 'own'; readonly name: string; readonly text: string }
  | { readonly op: 'gone'; readonly name: string }
interface Step {
  readonly actor: (typeof ACTORS)[number]
  readonly changes: readonly Change[]
}

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({
    op: fc.constant('line' as const),
    path: fc.constantFrom(...PATHS),
    line: fc.nat(2),
    text: fc.constantFrom('x', 'y', 'z'),
  }),
  fc.record({ op: fc.constant('own' as const), name: fc.constantFrom('p', 'q/r'), text: fc.constantFrom('1', '2') }),
  fc.record({ op: fc.constant('gone' as const), name: fc.constantFrom('p', 'q/r') }),
)
const step: fc.Arbitrary<Step> = fc.record({
  actor: fc.constantFrom(...ACTORS),
  changes: fc.array(change, { minLength: 1, maxLength: 4 }),
})

type Files = Map<string, string>

const base = (): Files =>
  new Map(PATHS.map((path) => [path, Array.from({ length: LINES }, (_, n) => `${n}\n`).join('')]))

/** What a step makes of the files: the history replayed. */
function apply(files: Files, { actor, changes }: Step): void {
  for (const item of changes) {
    if (item.op === 'line') {
      const lines = (files.get(item.path) as string).split('\n')
      lines[ACTORS.indexOf(actor) * 10 + 2 + item.line * 2] = `${item.text}`
      files.set(item.path, lines.join('\n'))
    } else if (item.op === 'own') files.set(`${actor}/${item.name}`, item.text)
    else files.delete(`${actor}/${item.name}`)
  }
}

async function commit(journal: Journal, files: Files, given: Step): Promise<string | null> {
  const before = new Map(files)
  apply(files, given)
  const receipt = await journal.transact({ actor: given.actor }, async (tx) => {
    for (const [path, content] of files) if (before.get(path) !== content) await tx.write(path, content)
    for (const path of before.keys()) if (!files.has(path)) await tx.remove(path)
  })
  return receipt.files.length > 0 ? receipt.tx : null
}

function filesOf(disk: ReturnType<typeof newDisk>): Record<string, string> {
  const found: [string, string][] = []
  for (const [path, node] of workspace(disk)) {
    if (node.kind === 'file') found.push([path, Buffer.from(disk.readFile(`${ROOT}/${path}`)).toString()])
  }
  return Object.fromEntries(found.sort())
}

const plain = (files: Files): Record<string, string> => Object.fromEntries([...files].sort())

async function begun(steps: readonly Step[]): Promise<{
  disk: ReturnType<typeof newDisk>
  journal: Journal
  made: { readonly step: Step; readonly tx: string | null }[]
}> {
  const disk = newDisk()
  const journal = await openOn(disk)
  const files = base()
  await journal.transact(async (tx) => {
    for (const [path, content] of files) await tx.write(path, content)
  })
  const made: { step: Step; tx: string | null }[] = []
  for (const each of steps) made.push({ step: each, tx: await commit(journal, files, each) })
  return { disk, journal, made }
}

test('all that one actor did: the others are left, as if it had never been', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 8 }),
      fc.constantFrom(...ACTORS),
      async (steps, actor) => {
        const { disk, journal, made } = await begun(steps)
        const before = filesOf(disk)
        const undone = await journal.undo({ actor }).catch((error: unknown) => error)
        if (undone instanceof JournalError) {
          // Nobody else touches what is an actor's own: there is no conflict.
          expect(['NOT_FOUND', 'INVALID']).toContain(undone.code)
          expect(filesOf(disk)).toEqual(before)
        } else {
          const expected = base()
          for (const { step: each } of made) if (each.actor !== actor) apply(expected, each)
          expect(filesOf(disk)).toEqual(plain(expected))
          await journal.redo('head')
          expect(filesOf(disk)).toEqual(before)
          await journal.undo('head')
          expect(filesOf(disk)).toEqual(plain(expected))
        }
        expect((await journal.verify()).problems).toEqual([])
        await journal.close()
      },
    ),
    { numRuns: 40 },
  )
})

test('any selection: refused and nothing changed, or only what was selected is gone', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 8 }),
      fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      fc.constantFrom('refuse', 'keep', 'ours', 'theirs'),
      async (steps, picks, onConflict) => {
        const { disk, journal, made } = await begun(steps)
        const chosen = made.filter(({ tx }, at) => tx !== null && picks[at])
        const before = workspace(disk)
        const files = filesOf(disk)
        const names = chosen.map(({ tx }) => tx as string)
        const preview = names.length === 0 ? null : await journal.undo(names, { dryRun: true }).catch(() => null)
        expect(differences(before, workspace(disk))).toEqual([])
        const outcome = await journal.undo(names, { onConflict }).catch((error: unknown) => error)
        if (outcome instanceof JournalError) expect(differences(before, workspace(disk))).toEqual([])
        else {
          expect(onConflict !== 'refuse' || preview?.conflicts.length === 0).toBe(true)
          if (preview?.conflicts.length === 0) {
            for (const { path, after } of preview.changes) expect((await journal.stateAt(path)) ?? null).toEqual(after)
            // Defined where what was selected did not build on one another: lines and files set once.
            const expected = base()
            for (const each of made) if (!chosen.includes(each)) apply(expected, each.step)
            const overlaid = chosen.some(({ step: each }) =>
              each.changes.some((item) =>
                made.some(
                  (other) =>
                    !chosen.includes(other) &&
                    other.step.actor === each.actor &&
                    other.step.changes.some((its) => its.op !== 'line' || item.op !== 'line' || its.path === item.path),
                ),
              ),
            )
            if (!overlaid) expect(filesOf(disk)).toEqual(plain(expected))
          }
          // To take it back again leaves everything as it was. One that found nothing to do has nothing to be taken back.
          if ((outcome as Receipt).files.length > 0) await journal.undo('head')
          expect(filesOf(disk)).toEqual(files)
        }
        await journal.close()
      },
    ),
    { numRuns: 60 },
  )
})
