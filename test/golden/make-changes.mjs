// Makes the golden journal of contents that are compressed, or changes of others (format version 3):
// `node test/golden/make-changes.mjs DIR [LIBRARY]` after a build, with DIR a folder that does not exist. The one in v3/ was made once and is never made again.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const { openJournal } = await import(resolve(process.argv[3] ?? join(here, '../../dist/index.js')))
process.umask(0o022)

/** Lines that no two calls share. */
const text = (name, lines) =>
  Array.from({ length: lines }, (_, n) => `${name} ${createHash('sha256').update(`${name}${n}`).digest('hex')}\n`).join(
    '',
  )

const open = (root) => openJournal(root, { actor: 'changes', segmentSize: 128 * 1024 })

/** Contents up to 32 KiB stand in the log here. */
async function write(root) {
  const journal = await open(root)
  let now = text('compressed', 300)
  await journal.write('compressed.txt', now)
  for (let n = 1; n <= 20; n += 1) {
    now = `${now.slice(0, 999 * n)}change ${n}${now.slice(999 * n + 8)}`
    await journal.write('compressed.txt', now)
  }
  await journal.transact({ message: 'changes beside each other' }, async (tx) => {
    await tx.write('beside.txt', text('beside', 20))
    await tx.append('beside.txt', 'appended\n')
    await tx.edit('beside.txt', [{ oldText: 'appended', newText: 'and edited' }])
  })
  await journal.write('large.txt', text('large', 700))
  for (let n = 1; n <= 10; n += 1) await journal.append('large.txt', `line ${n}\n`)
  await journal.close()
}

/** What stays is a change of what is erased. */
async function purge(root) {
  const journal = await open(root)
  await journal.write('leaked.txt', `${text('leaked', 30)}key=12345\n`)
  const clean = await journal.edit('leaked.txt', [{ oldText: '12345', newText: '' }])
  await journal.rename('leaked.txt', 'clean.txt')
  await journal.append('clean.txt', 'goes on\n')
  await journal.purge('leaked.txt', { message: `all before ${clean.seq}` })
  await journal.append('clean.txt', 'and on\n')
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
await purge(root)
const journal = join(to, 'journal')
mkdirSync(journal, { recursive: true })
for (const name of ['FORMAT', 'CHECKPOINT', 'log', 'blobs'])
  cpSync(join(root, '.journal', name), join(journal, name), { recursive: true })
const { transactions } = read(journal)
writeFileSync(
  join(to, 'expected.json'),
  `${JSON.stringify(read(journal, [9, 22, 33, transactions.length]), null, 1)}\n`,
)
rmSync(root, { recursive: true })
