// Makes the golden journal of format version 1: `node test/golden/make.mjs DIR [LIBRARY]` after a build, with DIR a folder that does not exist.
// The one in v1/ was made once and is never made again: it shows what version 1 was when it was fixed. A new version gets a folder of its own.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const dying = process.argv[2] === '--die'
const library = process.argv[dying ? 4 : 3] ?? join(here, '../../dist/index.js')
const { openJournal } = await import(resolve(library))
process.umask(0o022)
const SEGMENT = 16 * 1024
const open = (root, actor, options = {}) => openJournal(root, { actor, segmentSize: SEGMENT, ...options })

/** Text that no two calls share, `lines` lines of 40 bytes. */
const padding = (name, lines) =>
  Array.from({ length: lines }, (_, n) => `${name} line ${n}`.padEnd(39, '.')).join('\n') + '\n'

/** A content too large for the log: zeros, and a counter every 4 KiB. */
function large() {
  const bytes = Buffer.alloc(1024 * 1024 + 4096)
  for (let at = 0, n = 0; at < bytes.length; at += 4096, n += 1) bytes.writeUInt32LE(n, at)
  return bytes
}

/** A writer that is killed when its transaction is acknowledged and nothing is checkpointed. */
async function die(root) {
  const journal = await open(root, 'dying')
  await journal.transact({ message: 'written, then the process dies' }, async (tx) => {
    await tx.write('fleeting.txt', 'nobody touches this\n')
    await tx.write('touched.txt', 'somebody edits this\n')
  })
  process.kill(process.pid, 'SIGKILL')
}

async function firstTerm(root) {
  const journal = await open(root, 'builder')
  await journal.write('greeting.txt', 'hello\n')
  await journal.write('empty', '')
  await journal.transact({ message: 'a small tree', tags: ['tree', 'first'], parent: 'prompt-1' }, async (tx) => {
    await tx.write('src/main.py', 'print("one")\n')
    await tx.append('src/main.py', 'print("two")\n')
    await tx.edit('src/main.py', [
      { oldText: '"one"', newText: '"uno"' },
      { oldText: 'print', newText: 'echo', all: true },
    ])
    await tx.write('src/lib/größe 名.txt', 'names are UTF-8: ä 名 🙂\n')
    await tx.symlink('src/lib/link', '../main.py')
    await tx.chmod('src/main.py', 0o755)
  })
  await journal.patch('greeting.txt', '--- a/greeting.txt\n+++ b/greeting.txt\n@@ -1 +1,2 @@\n hello\n+world\n')
  await journal.rename('greeting.txt', 'empty')
  await journal.rename('src', 'lib')
  await journal.mkdir('folder')
  const removed = await journal.rmdir('folder', { message: 'not needed' })
  await journal.remove('lib/main.py')
  await journal.symlink('alias', 'empty')
  await journal.append('alias', 'through the link\n')
  await journal.undo(removed.tx, { actor: 'reviewer', message: 'it was needed' })
  await journal.redo(removed.tx)
  // Small enough to stand in the log, often enough to fill segments.
  for (let n = 1; n <= 14; n += 1) await journal.write('padding.txt', padding(`version ${n}`, 80))
  await journal.checkpoint()
  await journal.write('large.bin', large(), { mode: 0o600 })
  await journal.close()
}

async function secondTerm(root) {
  writeFileSync(join(root, 'empty'), 'edited behind the journal\n')
  const journal = await open(root, 'second')
  await journal.adopt(undefined, { message: 'taken in' })
  writeFileSync(join(root, 'padding.txt'), 'edited, then overwritten\n')
  await journal.write('padding.txt', padding('version 15', 80))
  await journal.transact({ message: 'a secret slips in' }, async (tx) => {
    await tx.write('secret.txt', 'the key is 12345\n')
    await tx.edit('secret.txt', [{ oldText: '12345', newText: '67890' }])
    await tx.remove('secret.txt')
  })
  await journal.purge('secret.txt', { message: 'it must go' })
  await journal.restore({ to: 3, message: 'as it was in the beginning' })
  await journal.close()
}

