import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openJournal } from '../../dist/index.js'
import { settled } from '../../dist/safety/validation/options.js'
import { Validation } from '../../dist/safety/validation/validation.js'
import { content, figure, interleave, median, time } from '../measure.mjs'
import { table } from '../table.mjs'

const KIB = 1024
const SIZES = [1, 10, 100]
/** A piece of a sound text for each type; `n` makes it another one. */
const PIECES = {
  json: ['a.json', (n) => `{"name":"item ${n}","values":[${n},2.5,true],"nested":{"a":null}}`],
  yaml: ['a.yaml', (n) => `item-${n}:\n  name: "a name"\n  values: [${n}, 2.5, true]\n  nested: {a: ~}\n`],
  toml: ['a.toml', (n) => `[item-${n}]\nname = "a name"\nvalues = [${n}, 2, 3]\nat = 2026-11-21T10:00:00Z\n`],
  ini: ['a.ini', (n) => `[item ${n}]\nname = a name\nvalues = ${n}, 2.5\n; a comment\n`],
  markdown: [
    'a.md',
    (n) => `## Heading ${n}\n\nSome *text* with \`code\` and [a link](#heading-${n}).\n\n- one\n- two\n\n`,
  ],
  javascript: [
    'a.js',
    (n) => `export function f${n}(a, { b = 1 } = {}) {\n  return a?.map((x) => x * b + ${n}) ?? []\n}\n`,
  ],
  typescript: [
    'a.ts',
    (n) =>
      `export const f${n} = <T extends object>(a: readonly T[]): Map<string, T> => new Map(a.map((x, i) => [\`\${i}\`, x]))\n`,
  ],
  python: ['a.py', (n) => `def f${n}(a, *, b=1):\n    """A text."""\n    return [x * b + ${n} for x in a if x]\n\n\n`],
  go: [
    'a.go',
    (n) =>
      `func f${n}(a []int, b int) (sum int) {\n\tfor _, x := range a {\n\t\tsum += x * b\n\t}\n\treturn sum\n}\n\n`,
  ],
}

export const title = 'Validation (median milliseconds)'

/** Nothing is looked for in the workspace: this is `basic`. */
const sight = { root: '/', look: () => null, read: async () => null }

let serial = 0

function textOf(type, bytes) {
  const [, piece] = PIECES[type]
  const open = { json: '[', go: 'package main\n\n' }[type] ?? ''
  const parts = []
  for (let length = 0; length < bytes; length += parts.at(-1).length + 1) {
    serial += 1
    parts.push(piece(serial))
  }
  return Buffer.from(open + parts.join(type === 'json' ? ',' : '') + (type === 'json' ? ']' : ''))
}

function candidate(type, bytes) {
  const hash = createHash('sha256').update(bytes).digest('hex')
  return { path: PIECES[type][0], hash, size: bytes.byteLength, read: async () => bytes }
}

async function examined(validation, candidates) {
  const { issues } = await validation.examine(candidates, sight)
  if (issues.length > 0) throw new Error(`${issues[0].path}:${issues[0].line}: ${issues[0].message}`)
}

export async function measure({ folder, quick }) {
  const types = await byType(quick)
  const commits = await byCommit(folder, quick)
  return {
    results: { types, commits },
    text: `${printTypes(types)}\n\n${printCommits(commits)}`,
    targets: targets(commits),
  }
}

async function byType(quick) {
  const results = {}
  for (const type of Object.keys(PIECES)) {
    const first = []
    for (let round = 0; round < (quick ? 1 : 5); round += 1) {
      const fresh = new Validation(settled('basic'))
      const one = candidate(type, textOf(type, KIB))
      first.push(await time(() => examined(fresh, [one])))
      await fresh.close()
    }
    const validation = new Validation(settled('basic'))
    const sizes = {}
    for (const size of SIZES) {
      const times = []
      let last
      for (let round = 0; round < (quick ? 10 : 50); round += 1) {
        last = candidate(type, textOf(type, size * KIB))
        times.push(await time(() => examined(validation, [last])))
      }
      const again = []
      for (let round = 0; round < 200; round += 1) again.push(await time(() => examined(validation, [last])))
      sizes[size] = { fresh: median(times.slice(5)), again: median(again) }
    }
    await validation.close()
    results[type] = { first: median(first), sizes }
  }
  return results
}

async function byCommit(folder, quick) {
  const kinds = [
    ['no validation', undefined, 'a.json'],
    ["validation: 'off'", 'off', 'a.json'],
    ["'basic', a type that nobody looks at", 'basic', 'a.txt'],
    ["'basic', JSON", 'basic', 'a.json'],
  ]
  const runners = []
  const journals = []
  for (const [index, [name, validation, path]] of kinds.entries()) {
    const root = join(folder, `validation-${index}`)
    await mkdir(root)
    const journal = await openJournal(root, validation === undefined ? {} : { validation })
    journals.push(journal)
    runners.push({
      name,
      run: () => {
        const text = JSON.stringify(content(512).toString('hex'))
        return time(() => journal.write(path, text))
      },
    })
  }
  const times = await interleave(runners, { rounds: quick ? 50 : 600, warmUp: quick ? 20 : 100 })
  for (const journal of journals) await journal.close()
  return Object.fromEntries([...times].map(([name, list]) => [name, median(list)]))
}

function printTypes(types) {
  const head = ['type', 'first in a process', ...SIZES.map((size) => `${size} KiB`), 'known content']
  const rows = Object.entries(types).map(([type, { first, sizes }]) => [
    type,
    figure(first),
    ...SIZES.map((size) => figure(sizes[size].fresh)),
    sizes[100].again.toFixed(3),
  ])
  return table(head, rows)
}

function printCommits(commits) {
  return table(
    ['a commit of 1 KiB', 'ms'],
    Object.entries(commits).map(([name, value]) => [name, value.toFixed(3)]),
  )
}

function targets(commits) {
  const ratio = commits["validation: 'off'"] / commits['no validation']
  return [
    {
      target: 'a commit with validation off takes at most 1.03 times as long as one without',
      found: `${ratio.toFixed(3)} times`,
      reached: ratio <= 1.03,
    },
  ]
}
