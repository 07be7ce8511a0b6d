import { expect, it } from 'vitest'
import { collect, newDisk, openOn, ROOT, staged } from '../journal/fixture.ts'
import type { Operation } from '../sim/faults.ts'
import { killedBefore, restarted } from './fixture.ts'
import { cutInRecovery } from './interrupted-end.ts'

const exchanging =
  (path: string) =>
  ({ kind, to }: Operation): boolean =>
    kind === 'exchange' && to?.endsWith(`/${path}`) === true

it('takes an edit into the history that came in the very moment of the exchange, before a kill', async () => {
  const disk = newDisk()
  const journal = await openOn(disk)
  await journal.write('a', 'one')
  let came = false
  const left = await killedBefore(
    disk,
    (operation) => {
      const now = came
      if (exchanging('a')(operation)) {
        disk.writeFile(`${ROOT}/a`, 'by a person')
        came = true
      }
      return now
    },
    () => journal.write('a', 'two'),
  )
  const again = await openOn(left)
  expect(again.recovery.conflicts).toMatchObject([{ path: 'a' }])
  expect(left.readText(`${ROOT}/a`)).toBe('two')
  expect(JSON.stringify(await collect(again.export()))).toContain('by a person')
  expect(await staged(left)).toEqual([])
  await again.close()
})

it('tells of a transaction that was killed before its commit, and drops what it had staged', async () => {
  const disk = newDisk()
  const journal = await openOn(disk)
  await journal.write('a', 'one')
  const left = await killedBefore(
    disk,
    ({ kind, path }) => kind === 'write' && path?.includes('/log/') === true,
    () => journal.write('a', 'two'),
  )
  expect((await staged(left)).length).toBeGreaterThan(0)
  const again = await openOn(left)
  expect(again.recovery).toMatchObject({ replayed: [], discarded: [expect.stringMatching(/^t/)] })
  expect(await staged(left)).toEqual([])
  expect(left.readText(`${ROOT}/a`)).toBe('one')
  await again.close()
})

it('opens where a folder has become a link that leads below itself', async () => {
  const disk = newDisk()
  const journal = await openOn(disk)
  await journal.write('d/e/f', 'word')
  await journal.transact(async (tx) => {
    await tx.rename('d', 'link')
    await tx.symlink('d', 'd/e')
  })
  // Nothing was checkpointed.
  const left = disk.crash('process')
  const again = await openOn(left)
  expect(again.recovery.conflicts).toEqual([])
  expect(left.readText(`${ROOT}/link/e/f`)).toBe('word')
  expect(left.readLink(`${ROOT}/d`)).toBe('d/e')
  await again.close()
})

it('owns the content of a large file that it left in the workspace', async () => {
  const disk = newDisk()
  const before = Buffer.alloc(2 * 1024 * 1024, 'before')
  disk.writeFile(`${ROOT}/a`, before)
  const journal = await openOn(disk)
  const left = await killedBefore(disk, exchanging('a'), () => journal.write('a', 'small'))
  const again = await openOn(left, { recover: 'revert' })
  expect(again.recovery.reverted).toHaveLength(1)
  // A blob that were another name of the same file would change with it.
  left.writeFile(`${ROOT}/a`, Buffer.alloc(before.byteLength, 'edited in place'))
  expect((await again.verify()).problems).toEqual([])
  await again.close()
})

it('reports a path whose folder is gone, and goes on with the others', async () => {
  const disk = newDisk()
  for (const folder of ['d', 'e']) disk.mkdirp(`${ROOT}/${folder}`)
  const journal = await openOn(disk)
  await journal.transact(async (tx) => {
    await tx.write('d/a', 'text')
    await tx.write('e/a', 'text')
  })
  const left = restarted(disk.crash('process'))
  for (const folder of ['d', 'e']) left.removeFile(`${ROOT}/${folder}/a`)
  left.removeDirectory(`${ROOT}/d`)
  left.settle()
  const again = await openOn(left)
  expect(again.recovery.conflicts).toMatchObject([{ path: 'd/a' }])
  expect(left.exists(`${ROOT}/d`)).toBe(false)
  expect(left.readText(`${ROOT}/e/a`)).toBe('text')
  await again.close()
})

it('replaces a link by what is found there, not by what the log says of it', async () => {
  const disk = newDisk()
  const journal = await openOn(disk)
  await journal.transact((tx) => tx.symlink('link', 'one'))
  await journal.checkpoint()
  const left = await killedBefore(disk, exchanging('link'), () =>
    journal.transact(async (tx) => {
      await tx.remove('link')
      await tx.symlink('link', 'two')
    }),
  )
  expect(left.readLink(`${ROOT}/link`)).toBe('one')
  const again = await openOn(left)
  expect(left.readLink(`${ROOT}/link`)).toBe('two')
  expect(again.recovery).toMatchObject({ replayed: [expect.anything()], conflicts: [] })
  await again.close()
})

it('changes nothing in the workspace before the end of the log that says so is on stable storage', () =>
  cutInRecovery())

it.each([1, 0.5])(
  'a copy that a killed recovery had made of a half-changed file passed for an edit by somebody (%d of it)',
  async (share) => {
    const options = { segmentSize: 16 * 1024 }
    const disk = newDisk({ exchange: false, link: false })
    const journal = await openOn(disk, options)
    await journal.write('big', `ein\n${'line of a text that is large\n'.repeat(250)}two\n`)
    // From now on its text is at hand, and it is changed in place.
    await journal.edit('big', [{ oldText: 'ein\n', newText: 'one\n' }])
    let writes = 0
    const halfway = await killedBefore(
      disk,
      ({ kind, path }) => kind === 'write' && path?.endsWith('/big') === true && ++writes === 2,
      () =>
        journal.edit('big', [
          { oldText: 'one\n', newText: 'ONE\n' },
          { oldText: 'two\n', newText: 'TWO\n' },
        ]),
    )
    const mixture = halfway.readText(`${ROOT}/big`)
    const left = await killedBefore(
      halfway,
      ({ kind, to }) => kind === 'rename' && to?.endsWith('/big') === true,
      () => openOn(halfway, options),
    )
    const [copy] = (await staged(left)).filter((name) => name.endsWith('.old'))
    const file = `${ROOT}/.journal/staging/${copy}`
    expect(left.readText(file)).toBe(mixture)
    left.writeFile(file, mixture.slice(0, mixture.length * share))
    const again = await openOn(left, options)
    expect(again.recovery.conflicts).toEqual([])
    expect(left.readText(`${ROOT}/big`)).toMatch(/^ONE\n.*\nTWO\n$/s)
    expect(await staged(left)).toEqual([])
    await again.close()
  },
)