async function lastTerm(root) {
  const killed = spawnSync(process.execPath, [fileURLToPath(import.meta.url), '--die', root, library], {
    stdio: 'inherit',
  })
  if (killed.signal !== 'SIGKILL') throw new Error('the writer that should die did not')
  writeFileSync(join(root, 'touched.txt'), 'a person was here\n')
  // As if the process had died before this one was put in place.
  rmSync(join(root, 'fleeting.txt'))
  const journal = await open(root, 'last', { recover: 'revert' })
  await journal.write('last.txt', 'the end\n')
  await journal.close()
}

function wal(folder) {
  return readdirSync(join(folder, 'log')).sort()
}

/** What a write torn in the middle of a commit leaves: the last segment, and the position of the torn frame. */
async function torn(root, end) {
  const journal = await open(root, 'torn')
  await journal.write('never.txt', 'the power went\n')
  await journal.close()
  const name = wal(join(root, '.journal')).at(-1)
  const bytes = readFileSync(join(root, '.journal/log', name))
  let at = end
  while (bytes[at + 4] !== 4) at += 56 + Math.ceil(bytes.readUInt32LE(at + 8) / 8) * 8
  bytes.fill(0, at + 56 + Math.floor(bytes.readUInt32LE(at + 8) / 2))
  return { name, bytes }
}

/** One bit of the first commit in the second segment, turned over. */
function corrupt(folder) {
  const name = wal(folder)[1]
  const bytes = readFileSync(join(folder, 'log', name))
  let at = 0
  while (bytes[at + 4] !== 4) at += 56 + Math.ceil(bytes.readUInt32LE(at + 8) / 8) * 8
  bytes[at + 56 + 100] ^= 1
  return { name, bytes }
}

/** What the reader says; `points`: how often a tree is shown. */
function read(journal, points = []) {
  const run = spawnSync(
    'python3',
    ['-B', join(here, 'reader.py'), journal, '--json', ...points.flatMap((n) => ['--at', String(n)])],
    {
      encoding: 'utf8',
      maxBuffer: 1 << 26,
    },
  )
  if (run.stdout === '') throw new Error(run.stderr)
  return JSON.parse(run.stdout)
}

async function make(to) {
  const root = mkdtempSync(join(tmpdir(), 'golden-'))
  await firstTerm(root)
  await secondTerm(root)
  await lastTerm(root)
  const journal = join(to, 'journal')
  mkdirSync(to)
  mkdirSync(journal)
  for (const name of ['FORMAT', 'CHECKPOINT', 'log', 'blobs'])
    cpSync(join(root, '.journal', name), join(journal, name), { recursive: true })
  const { transactions } = read(journal)
  const points = [...transactions.keys(), transactions.length].filter((n) => n % 4 === 0 || n === transactions.length)
  const expected = read(journal, points)
  const variants = { torn: await torn(root, expected.end.position[1]), corrupt: corrupt(journal) }
  for (const [variant, { name, bytes }] of Object.entries(variants)) {
    mkdirSync(join(to, variant))
    writeFileSync(join(to, variant, name), bytes)
    const scratch = mkdtempSync(join(tmpdir(), 'golden-'))
    cpSync(journal, scratch, { recursive: true })
    writeFileSync(join(scratch, 'log', name), bytes)
    const { end, transactions, chain } = read(scratch)
    expected[variant] = { segment: name, end, transactions: transactions.length, chain }
    rmSync(scratch, { recursive: true })
  }
  writeFileSync(join(to, 'expected.json'), `${JSON.stringify(expected, null, 1)}\n`)
  rmSync(root, { recursive: true })
}

await (dying ? die(process.argv[3]) : make(resolve(process.argv[2])))
