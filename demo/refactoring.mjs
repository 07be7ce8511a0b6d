/**
 * The main job on real input: a refactoring of all of lodash-es is killed with SIGKILL while its files are being replaced,
 * recovered, proven whole, undone and replayed. Exits with 1 when anything of that does not hold.
 *
 *   npm run demo
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { openJournal } from '../dist/index.js'
import { expectation } from './expectation.mjs'
import { interrupt } from './interruption.mjs'
import {
  bold,
  chapter,
  cyan,
  dim,
  duration,
  green,
  prove,
  quote,
  red,
  say,
  size,
  timed,
  title,
  yellow,
} from './narration.mjs'
import { differences, progress, readTree, same, sizeOf } from './tree.mjs'

const ATTEMPTS = 10
/** Kill when this part of the watched files has changed. */
const DEPTH = 1 / 3
/** What node prints when the library works. */
const WORKS = '[["a","b"],["c"]]'
const SAMPLE = '_baseKeys.js'
const SAMPLE_AFTER = 'internal/baseKeys.js'

const child = fileURLToPath(new URL('refactor.mjs', import.meta.url))
const temporary = mkdtempSync(join(tmpdir(), 'write-journal-demo-'))
const begun = performance.now()
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    rmSync(temporary, { recursive: true, force: true })
    process.exit(1)
  })
}

try {
  await tell()
  say()
  say(green(bold(`Everything holds. ${duration(performance.now() - begun)} in all.`)))
} catch (error) {
  say()
  say(red(error.code === undefined ? error.message : `${error.code}: ${error.message}`))
  if (error.hint !== undefined) say(error.hint)
  if (!error.message.startsWith('Does not hold')) console.error(error)
  process.exitCode = 1
} finally {
  rmSync(temporary, { recursive: true, force: true })
}

async function tell() {
  title('write-journal: a refactoring of 600 files, killed half-way')

  chapter('A real source tree, written through a journal')
  const source = dirname(createRequire(import.meta.url).resolve('lodash-es/package.json'))
  const original = asWritten(await readTree(source))
  const { version } = JSON.parse(original.get('package.json').bytes.toString())
  const { files, bytes } = sizeOf(original)
  const workspace = join(temporary, 'workspace')
  const took = await fill(workspace, original)
  say(`lodash-es ${version}: ${files} files, ${size(bytes)}, one durable transaction, ${took}`)
  prove(run(workspace) === WORKS, `node loads it: chunk(['a', 'b', 'c'], 2) gives ${WORKS}`)

  chapter('An agent prepares a refactoring of it, in a process of its own')
  const whole = expectation(original, modeOfNewFolder())
  const privates = [...original.keys()].filter((path) => path.startsWith('_')).length
  const paths = progress(original, original, whole).old
  say(`${privates} private modules move to internal/ and every import follows, isArrayLike becomes isListLike,`)
  say(`the default bundles go, two notes come, LICENSE becomes read-only: ${bold(`${paths} paths`)}, one transaction`)
  excerpt(SAMPLE, original.get(SAMPLE), yellow)

  chapter('kill -9, while the files are being replaced')
  const { root, tx, after } = await untilCaught(workspace, original, whole)
  const half = await readTree(root)
  const counts = progress(half, original, whole)
  say(`killed ${duration(after)} after the commit began, with no answer from it`)
  say(`the tree is half changed: ${bold(green(`${counts.new} paths new`))}, ${bold(yellow(`${counts.old} still old`))}`)
  prove(counts.new > 0 && counts.old > 0, 'it really is neither the old tree nor the new one')
  prove(counts.neither === 0, 'and yet no file in it is torn: each is wholly old or wholly new')
  const broken = run(root)
  say(broken === WORKS ? 'by luck, node can still load it' : `node cannot load it: ${red(broken)}`)

  chapter('Recovery')
  const [journal, recovered] = await timed(() => openJournal(root, { actor: 'demo' }))
  try {
    say(`opening the journal finished what was committed, in ${bold(recovered)}`)
    prove(journal.recovery.replayed.includes(tx), `transaction ${tx} was replayed`)
    prove(journal.recovery.conflicts.length === 0, 'without a conflict')
    const wrong = differences(await readTree(root), whole)
    prove(
      wrong.length === 0,
      `the transaction is whole: all ${sizeOf(whole).files} files are right, byte for byte`,
      wrong,
    )
    prove(run(root) === WORKS, 'node loads it again')
    excerpt(SAMPLE_AFTER, whole.get(SAMPLE_AFTER), green)
    await lookBack(journal, tx)
    await goBack(journal, tx, original)
    await replay(journal, original, whole)
  } finally {
    await journal.close()
  }
}

async function lookBack(journal, tx) {
  chapter('What happened: log and diff')
  for await (const commit of journal.history({ limit: 3 })) {
    quote(
      `${commit.seq}  ${commit.tx}  ${commit.actor}  ${new Set(commit.entries.map((entry) => entry.path)).size} paths`,
    )
    quote(`   ${commit.message}`)
  }
  say()
  let shown = 0
  let added = 0
  let removed = 0
  let count = 0
  for await (const { path, patch } of journal.diff({ tx })) {
    count += 1
    const lines = patch.split('\n')
    const changes = lines.filter((line) => /^[-+](?![-+]{2} )/.test(line))
    added += changes.filter((line) => line.startsWith('+')).length
    removed += changes.filter((line) => line.startsWith('-')).length
    if (shown >= 12 || /^(internal\/|_)/.test(path) || changes.length === 0 || changes.length > 4) continue
    quote(path, cyan)
    for (const line of changes) quote(line, line.startsWith('+') ? green : red)
    shown += changes.length
  }
  quote(`… ${count} paths, ${added} lines added, ${removed} removed`)
  prove(count > 100, 'the diff knows every one of them')
}

