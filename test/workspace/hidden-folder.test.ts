import { expect, it } from 'vitest'
import { newDisk, openOn, ROOT, workspace } from '../journal/fixture.ts'

/** `link` leads to `inner`, in which `via` leads to `elsewhere`; `folder` has a link of the same name. */
function linked() {
  const disk = newDisk()
  for (const name of ['inner', 'elsewhere', 'folder']) disk.mkdirp(`${ROOT}/${name}`)
  disk.symlink('inner', `${ROOT}/link`)
  disk.symlink('../elsewhere', `${ROOT}/inner/via`)
  disk.symlink('../elsewhere', `${ROOT}/folder/via`)
  disk.settle()
  return disk
}

it('a folder that a transaction makes in place of a link has nothing in it of what the link led to', async () => {
  const disk = linked()
  const journal = await openOn(disk)
  await journal.transact(async (tx) => {
    await tx.remove('link')
    await tx.mkdir('link')
    await tx.write('link/via', 'mine')
  })
  await journal.close()
  const tree = workspace(disk)
  expect(disk.readText(`${ROOT}/link/via`)).toBe('mine')
  expect([...tree.keys()].sort()).toEqual([
    'elsewhere',
    'folder',
    'folder/via',
    'inner',
    'inner/via',
    'link',
    'link/via',
  ])
})

it('a folder that a transaction removes and makes again has nothing in it of what was in it', async () => {
  const disk = linked()
  const journal = await openOn(disk)
  await journal.transact(async (tx) => {
    await tx.remove('folder', { recursive: true })
    await tx.mkdir('folder')
    await tx.write('folder/via', 'mine')
  })
  await journal.close()
  expect(disk.readText(`${ROOT}/folder/via`)).toBe('mine')
  expect(disk.readDirectory(`${ROOT}/elsewhere`)).toEqual([])
})
