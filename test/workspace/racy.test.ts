import { expect, test } from 'vitest'
import { openJournal } from '../../src/index.ts'
import { SimDisk } from '../sim/sim-disk.ts'

/** A write that trusted its own memory of a file must not lose an edit that the file's times do not show. */
test('an edit within the granularity of times, of the same size, is kept when the file is written over, soon or late', async () => {
  for (const laterMs of [0, 5, 100, 5000]) {
    const disk = SimDisk.create({ seed: 1, granularityUs: 4000, tickUs: 0 })
    disk.mkdirp('/w')
    const journal = await openJournal('/w', { disk })
    await journal.write('a', 'by journal')
    const handle = disk.open('/w/a', 'write')
    disk.write(handle, Buffer.from('by a human'), 0)
    disk.close(handle)
    disk.setTime(disk.now() + laterMs)
    const conflicts: string[] = []
    journal.on('conflict', ({ path }) => conflicts.push(path))
    await journal.write('a', 'once again')
    const kept: string[] = []
    for await (const { entries } of journal.history()) {
      for (const { before } of entries) if (before?.kind === 'file') kept.push(before.hash)
    }
    const contents = await Promise.all(kept.map((hash) => contentOf(journal, hash)))
    expect(contents, `${laterMs} ms later`).toContain('by a human')
    await journal.close()
  }
})

async function contentOf(journal: Awaited<ReturnType<typeof openJournal>>, hash: string): Promise<string> {
  for await (const line of journal.export()) {
    const { contents } = line as { contents?: { hash: string; utf8?: string }[] }
    const found = contents?.find((content) => content.hash === hash)
    if (found?.utf8 !== undefined) return found.utf8
  }
  return ''
}
