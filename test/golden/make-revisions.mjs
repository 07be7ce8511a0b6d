// Makes the golden journal of revisions (format version 4): `node test/golden/make-revisions.mjs DIR [LIBRARY]` after a build, with DIR a folder that does not
// exist. The one in v4/ was made once and is never made again.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const { openJournal } = await import(resolve(process.argv[3] ?? join(here, '../../dist/index.js')))
process.umask(0o022)

const lines = (...list) => list.map((line) => `${line}\n`).join('')

async function write(root) {
  const journal = await openJournal(root, { actor: 'reviser' })
  const base = lines('def f():', '    if x:', '        y()', '    # between', '    # both', '    z()')
  await journal.write('a.py', base)
  await journal.edit('a.py', [{ oldText: 'if x:\n    y()\n', newText: 'if x:\n    w()\n    v()\n' }], { lenient: true })
  const edits = [{ oldText: '    z()\n', newText: '    z("größer 🙂")\n' }]
  await journal.edit('a.py', edits, { expect: createHash('sha256').update(base).digest('hex'), merge: true })
  await journal.write('latin1.txt', Buffer.from('gr\u00fcn\n', 'latin1'))
  await journal.edit('latin1.txt', [{ oldText: 'grün', newText: 'weiß' }], { encoding: 'latin1' })
  await journal.transact({ message: 'of all kinds' }, async (tx) => {
    await tx.edit('a.py', [{ oldText: 'f()', newText: 'g()' }])
    await tx.applyPatch(
      lines(
        '*** Begin Patch',
        '*** Update File: a.py',
        '*** Move to: b.py',
        '@@ def g():',
        '-    if x:',
        '+    if y:',
        '*** End Patch',
      ),
    )
    await tx.patch('b.py', '@@ -1 +1 @@\n-def g():\n+def h():\n')
  })
  await journal.write('leaked.txt', '  key\n  12345\n')
  await journal.edit('leaked.txt', [{ oldText: 'key\n12345\n', newText: 'key\n' }], { lenient: true })
  await journal.purge('leaked.txt')
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
writeFileSync(join(to, 'expected.json'), `${JSON.stringify(read(journal, [3, 6, transactions.length]), null, 1)}\n`)
rmSync(root, { recursive: true })
