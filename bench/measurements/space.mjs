import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, brotliDecompressSync, constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import { openJournal } from '../../dist/index.js'
import { content, figure, median, time } from '../measure.mjs'
import { table } from '../table.mjs'

const KIB = 1024
const TEXT = 100 * KIB
const EDIT = 20
const COPIES = 100
const source = join(dirname(fileURLToPath(import.meta.url)), '../../src')

export const title = 'Space of the history'

/** Many small edits of a text, against git; the same content many times; a large file that grows; and what codecs take. */
export async function measure({ folder, quick, note, progress }) {
  const edits = quick ? 100 : 1000
  const text = sourceText()
  const ours = await inJournal(join(folder, 'journal'), text, edits, progress)
  const theirs = inGit(join(folder, 'git'), text, edits, progress)
  if (theirs === null) note('git is not there: nothing to compare with')
  const same = await identical(join(folder, 'same'))
  const growing = await growth(join(folder, 'growing'), quick ? 8 : 64)
  const codecs = measureCodecs(text)
  const rows = [
    ['write-journal: log and blobs', bytes(ours.history), bytes(ours.history / edits)],
    ['write-journal: index (a projection, may be deleted)', bytes(ours.index), bytes(ours.index / edits)],
    ['git gc: objects', theirs === null ? '-' : bytes(theirs), theirs === null ? '-' : bytes(theirs / edits)],
    ['each version whole', bytes(edits * TEXT), bytes(TEXT)],
  ]
  const ratio = theirs === null ? null : ours.history / theirs
  const text_ = [
    `${edits} edits of ${EDIT} bytes of a source text of ${TEXT / KIB} KiB, a transaction each (bytes):`,
    table(['', 'all', 'an edit'], rows),
    `Ratio to git: ${ratio === null ? '-' : ratio.toFixed(2)}. Reading a version back takes ${figure(ours.reading)} ms (median of 50), writing one ${figure(ours.writing)} ms.`,
    `The same ${TEXT / KIB} KiB, random, at ${COPIES} paths: ${bytes(same.history)} bytes, ${bytes(same.more)} for each path after the first.`,
    `An append of ${growing.added} bytes to a file of ${growing.size} MiB: ${bytes(growing.each)} bytes of history (mean of ${growing.count}).`,
    'Codecs, on the beginning of the text:',
    table(['codec', 'bytes', 'of', 'microseconds', 'back'], codecs),
  ].join('\n\n')
  const targets = [
    { target: 'identical contents once', found: `${bytes(same.more)} bytes a path`, reached: same.more < 1024 },
    {
      target: 'an append to a large file: space in proportion to what is added',
      found: `${bytes(growing.each)} bytes for ${growing.added}`,
      reached: growing.each < 1024 + 2 * growing.added,
    },
  ]
  if (ratio !== null)
    targets.unshift({
      target: `${edits} small edits of ${TEXT / KIB} KiB: at most twice what git takes after gc`,
      found: `${ratio.toFixed(2)} times`,
      reached: ratio <= 2,
    })
  return { results: { edits, ours, git: theirs, same, growing, codecs }, text: text_, targets }
}

const bytes = (value) => Math.round(value).toLocaleString('en-US')

/** What this library is made of, one file after another, cut off. */
function sourceText() {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  return Buffer.concat(files.sort().map((name) => readFileSync(join(source, name)))).subarray(0, TEXT)
}

/** The texts, one after another: each has other letters at a place that is drawn. */
function* edited(text, count) {
  let state = 1
  const draw = (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return Math.floor((state / 0x8000_0000) * limit)
  }
  const now = Buffer.from(text)
  for (let n = 0; n < count; n += 1) {
    const at = draw(now.length - EDIT)
    for (let k = 0; k < EDIT; k += 1) now[at + k] = 97 + draw(26)
    yield Buffer.from(now)
  }
}

