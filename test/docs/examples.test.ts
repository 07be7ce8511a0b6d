import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import { CATALOGUE } from '../../src/cli/catalogue.ts'
import { RECOVERY_TABLE } from '../../src/recovery/table.ts'
import { DIST } from '../crash/built.ts'
import { type Example, examplesOf } from './fence.ts'
import { Normalizer, Playground } from './playground.ts'

vi.setConfig({ testTimeout: 120_000 })

/** Writes what the examples really print into the pages: `UPDATE_EXAMPLES=1 npx vitest run test/docs`. */
const UPDATE = process.env.UPDATE_EXAMPLES === '1'

function fileOf(name: string): string {
  return fileURLToPath(new URL(`../../${name}`, import.meta.url))
}

function read(name: string): string {
  return readFileSync(fileOf(name), 'utf8')
}

/** Lines with what differs from run to run made alike. */
function alike(printed: readonly (readonly string[])[]): string[][] {
  const normalizer = new Normalizer()
  return printed.map((lines) => lines.map((line) => normalizer.line(line)))
}

function update(name: string, examples: readonly Example[], printed: readonly (readonly string[])[]): void {
  const lines = read(name).split('\n')
  for (const [index, { kind, at, source }] of [...examples.entries()].reverse()) {
    const found = printed[index] ?? []
    if (kind === 'module' && found.length > 0 && !lines[at.start - 1]?.startsWith('```text')) {
      throw new Error(`${name}: there is no text block for what this prints: ${source}`)
    }
    lines.splice(at.start, at.end - at.start, ...found)
  }
  writeFileSync(fileOf(name), lines.join('\n'))
}

describe.skipIf(process.platform === 'win32')('the examples print what the page says', () => {
  test.each([
    'README.md',
    'docs/library.md',
    'docs/edit.md',
    'docs/command-line.md',
    'docs/claude-code.md',
    'docs/recovery.md',
    'docs/files.md',
    'docs/validation.md',
    'docs/processes.md',
    'docs/undo.md',
    'docs/events.md',
    'docs/mcp.md',
    'docs/builder.md',
    'docs/shell.md',
    'docs/embed.md',
    'docs/from-write-file-atomic.md',
    'docs/team.md',
  ])('%s', (name) => {
    if (!existsSync(`${DIST}/cli/main.js`)) {
      throw new Error(
        `${DIST} is missing: run 'npm run build' first (or 'npm test', which does), or set WRITE_JOURNAL_DIST`,
      )
    }
    const examples = examplesOf(read(name))
    expect(examples.length).toBeGreaterThan(0)
    const playground = new Playground()
    try {
      const printed = playground.run(examples)
      const documented = alike(examples.map((example) => example.printed))
      const found = alike(printed)
      if (UPDATE && JSON.stringify(documented) !== JSON.stringify(found)) update(name, examples, printed)
      else {
        for (const [index, { source }] of examples.entries()) {
          expect(found[index], `${name}: ${source}`).toEqual(documented[index])
        }
      }
    } finally {
      playground.remove()
    }
  })
})

describe('nothing is left out', () => {
  test('every error code stands in the table of docs/library.md', () => {
    const source = read('src/errors.ts')
    const union = source.slice(source.indexOf('export type ErrorCode'), source.indexOf('export interface ErrorDetails'))
    const codes = [...union.matchAll(/\| '([A-Z_]+)'/g)].map(([, code]) => code as string)
    expect(codes).toContain('CONFLICT')
    const page = read('docs/library.md')
    const documented = [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code as string)
    expect(documented.sort()).toEqual(codes.sort())
  })

  test('every command has a section in docs/command-line.md', () => {
    const names = CATALOGUE.flatMap(({ commands }) => commands.map(({ name }) => name))
    const headings = [...read('docs/command-line.md').matchAll(/^### `journal ([a-z]+)/gm)].map(([, name]) => name)
    expect(headings.sort()).toEqual(names.sort())
  })

  test.each(['docs/recovery.md', 'docs/reliability.md'])('%s prints the recovery table', (name) => {
    const rows = RECOVERY_TABLE.map(
      ({ found, restarted, decision, reason }) => `| ${found} | ${restarted} | ${decision} | ${reason} |`,
    )
    const page = read(name).split('\n')
    const head = page.indexOf('| found | restarted | decision | reason |')
    expect(head).toBeGreaterThan(0)
    expect(page.slice(head + 2, page.indexOf('', head))).toEqual(rows)
  })

  test('every dependency has its reason in docs/dependencies.md', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, object>
    const names = [...Object.keys(dependencies ?? {}), ...Object.keys(devDependencies ?? {})]
    const documented = [...read('docs/dependencies.md').matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name)
    expect(documented.sort()).toEqual(names.sort())
  })

  test('links between the pages lead somewhere', () => {
    const pages = [
      'README.md',
      'CHANGELOG.md',
      'library',
      'edit',
      'command-line',
      'claude-code',
      'recovery',
      'reliability',
      'files',
      'security',
      'validation',
      'processes',
      'undo',
      'events',
      'mcp',
      'builder',
      'shell',
      'embed',
      'from-write-file-atomic',
      'team',
    ]
      .concat('architecture', 'performance', 'dependencies')
      .map((name) => (name.endsWith('.md') ? name : `docs/${name}.md`))
    for (const page of pages) {
      for (const [, link] of read(page).matchAll(/\]\((?!https?:)([^)#\s]+)/g)) {
        const folder = page.startsWith('docs/') ? 'docs/' : ''
        expect(existsSync(fileURLToPath(new URL(`../../${folder}${link}`, import.meta.url))), `${page}: ${link}`).toBe(
          true,
        )
      }
    }
  })

  test('lines of the pages are of a readable length', () => {
    for (const page of [
      'README.md',
      'docs/library.md',
      'docs/edit.md',
      'docs/command-line.md',
      'docs/claude-code.md',
      'docs/recovery.md',
      'docs/files.md',
      'docs/validation.md',
      'docs/processes.md',
      'docs/undo.md',
      'docs/events.md',
      'docs/mcp.md',
      'docs/builder.md',
      'docs/shell.md',
      'docs/embed.md',
      'docs/from-write-file-atomic.md',
      'docs/team.md',
    ]) {
      const prose = read(page).replace(/```[\s\S]*?```/g, '')
      for (const line of prose.split('\n')) expect(line.length, `${page}: ${line}`).toBeLessThanOrEqual(160)
    }
  })
})
