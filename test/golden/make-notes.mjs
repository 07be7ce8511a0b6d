// Makes the golden journal of notes (format version 5): `node test/golden/make-notes.mjs DIR [LIBRARY]` after a build, with DIR a folder that does not
// exist. The one in v5/ was made once and is never made again.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const { openJournal } = await import(resolve(process.argv[3] ?? join(here, '../../dist/index.js')))
process.umask(0o022)

async function write(root) {
  const journal = await openJournal(root, {
    actor: 'builder',
    agents: { reviewer: { paths: ['docs'] } },
  })
  await journal.write('src/a.txt', 'one\n')
  const intent = await journal.intents.announce({ paths: ['src/a.txt', 'docs'], what: 'größer 🙂' })
  const lease = await journal.leases.acquire(['src'], { ttlMs: 60_000 })
  await journal.transact({ lease: lease.token, tags: ['team'] }, async (tx) => {
    await tx.write('src/a.txt', 'two\n')
    await tx.note('work', { by: ['builder', 'tester'], deep: [{ a: 1.5, b: null, c: true }] })
    await tx.write('docs/a.md', '# a\n')
  })
  await lease.renew()
  await lease.release()
  await journal.intents.withdraw(intent.id)
  await journal.write('src/b.txt', 'no\n', { actor: 'reviewer' }).catch(() => {})
  await journal.write('docs/b.md', 'yes\n', { actor: 'reviewer' })
  await journal.close()
}

function read(journal, points = []) {
  const given = ['-B', join(here, 'reader.py'), journal, '--json', ...points.flatMap((n) => ['--at', String(n)])]
  const run = spawnSync('python3', given, { encoding: 'utf8', maxBuffer: 1 << 26 })
  if (run.stdout === '') throw new Error(run.stderr)
  return JSON.parse(run.stdout)
}

const to = resolve(process.argv[2])
const root = mkdtempSync(join(tmpdir(), 'golden-'))
await write(root)
const journal = join(to, 'journal')
mkdirSync(journal, { recursive: true })
for (const name of ['FORMAT', 'CHECKPOINT', 'log', 'blobs'])
  cpSync(join(root, '.journal', name), join(journal, name), { recursive: true })
const { transactions } = read(journal)
writeFileSync(join(to, 'expected.json'), `${JSON.stringify(read(journal, [1, 4, transactions.length]), null, 1)}\n`)
rmSync(root, { recursive: true })
