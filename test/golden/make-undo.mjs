// Makes the golden journal of undos of several transactions (format version 4): `node test/golden/make-undo.mjs DIR [LIBRARY]` after a build, with DIR a folder
// that does not exist. The one in v4-undo/ was made once and is never made again.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const { openJournal } = await import(resolve(process.argv[3] ?? join(here, '../../dist/index.js')))
process.umask(0o022)

async function write(root) {
  const journal = await openJournal(root, { actor: 'undoer' })
  const lines = (first, last) => `${first}\n${'between\n'.repeat(8)}${last}\n`
  await journal.transact({ parent: 'p1' }, async (tx) => {
    await tx.write('a.txt', lines('one', 'two'))
    await tx.write('b/c.txt', 'c\n')
  })
  const second = await journal.transact({ parent: 'p2' }, (tx) => tx.write('a.txt', lines('one', 'zwei')))
  await journal.transact({ parent: 'p2' }, (tx) => tx.write('größe.txt', 'x\n'))
  const both = await journal.undo({ parent: 'p2' })
  await journal.redo(both.tx)
  await journal.undo({ parent: 'p1', paths: ['b'] })
  await journal.write('a.txt', lines('eins', 'zwei'))
  await journal.undo(second.tx)
  await journal.write('größe.txt', 'y\n')
  await journal.undo({ parent: 'p2' }, { onConflict: 'keep' }).catch(() => undefined)
  await journal.undo({ parent: 'p1' }, { onConflict: 'theirs' })
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
writeFileSync(join(to, 'expected.json'), `${JSON.stringify(read(journal, [4, 6, transactions.length]), null, 1)}\n`)
rmSync(root, { recursive: true })
