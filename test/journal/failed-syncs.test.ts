import { describe, expect, it } from 'vitest'
import { explore } from '../sim/exploration.ts'
import type { Program } from '../sim/program.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { differences } from '../sim/tree.ts'
import { failEverywhere } from './failed-making.ts'
import { failure, newDisk, openOn, ROOT, workspace } from './fixture.ts'

/** What a power cut leaves that keeps nothing but what was synced, once it was recovered. */
async function afterPowerCut(disk: SimDisk): Promise<SimDisk> {
  const left = disk.crash('none')
  const journal = await openOn(left)
  expect(journal.recovery.conflicts).toEqual([])
  expect((await journal.verify({ workspace: true })).problems).toEqual([])
  await journal.close()
  return left
}

const LARGE = Buffer.alloc(1024 * 1024 + 700, 'L')

describe('faults that failing operations of a simulated disk showed', () => {
  it('a journal whose last sync had failed passed for one that was closed, and a power cut took what was committed next', async () => {
    for (let failing = 1; failing <= 4; failing += 1) {
      // So that the last frame lies across the end of a sector, too: what is written next does not touch the first of them.
      for (let length = 0; length < 512; length += 64) {
        const disk = newDisk()
        const first = await openOn(disk)
        await first.write('a', 'acknowledged', { message: 'm'.repeat(length) })
        disk.faults.failAt(failing, 'EIO', { kinds: ['sync'] })
        await first.close().catch(() => undefined)
        disk.faults.heal()
        const next = await openOn(disk)
        await next.write('afterwards', 'acknowledged too')
        const left = await afterPowerCut(disk)
        for (const [name, text] of Object.entries({ a: 'acknowledged', afterwards: 'acknowledged too' }))
          expect(left.readText(`${ROOT}/${name}`), `${name}, sync ${failing} at closing, ${length}`).toBe(text)
      }
    }
  })

  it('a file that nobody may read was left in the way of other permissions', async () => {
    for (const options of [{}, { exchange: false, link: false }]) {
      const disk = newDisk({ ...options, superuser: false })
      const journal = await openOn(disk)
      await journal.write('locked', 'text', { mode: 0o200 })
      await journal.write('locked', 'text', { mode: 0 })
      await journal.write('locked', 'text', { mode: 0o300 })
      expect(disk.lstat(`${ROOT}/locked`)?.mode).toBe(0o300)
      await journal.checkpoint()
      expect(workspace(await afterPowerCut(disk))).toEqual(workspace(disk))
    }
  })

  it('a checkpoint passed over a file that it might not open, and a power cut emptied it', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('locked/a', 'acknowledged')
    disk.chmod(`${ROOT}/locked`, 0o000)
    expect((await failure(() => journal.checkpoint())).code).toBe('PERMISSION')
    await journal.close()
    expect((await afterPowerCut(disk)).readText(`${ROOT}/locked/a`)).toBe('acknowledged')
  })

  it('what a failed transaction put back was not made durable by the next checkpoint', async () => {
    for (const options of [{}, { exchange: false }, { exchange: false, link: false }]) {
      const disk = newDisk(options)
      for (const name of ['a', 'b']) disk.writeFile(`${ROOT}/${name}`, `a person's ${name}`)
      const journal = await openOn(disk)
      const before = workspace(disk)
      disk.faults.before = ({ kind, to, path = '' }) => {
        const into = to ?? path
        if ((kind === 'exchange' || kind === 'rename') && into.endsWith('/b')) {
          disk.faults.heal()
          throw Object.assign(new Error('EACCES: no'), { code: 'EACCES' })
        }
      }
      const failed = await failure(() =>
        journal.transact(async (tx) => {
          await tx.write('a', 'mine')
          await tx.write('b', 'mine')
        }),
      )
      expect(failed.code).toBe('PERMISSION')
      await journal.checkpoint()
      expect(differences(before, workspace(await afterPowerCut(disk)))).toEqual([])
      await journal.close()
    }
  })

  it.each(['sync', 'syncDirectory'] as const)(
    'a process that was killed right after a failed %s of the workspace left a cache that the next one believed',
    async (kind) => {
      const disk = newDisk()
      const journal = await openOn(disk)
      await journal.write('made/a', 'acknowledged')
      disk.faults.failAt(1, 'EIO', { kinds: [kind] })
      let killed: SimDisk | null = null
      disk.faults.before = ({ kind: next }) => {
        // The first thing that is done after the failure.
        if (disk.faults.trace?.some((operation) => operation.kind === kind) && next !== 'close')
          killed ??= disk.crash('process')
      }
      disk.faults.trace = []
      await journal.checkpoint().catch(() => undefined)
      const left = killed ?? disk.crash('process')
      await (await openOn(left)).close()
      expect((await afterPowerCut(left)).readText(`${ROOT}/made/a`)).toBe('acknowledged')
    },
  )

  it('after a failed sync of the log the next writer believed the cache, and lost what stood before its own commits', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', '1')
    disk.faults.failAt(1, 'EIO', { kinds: ['sync'] })
    await failure(() => journal.write('b', '2'))
    disk.faults.heal()
    await journal.close().catch(() => undefined)
    const next = await openOn(disk)
    await next.write('c', '3')
    const left = await afterPowerCut(disk)
    expect(left.readText(`${ROOT}/c`)).toBe('3')
    await next.close()
  })

  it('a blob whose name a failed sync forgot counted as durable the next time', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', '1')
    disk.faults.failAt(1, 'EIO', { kinds: ['syncDirectory'] })
    await failure(() => journal.write('large', LARGE))
    disk.faults.heal()
    await journal.write('large', LARGE)
    const left = await afterPowerCut(disk)
    expect(left.readFile(`${ROOT}/large`)).toEqual(new Uint8Array(LARGE))
    await journal.close()
  })

  it('a journal whose making had failed at a sync was not durable when the next opening went on with it', () =>
    failEverywhere())

  it('an opening that could not take its lock left the file open', async () => {
    const disk = newDisk()
    disk.faults.failAt(1, 'EIO', { kinds: ['lock'] })
    await failure(() => openOn(disk))
    expect(disk.openHandles).toEqual([])
  })

  it('a sector that went to the disk between two writes to it passed for an edit by somebody', async () => {
    const disk = newDisk()
    const journal = await openOn(disk)
    await journal.write('a', 'first second')
    const left = disk.crash('none')
    left.writeFile(`${ROOT}/a`, Buffer.from('first \0\0\0\0\0\0'))
    const again = await openOn(left)
    expect(again.recovery.conflicts).toEqual([])
    expect(left.readText(`${ROOT}/a`)).toBe('first second')
    await again.close()
    await journal.close()
  })

  it('a recovery that was killed after it had put a link in the place of a folder could not be gone on with', async () => {
    const program: Program = {
      seed: 1,
      steps: [
        {
          kind: 'commit',
          calls: [
            { op: 'symlink', path: 'g/h', target: 'a' },
            { op: 'rename', path: 'a', to: 'c' },
          ],
        },
        { kind: 'commit', calls: [{ op: 'rename', path: 'd', to: 'a' }] },
        {
          kind: 'commit',
          calls: [
            { op: 'rename', path: 'g/h', to: 'd' },
            { op: 'write', path: 'a', content: ' word\n' },
          ],
        },
      ],
      segmentSize: 16384,
      durability: 'full',
      exchange: false,
      link: false,
      metadataSync: false,
      blockingSync: false,
      shortWrites: false,
    }
    for (let seed = 1; seed < 12; seed += 1) expect(await explore({ ...program, seed })).toBeGreaterThan(0)
  })
})
