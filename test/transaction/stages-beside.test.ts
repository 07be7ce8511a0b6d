import { describe, expect, it } from 'vitest'
import type { Journal } from '../../src/index.ts'
import { newDisk, openOn, ROOT, workspace } from '../journal/fixture.ts'
import type { SimDisk } from '../sim/sim-disk.ts'
import { differences } from '../sim/tree.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e']

async function prepared(): Promise<{ disk: SimDisk; journal: Journal }> {
  const disk = newDisk()
  for (const name of NAMES) disk.writeFile(`${ROOT}/${name}`, `old ${name}`)
  return { disk, journal: await openOn(disk) }
}

function batch(journal: Journal): Promise<unknown> {
  return journal.transact(async (tx) => {
    for (const name of NAMES) await tx.write(name, `new ${name}`)
  })
}

/** Are the files of a batch made after the log was written? */
async function order(disk: SimDisk, journal: Journal): Promise<string[]> {
  const seen: string[] = []
  disk.faults.before = ({ kind, path }) => {
    if (kind === 'create' && path?.includes('/staging/')) seen.push('staged')
    if (kind === 'write' && path?.endsWith('.wal')) seen.push('logged')
  }
  await batch(journal)
  disk.faults.before = null
  return [...new Set(seen)]
}

describe('a batch whose files are staged while its log is on its way', () => {
  it('is written to the log first, where space is ample', async () => {
    const { disk, journal } = await prepared()
    expect(await order(disk, journal)).toEqual(['logged', 'staged'])
    await journal.close()
  })

  it.each([1, 3, 5])('is taken back, in the log too, when file %i cannot be made', async (failing) => {
    const { disk, journal } = await prepared()
    const before = workspace(disk)
    let made = 0
    disk.faults.before = ({ kind, path }) => {
      if (kind !== 'create' || path?.includes('/staging/') !== true) return
      made += 1
      if (made === failing) throw Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC' })
    }
    await expect(batch(journal)).rejects.toMatchObject({ code: 'NO_SPACE' })
    disk.faults.before = null
    expect(differences(before, workspace(disk))).toEqual([])
    expect(disk.readDirectory(`${ROOT}/.journal/staging`)).toEqual([])
    const kinds = []
    for await (const { kind } of journal.history({ order: 'oldest' })) kinds.push(kind)
    expect(kinds).toEqual(['write', 'revert'])
    await batch(journal)
    await journal.close()
    const again = await openOn(disk.crash('none'))
    expect((await again.verify({ workspace: true })).problems).toEqual([])
    await again.close()
  })

  it('fails as a whole, with nothing left in staging, when the log cannot be synced', async () => {
    const { disk, journal } = await prepared()
    const before = workspace(disk)
    disk.faults.before = ({ kind, path }) => {
      if (kind === 'sync' && path?.endsWith('.wal')) throw Object.assign(new Error('EIO: sync'), { code: 'EIO' })
    }
    await expect(batch(journal)).rejects.toMatchObject({ code: 'IO' })
    disk.faults.before = null
    expect(differences(before, workspace(disk))).toEqual([])
    expect(disk.readDirectory(`${ROOT}/.journal/staging`)).toEqual([])
    await expect(batch(journal)).rejects.toMatchObject({ code: 'POISONED' })
    await journal.close().catch(() => undefined)
  })
})
