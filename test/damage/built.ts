import { offsetOf, type Position, segmentOf } from '../../src/log/position.ts'
import { openOn, ROOT } from '../journal/fixture.ts'
import { Random } from '../sim/random.ts'
import { SimDisk } from '../sim/sim-disk.ts'

export const JOURNAL = `${ROOT}/.journal`
/** Small, so that there are several, and that contents above some 1,800 bytes become blobs. */
export const SEGMENT = 8192

export type Ending = 'closed' | 'killed'

function large(seed: number, size = 1900): Uint8Array {
  const random = new Random(seed)
  return Uint8Array.from({ length: size }, () => random.below(256))
}

/**
 * A journal with something of everything: several segments and writers, blobs, contents in the log, edits, a patch, a rename, an undo, a redo, an
 * edit behind its back, a preserved content, a purge, checkpoints. Its last writer closed it, or was killed behind an acknowledged commit. `older`: as it
 * was before its last writers.
 */
export async function built(ending: Ending): Promise<{ readonly disk: SimDisk; readonly older: SimDisk }> {
  let disk = SimDisk.create({ seed: 7, tickUs: 200 })
  disk.mkdirp(ROOT)
  const first = await openOn(disk, { segmentSize: SEGMENT, actor: 'first' })
  await first.transact({ message: 'begin', tags: ['x'] }, async (tx) => {
    await tx.write('a.txt', 'one\ntwo\n')
    await tx.write('folder/b.txt', 'b\n')
    await tx.symlink('link', 'a.txt')
    await tx.write('big.bin', large(1))
  })
  await first.edit('a.txt', [{ oldText: 'two', newText: 'zwei' }])
  await first.rename('folder', 'moved')
  await first.write('big.bin', large(2))
  const removed = await first.remove('moved/b.txt')
  await first.undo(removed.tx)
  await first.close()
  disk.writeFile(`${ROOT}/a.txt`, 'edited behind the journal\n')
  const second = await openOn(disk, { segmentSize: SEGMENT, actor: 'second' })
  await second.write('a.txt', 'three\n')
  await second.redo(removed.tx)
  for (let n = 0; n < 5; n += 1) await second.write(`many/${n % 3}.txt`, `${n} `.repeat(700))
  await second.write('secret.txt', 'a key that slipped in')
  await second.write('secret.txt', 'nothing')
  await second.purge('secret.txt')
  await second.close()
  const older = disk.crash('process')
  const third = await openOn(disk, { segmentSize: SEGMENT, actor: 'third' })
  await third.write('other.bin', large(3, 2100))
  await third.write('torn.txt', 'to be torn by the crash')
  disk = disk.crash('process')
  // Somebody edits what is in flight: recovery keeps it.
  disk.writeFile(`${ROOT}/torn.txt`, 'edited before the recovery')
  const fourth = await openOn(disk, { segmentSize: SEGMENT, actor: 'fourth' })
  await fourth.append('a.txt', 'four\n')
  await fourth.checkpoint()
  await fourth.write('last/one.txt', '1')
  await fourth.write('last/two.bin', large(4))
  await fourth.edit('a.txt', [{ oldText: 'four', newText: 'vier' }])
  if (ending === 'killed') disk = disk.crash('process')
  else await fourth.close()
  disk.settle()
  return { disk, older }
}

/** Files of `.journal`, by their names in it. */
export function files(disk: SimDisk): string[] {
  return [...disk.tree(JOURNAL)].filter(([, node]) => node.kind === 'file').map(([name]) => name)
}

export function bytesOf(disk: SimDisk, name: string): Uint8Array {
  return disk.readFile(`${JOURNAL}/${name}`)
}

export function segmentName(segment: number): string {
  return `log/${String(segment).padStart(12, '0')}.wal`
}

export function placeOf(position: Position): { readonly name: string; readonly offset: number } {
  return { name: segmentName(segmentOf(position)), offset: offsetOf(position) }
}