async function goBack(journal, tx, original) {
  chapter('Undo')
  const [receipt, took] = await timed(() => journal.undo(tx, { message: 'not today' }))
  say(`undone by transaction ${receipt.seq}, in ${took}: history is added to, never rewritten`)
  const wrong = differences(await readTree(journal.root), original)
  const also = process.platform === 'win32' ? '' : ', modes too'
  prove(wrong.length === 0, `the tree is the original again, byte for byte${also}, and nothing is left over`, wrong)
  prove(run(journal.root) === WORKS, 'node loads it')
}

async function replay(journal, original, whole) {
  chapter('Replay the history into other folders, and check all of it')
  const moments = [
    [1, original, 'as first written'],
    [2, whole, 'refactored'],
    [3, original, 'undone'],
  ]
  for (const [at, expected, name] of moments) {
    const to = join(temporary, `replayed-${at}`)
    const [result, took] = await timed(() => journal.replay({ to, at }))
    const wrong = differences(await readTree(to), expected)
    prove(
      wrong.length === 0,
      `transaction ${at} (${name}): ${result.files} files in ${took}, every byte the same`,
      wrong,
    )
  }
  const [report, took] = await timed(() => journal.verify({ workspace: true }))
  const problems = report.problems.map((problem) => problem.message)
  prove(
    report.ok,
    `verify: ${report.transactions} transactions, ${report.frames} frames, chain and contents right, ${took}`,
    problems,
  )
  const { logBytes, blobBytes } = await journal.stats()
  say(dim(`three whole trees and all that lies between, in a journal of ${size(logBytes + blobBytes)}`))
}

/** Interrupts the refactoring until a kill lands in the middle of it, each time in a fresh workspace. */
async function untilCaught(first, original, whole) {
  const changing = [...new Set([...original.keys(), ...whole.keys()])].filter(
    (path) => !path.endsWith('/') && !same(original.get(path), whole.get(path)),
  )
  let root = first
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const args = [root, JSON.stringify([...original.keys()])]
    const end = await interrupt(child, args, { root, changing, depth: DEPTH })
    if (!end.killed || end.acknowledged || end.seen === end.watched) say(dim('the child was faster than the kill'))
    else if (end.seen === 0) say(dim('the kill came before the first file'))
    else {
      const counts = progress(await readTree(root), original, whole)
      if (counts.old > 0 && counts.new > 0) return { root, ...end }
      say(dim(counts.old === 0 ? 'the kill came after the last file' : 'the kill came before the first file'))
    }
    if (attempt === ATTEMPTS) break
    rmSync(root, { recursive: true, force: true })
    root = join(temporary, `workspace-${attempt + 1}`)
    await fill(root, original)
    say(dim(`once more, in a fresh workspace (attempt ${attempt + 1} of ${ATTEMPTS})`))
  }
  throw new Error(`Does not hold: one of ${ATTEMPTS} kills lands while the files are being replaced`)
}

/** Makes the workspace `root` and writes `tree` into it through a journal; gives the time the transaction took. */
async function fill(root, tree) {
  mkdirSync(root)
  const journal = await openJournal(root, { actor: 'demo' })
  try {
    const meta = { message: 'lodash-es as published' }
    const [, took] = await timed(() =>
      journal.transact(meta, async (tx) => {
        for (const [path, { bytes, mode }] of tree) await tx.write(path, bytes, { mode })
      }),
    )
    const wrong = differences(await readTree(root), tree)
    if (wrong.length > 0) throw new Error(`Does not hold: the tree is what was written (${wrong[0]})`)
    return took
  } finally {
    await journal.close()
  }
}

/** The package's files with ordinary modes, whatever the installation gave them. */
function asWritten(tree) {
  const files = [...tree].filter(([path, { kind }]) => kind === 'file' && !path.includes('/'))
  return new Map(files.map(([path, file]) => [path, { ...file, mode: 0o644 }]))
}

/** What node says when it loads the library in `root` and uses it. */
function run(root) {
  const url = pathToFileURL(join(root, 'lodash.js')).href
  const program = `import { chunk } from ${JSON.stringify(url)}; console.log(JSON.stringify(chunk(['a', 'b', 'c'], 2)))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  if (stdout.trim() !== '') return stdout.trim()
  const message = stderr.split('\n').find((line) => /^\w*Error/.test(line)) ?? stderr.trim()
  return message
    .replaceAll(pathToFileURL(root).href, '')
    .replaceAll(root, '')
    .replace(/ imported from .*/, '')
}

/** Permission bits of a folder made the ordinary way. */
function modeOfNewFolder() {
  const folder = join(temporary, 'folder')
  mkdirSync(folder)
  return statSync(folder).mode & 0o777
}

function excerpt(path, file, paint) {
  quote(path, cyan)
  for (const line of file.bytes.toString().split('\n').slice(0, 2)) quote(line, paint)
}