async function inJournal(root, text, edits, progress) {
  mkdirSync(root)
  let journal = await openJournal(root, { actor: 'bench' })
  await journal.write('source.ts', text)
  const versions = []
  const writing = []
  for (const version of edited(text, edits)) {
    versions.push(version)
    if (versions.length % 100 === 0) progress(`editing: ${versions.length} of ${edits}`)
    writing.push(await time(() => journal.write('source.ts', version, { message: `edit ${versions.length}` })))
  }
  const history = await historyOf(journal)
  const { indexBytes } = await journal.stats()
  await journal.close()
  journal = await openJournal(root, { readOnly: true })
  const reading = []
  for (let n = 0; n < 50; n += 1) {
    const which = (n * 7919) % edits
    let read
    reading.push(
      await time(async () => {
        read = await journal.readAt('source.ts', which + 2)
      }),
    )
    if (Buffer.compare(read, versions[which]) !== 0) throw new Error(`version ${which} does not read back`)
  }
  await journal.close()
  return { history, index: indexBytes, reading: median(reading), writing: median(writing) }
}

/** Log and blobs, without the space reserved ahead. */
async function historyOf(journal) {
  await journal.compact()
  const { logBytes, blobBytes } = await journal.stats()
  return logBytes + blobBytes
}

/** Bytes of objects, their index and commit graph, after `git gc`; null without git. */
function inGit(root, text, edits, progress) {
  mkdirSync(root)
  const names = { GIT_AUTHOR_NAME: 'bench', GIT_AUTHOR_EMAIL: 'b@example.org' }
  const env = { ...process.env, ...names, GIT_COMMITTER_NAME: 'bench', GIT_COMMITTER_EMAIL: 'b@example.org' }
  const git = (...given) => {
    const run = spawnSync('git', given, { cwd: root, env, encoding: 'utf8' })
    if (run.error !== undefined) return false
    if (run.status !== 0) throw new Error(`git ${given[0]}: ${run.stderr}`)
    return true
  }
  if (!git('init', '-q')) return null
  let n = 0
  for (const version of [text, ...edited(text, edits)]) {
    writeFileSync(join(root, 'source.ts'), version)
    git('add', 'source.ts')
    git('commit', '-q', '--no-verify', '-m', `edit ${n}`)
    n += 1
    if (n % 100 === 0) progress(`git: ${n} of ${edits}`)
  }
  git('gc', '-q')
  return sizeBelow(join(root, '.git/objects'))
}

function sizeBelow(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0)
}

async function identical(root) {
  mkdirSync(root)
  const journal = await openJournal(root, { actor: 'bench' })
  const random = content(TEXT)
  await journal.write('copy-0', random)
  const first = await historyOf(journal)
  for (let n = 1; n < COPIES; n += 1) await journal.write(`copy-${n}`, random)
  const history = await historyOf(journal)
  await journal.close()
  return { history, more: (history - first) / (COPIES - 1) }
}

async function growth(root, size) {
  const count = 20
  const added = 100
  mkdirSync(root)
  const journal = await openJournal(root, { actor: 'bench' })
  await journal.write('large', content(size * KIB * KIB))
  const before = await historyOf(journal)
  for (let n = 0; n < count; n += 1) await journal.append('large', content(added))
  const each = ((await historyOf(journal)) - before) / count
  await journal.close()
  return { size, count, added, each }
}

function measureCodecs(text) {
  const brotli = (quality) => (data) =>
    brotliCompressSync(data, {
      params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: data.length },
    })
  const deflate = (level) => (data) => deflateRawSync(data, { level, chunkSize: data.length })
  const codecs = [
    ['deflate 1', deflate(1), inflateRawSync],
    ['deflate 3', deflate(3), inflateRawSync],
    ['deflate 6', deflate(6), inflateRawSync],
    ['brotli 1', brotli(1), brotliDecompressSync],
    ['brotli 4', brotli(4), brotliDecompressSync],
    ['brotli 6', brotli(6), brotliDecompressSync],
  ]
  const rows = []
  for (const size of [4, 16, 100]) {
    const data = text.subarray(0, size * KIB)
    for (const [name, there, back] of codecs) {
      const compressed = there(data)
      rows.push([
        name,
        bytes(compressed.length),
        `${size} KiB`,
        microseconds(() => there(data)),
        microseconds(() => back(compressed)),
      ])
    }
  }
  return rows
}

function microseconds(work) {
  const times = []
  for (let n = 0; n < 120; n += 1) {
    const begun = performance.now()
    work()
    if (n >= 20) times.push(performance.now() - begun)
  }
  return figure(median(times) * 1000)
}
