import { describe, expect, it } from 'vitest'
import { JournalError, openJournal } from '../../src/index.ts'
import { momentOf, recoverAndCheck } from './aftermath.ts'
import { OPERATION_KINDS, type OperationKind } from './faults.ts'
import { diskOf, type Program, ROOT } from './program.ts'
import { Random } from './random.ts'
import { rehearse, type Span } from './rehearsal.ts'
import type { SimDisk } from './sim-disk.ts'

/** Every operation of a transaction, a large content, an undo, a checkpoint, and transactions at the same time. */
const PROGRAM: Program = {
  seed: 1,
  steps: [
    {
      kind: 'commit',
      calls: [
        { op: 'write', path: 'g/h', content: 'word\n' },
        { op: 'append', path: 'a', content: 'more\n' },
        { op: 'edit', path: 'd/a', newText: 'edited' },
        { op: 'symlink', path: 'link', target: 'a' },
        { op: 'mkdir', path: 'c' },
        { op: 'chmod', path: 'd/a', mode: 0o700 },
      ],
    },
    {
      kind: 'commit',
      calls: [
        { op: 'write', path: 'b', content: 'large' },
        { op: 'rename', path: 'g/h', to: 'd/b' },
        { op: 'remove', path: 'd/e' },
      ],
    },
    { kind: 'undo', back: 0 },
    { kind: 'checkpoint' },
    {
      kind: 'together',
      lanes: [[{ op: 'write', path: 'a', content: 'one\n' }], [{ op: 'write', path: 'a', content: 'two\n' }]],
    },
    { kind: 'commit', calls: [{ op: 'write', path: 'a', content: 'last\n' }] },
  ],
  segmentSize: 16 * 1024,
  durability: 'full',
  exchange: true,
  link: true,
  metadataSync: false,
  blockingSync: false,
  shortWrites: false,
}
/** Without exchange and links other operations do the work. */
const PLAIN: Program = { ...PROGRAM, exchange: false, link: false }
const CODES = ['EIO', 'ENOSPC', 'EACCES'] as const
const nothing = () => undefined

/** Lets the k-th operation of a kind fail, 1, 2, 3 …, until a run passes without having come so far. */
async function untilItPasses(
  kind: OperationKind,
  run: (fail: (disk: SimDisk) => void) => Promise<boolean>,
): Promise<number> {
  for (let k = 1; k < 2000; k += 1) {
    const code = CODES[k % CODES.length] ?? 'EIO'
    for (const persistent of [false, true]) {
      const reached = await run((disk) => disk.faults.failAt(k, code, { kinds: [kind], persistent }))
      if (!reached) return k - 1
    }
  }
  throw new Error('it never passed')
}

/** Did as many operations of the kind come as were waited for? */
const fired = (disk: SimDisk, kind: OperationKind, before: number): boolean =>
  (disk.faults.trace ?? []).filter((operation) => operation.kind === kind).length >= before

describe.each([
  ['with exchange and links', PROGRAM],
  ['with neither', PLAIN],
])('each operation fails in turn, once and for ever, %s', (_, program) => {
  it.each(OPERATION_KINDS)('%s, while a program runs', async (kind) => {
    const undisturbed = await rehearse(program, diskOf(program), nothing)
    let at = 0
    await untilItPasses(kind, async (fail) => {
      at += 0.5
      const disk = diskOf(program)
      disk.faults.trace = []
      fail(disk)
      let span: Span | null = null
      await rehearse(
        program,
        disk,
        (begun) => {
          span = begun
        },
        undisturbed,
      )
      const reached = fired(disk, kind, Math.ceil(at))
      disk.faults.heal()
      if (span !== null) await recoverAndCheck(disk, momentOf(span), program, new Random(1), nothing)
      return reached
    })
  })

  it.each(OPERATION_KINDS)('%s, while a recovery runs', async (kind) => {
    const images: { disk: SimDisk; span: Span; acknowledged: readonly string[] }[] = []
    const disk = diskOf(program)
    let span: Span | null = null
    let changes = 0
    disk.faults.atChange = () => {
      changes += 1
      if (span !== null && changes % 23 === 0) images.push({ disk: disk.crash('process'), ...momentOf(span) })
    }
    await rehearse(program, disk, (begun) => {
      span = begun
    })
    for (const { disk: image, ...moment } of images) {
      let at = 0
      await untilItPasses(kind, async (fail) => {
        at += 0.5
        const left = image.copy()
        left.faults.trace = []
        fail(left)
        try {
          await (await openJournal(ROOT, { disk: left, segmentSize: program.segmentSize })).close()
        } catch (error) {
          expect(error).toBeInstanceOf(JournalError)
        }
        expect(left.openHandles).toEqual([])
        const reached = fired(left, kind, Math.ceil(at))
        left.faults.heal()
        await recoverAndCheck(left, moment, program, new Random(1), nothing)
        return reached
      })
    }
  })
})
