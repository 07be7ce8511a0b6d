// Makes the golden journal of format version 3, with a horizon: `node test/golden/make-horizon.mjs DIR [LIBRARY]` after a build, with DIR a folder that does not
// exist. The one in v3-horizon/ was made once and is never made again: it shows what a horizon was when it was fixed.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const to = resolve(process.argv[2])
const { openJournal } = await import(resolve(process.argv[3] ?? join(here, '../../dist/index.js')))
process.umask(0o022)
const root = mkdtempSync(join(tmpdir(), 'golden-'))
const journal = await openJournal(root, { actor: 'keeper', segmentSize: 16 * 1024 })
await journal.transact({ message: 'a small tree' }, async (tx) => {
  await tx.write('src/main.py', 'print("one")\n')
  await tx.write('src/lib/größe 名.txt', 'names are UTF-8: ä 名 🙂\n')
  await tx.symlink('src/lib/link', '../main.py')
  await tx.chmod('src/main.py', 0o755)
})
await journal.write('secret.txt', 'the key is 12345\n')
await journal.purge('secret.txt', { message: 'it must go' })
await journal.write('gone.txt', 'not for long\n')
await journal.remove('gone.txt')
for (let n = 1; n <= 20; n += 1) await journal.write(`padding ${n % 3}.txt`, `version ${n}\n`.repeat(200))
await journal.compact({ keepTransactions: 12 })
await journal.write('large.bin', Buffer.alloc(5000, 'large'))
await journal.append('src/main.py', 'print("two")\n')
for (let n = 21; n <= 30; n += 1) await journal.write(`padding ${n % 3}.txt`, `version ${n}\n`.repeat(200))
await journal.compact({ keepTransactions: 8 })
await journal.remove('src/lib/link')
await journal.write('last.txt', 'the end\n')
await journal.close()
mkdirSync(to)
mkdirSync(join(to, 'journal'))
for (const name of ['FORMAT', 'CHECKPOINT', 'log', 'blobs'])
  cpSync(join(root, '.journal', name), join(to, 'journal', name), { recursive: true })
const read = (points) => {
  const options = points.flatMap((n) => ['--at', String(n)])
  const run = spawnSync('python3', ['-B', join(here, 'reader.py'), join(to, 'journal'), '--json', ...options], {
    encoding: 'utf8',
  })
  if (run.stdout === '') throw new Error(run.stderr)
  return JSON.parse(run.stdout)
}
const { horizon, transactions } = read([])
const points = [horizon.seq, horizon.seq + Math.floor(transactions.length / 2), horizon.seq + transactions.length]
writeFileSync(join(to, 'expected.json'), `${JSON.stringify(read(points), null, 1)}\n`)
rmSync(root, { recursive: true })
