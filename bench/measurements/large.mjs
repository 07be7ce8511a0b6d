import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import { openJournal } from '../../dist/index.js'
import { journalSize } from '../journal-size.mjs'
import { figure, interleave, median, time } from '../measure.mjs'
import { table } from '../table.mjs'

const MIB = 1024 * 1024
const LINE = 64
/** Edits that an engine makes in a row: the first of them finds the text gone from the processor's caches, and is not counted. */
const TURN = 6

export const title = 'A small change to a large file (median milliseconds)'

/** Twenty bytes of one line in the middle of 10 MiB of text, and 100 bytes at the end of a large file. Every engine has a file of its own. */
export async function measure({ folder, quick, progress }) {
  const rounds = quick ? 5 : 21
  const edit = await measureEdit(join(folder, 'edit'), rounds)
  progress('making the large files')
  const append = await measureAppend(join(folder, 'append'), quick ? 64 * MIB : 1024 * MIB, quick ? 3 : 7)
  const names = Object.keys(edit.times)
  const rows = [
    ['20 bytes in 10 MiB', ...names.map((name) => figure(edit.times[name]))],
    ['the first of a turn', ...names.map((name) => figure(edit.first[name]))],
    [
      `100 bytes to ${append.size / MIB} MiB`,
      ...names.map((name) => (append.times[name] === undefined ? '-' : figure(append.times[name]))),
    ],
  ]
  const ratio = (name) => edit.times[name] / edit.times['write-journal']
  return {
    results: { edit, append },
    text: `${table(['change', ...names], rows)}\n\nJournal for one change: ${figure(edit.journalBytes)} bytes for the edit, ${figure(append.journalBytes)} for the append.`,
    targets: [
      {
        target: '20 bytes in 10 MiB: write-file-atomic takes at least 10 times as long',
        found: `${figure(ratio('write-file-atomic'))} times`,
        reached: ratio('write-file-atomic') >= 10,
      },
      {
        target: '20 bytes in 10 MiB: fs.writeFile takes at least 3 times as long',
        found: `${figure(ratio('fs.writeFile'))} times`,
        reached: ratio('fs.writeFile') >= 3,
      },
      {
        target: '20 bytes in 10 MiB: at most 4 KiB of journal',
        found: `${figure(edit.journalBytes)} bytes`,
        reached: edit.journalBytes <= 4096,
      },
      {
        target: '100 bytes to a large file: at most 4 KiB of journal',
        found: `${figure(append.journalBytes)} bytes`,
        reached: append.journalBytes <= 4096,
      },
    ],
  }
}

const lineOf = (number, mark) => `${String(number).padStart(20, '0')} ${mark} `.padEnd(LINE - 1, 'x').concat('\n')
const markOf = (round) => `mark ${String(round).padStart(15, '0')}`

async function measureEdit(folder, rounds) {
  const lines = (10 * MIB) / LINE
  const middle = lines >> 1
  const text = Array.from({ length: lines }, (_, number) => lineOf(number, markOf(0))).join('')
  const engines = {
    'write-journal': await journalIn(join(folder, 'journal')),
    'write-file-atomic': await wholeIn(join(folder, 'atomic'), writeFileAtomic),
    'fs.writeFile': await wholeIn(join(folder, 'plain'), writeFile),
  }
  for (const { write } of Object.values(engines)) await write(text)
  const runners = Object.entries(engines).map(([name, engine]) => {
    let round = 0
    return {
      name,
      async run() {
        const taken = []
        for (let edits = 0; edits < TURN; edits += 1) {
          round += 1
          taken.push(await time(() => engine.edit(lineOf(middle, markOf(round - 1)), lineOf(middle, markOf(round)))))
        }
        return taken
      },
    }
  })
  const turns = await interleave(runners, { rounds, warmUp: 3 })
  const part = (which) => mediansOf(new Map([...turns].map(([name, list]) => [name, list.flatMap(which)])))
  const journal = engines['write-journal']
  const before = journal.bytes()
  await journal.edit(lineOf(middle, markOf((rounds + 3) * TURN)), lineOf(middle, 'for the scales'))
  const journalBytes = journal.bytes() - before
  await journal.close()
  return { times: part(([, ...others]) => others), first: part(([first]) => [first]), journalBytes }
}

async function measureAppend(folder, size, rounds) {
  const journal = await journalIn(join(folder, 'journal'))
  const plain = join(folder, 'plain')
  await mkdir(plain, { recursive: true })
  await makeLarge(join(plain, 'file'), size)
  await makeLarge(join(folder, 'journal', 'file'), size)
  const addition = 'y'.repeat(99).concat('\n')
  const runners = [
    { name: 'write-journal', run: () => time(() => journal.append(addition)) },
    { name: 'fs.writeFile', run: () => time(() => appendFile(join(plain, 'file'), addition)) },
  ]
  const times = await interleave(runners, { rounds, warmUp: 2 })
  const before = journal.bytes()
  await journal.append(addition)
  const journalBytes = journal.bytes() - before
  await journal.close()
  return { size, times: mediansOf(times), journalBytes }
}

function mediansOf(times) {
  return Object.fromEntries([...times].map(([name, list]) => [name, median(list)]))
}

async function makeLarge(file, size) {
  const stream = createWriteStream(file)
  const piece = Buffer.alloc(MIB, lineOf(1, markOf(0)))
  for (let at = 0; at < size; at += piece.byteLength) if (!stream.write(piece)) await once(stream, 'drain')
  stream.end()
  await once(stream, 'finish')
}

async function journalIn(folder) {
  await mkdir(folder, { recursive: true })
  const journal = await openJournal(folder, { actor: 'bench' })
  return {
    write: (text) => journal.write('file', text),
    edit: (oldText, newText) => journal.edit('file', [{ oldText, newText }]),
    append: (text) => journal.append('file', text),
    bytes: () => journalSize(folder),
    close: () => journal.close(),
  }
}

async function wholeIn(folder, writeWhole) {
  await mkdir(folder, { recursive: true })
  const file = join(folder, 'file')
  return {
    write: (text) => writeWhole(file, text),
    async edit(oldText, newText) {
      const text = await readFile(file, 'utf8')
      await writeWhole(file, text.replace(oldText, newText))
    },
  }
}
