import { execFileSync } from 'node:child_process'
import { lstatSync, mkdtempSync, readdirSync, rmSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { NodeDisk } from '../../src/disk/node-disk.ts'
import { openJournal } from '../../src/index.ts'

/** What the history cannot hold was moved aside, not kept, and then unlinked. */
test.skipIf(process.platform === 'win32')(
  'a pipe that somebody puts in place of a file during a commit stays',
  async () => {
    for (const act of ['write', 'remove'] as const) {
      const root = mkdtempSync(`${tmpdir()}/write-journal-pipe-`)
      let armed = false
      const disk = new NodeDisk()
      Object.defineProperty(disk, 'syncNow', { value: undefined })
      const sync = disk.sync.bind(disk)
      disk.sync = async (handle, all) => {
        await sync(handle, all)
        if (!armed) return
        armed = false
        unlinkSync(`${root}/a`)
        execFileSync('mkfifo', [`${root}/a`])
      }
      const journal = await openJournal(root, { disk })
      await journal.write('a', 'by the journal')
      armed = true
      const change = act === 'write' ? journal.write('a', 'once more') : journal.remove('a')
      await expect(change).rejects.toMatchObject({ code: 'CONFLICT' })
      expect(lstatSync(`${root}/a`).isFIFO()).toBe(true)
      await journal.close()
      expect(readdirSync(`${root}/.journal/staging`)).toEqual([])
      rmSync(root, { recursive: true })
    }
  },
)
