/** The facade answers as `node:fs` does, call by call, and leaves the same tree; and the history can take every step back. */

/** The facade answers as `node:fs` does, call by call, and leaves the same tree; and the history can take every step back. */
import nodeFs, { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createFs } from '../../../src/agents/fs/index.ts'
import { openJournal } from '../../../src/index.ts'
import { scratchFolder } from '../scratch.ts'
import { anyCall, outcomeOf, treeOf } from './calls.ts'

const RUNS = 60

it.skipIf(process.platform === 'win32')('random calls come to the same', async () => {
  const folder = scratchFolder()
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(anyCall, { minLength: 1, maxLength: 25 }), async (calls) => {
      run += 1
      const [plain, journaled] = [join(folder, `plain-${run}`), join(folder, `journaled-${run}`)]
      mkdirSync(plain)
      mkdirSync(journaled)
      const journal = await openJournal(journaled, { durability: 'os' })
      try {
        const fs = createFs(journal)
        for (const call of calls) {
          const expected = await outcomeOf(call, nodeFs, plain)
          expect(await outcomeOf(call, fs, journaled), call.name).toEqual(expected)
          expect(treeOf(journaled), call.name).toEqual(treeOf(plain))
        }
        expect((await journal.status()).changed).toEqual([])
        await journal.restore({ to: 0, force: true })
        expect(treeOf(journaled)).toEqual({})
      } finally {
        await journal.close()
      }
    }),
    { numRuns: RUNS },
  )
})
