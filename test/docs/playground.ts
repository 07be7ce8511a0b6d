import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DIST } from '../crash/built.ts'
import type { Example } from './fence.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))
/** What the pages call the workspace, and the person. */
const WORKSPACE = '/home/anna/project'
const ACTOR = 'anna'
/** Recorded only when the superuser writes. */
const OWNER = /,"owner":\{"uid":\d+,"gid":\d+\}/g
const END = '@@ end of a command @@'
/** What the examples use besides. */
const OTHERS = ['ai', '@langchain', 'isomorphic-git']

/** A folder with the package installed and `journal` on the path, where the examples of a page run one after another. */
export class Playground {
  readonly #folder = realpathSync(mkdtempSync(join(tmpdir(), 'journal-docs-')))
  readonly #workspace = join(this.#folder, 'project')
  #count = 0

  constructor() {
    const installed = join(this.#folder, 'node_modules', 'write-journal')
    mkdirSync(installed, { recursive: true })
    mkdirSync(join(this.#folder, 'bin'))
    mkdirSync(this.#workspace)
    copyFileSync(join(project, 'package.json'), join(installed, 'package.json'))
    symlinkSync(DIST, join(installed, 'dist'), 'junction')
    for (const name of OTHERS) {
      symlinkSync(join(project, 'node_modules', name), join(this.#folder, 'node_modules', name), 'junction')
    }
    const command = join(this.#folder, 'bin', 'journal')
    writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${DIST}/cli/main.js" "$@"\n`)
    chmodSync(command, 0o755)
  }

  /** Runs them and returns the lines that each printed, standard error included. */
  run(examples: readonly Example[]): string[][] {
    const printed: string[][] = []
    for (let at = 0; at < examples.length; ) {
      if (examples[at]?.kind === 'module') {
        printed.push(this.#module((examples[at] as Example).source))
        at += 1
        continue
      }
      let end = at
      while (examples[end]?.kind === 'console') end += 1
      printed.push(...this.#commands(examples.slice(at, end).map(({ source }) => source)))
      at = end
    }
    return printed
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** An example that opens no journal itself, nor has one opened, finds one open. */
  #module(source: string): string[] {
    const whole = /openJournal\(|from 'write-journal\/write-file-atomic'/.test(source)
      ? source
      : `import { openJournal, JournalError } from 'write-journal'
const journal = await openJournal('.')
${source}
await journal.close()`
    this.#count += 1
    const file = join(this.#folder, `example-${this.#count}.mjs`)
    writeFileSync(file, whole)
    return linesOf(this.#spawn(process.execPath, [file]))
  }

  #commands(commands: readonly string[]): string[][] {
    const script = commands.map((command) => `{\n${command}\n} 2>&1\nlast=$?\necho '${END}'\n(exit $last)`)
    const printed = this.#spawn('bash', ['-c', `umask 022\n${script.join('\n')}`])
    return printed
      .split(`${END}\n`)
      .slice(0, -1)
      .map((text) => linesOf(text))
  }

  #spawn(program: string, args: readonly string[]): string {
    const env: NodeJS.ProcessEnv = { ...process.env, WRITE_JOURNAL_ACTOR: ACTOR, NO_COLOR: '1' }
    for (const name of ['FORCE_COLOR', 'DEBUG', 'WRITE_JOURNAL_LEGACY', 'NODE_OPTIONS']) delete env[name]
    env.PATH = `${join(this.#folder, 'bin')}:${env.PATH}`
    const { stdout, stderr, error } = spawnSync(program, args, { cwd: this.#workspace, env, encoding: 'utf8' })
    if (error !== undefined) throw error
    return `${stdout}${stderr}`
      .replaceAll(this.#workspace, WORKSPACE)
      .replaceAll(this.#folder, dirname(WORKSPACE))
      .replace(OWNER, '')
  }
}

function linesOf(text: string): string[] {
  const lines = text.replaceAll('\t', '  ').split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** Makes what differs from run to run alike: ids and hashes by the order in which they first appear, times, sizes, numbers of frames. */
export class Normalizer {
  readonly #names = new Map<string, string>()

  line(line: string): string {
    return line
      .replace(/\b(t[0-9a-z]{15}|[0-9a-f]{64}|[0-9a-f]{32})\b/g, (found) => this.#name(found))
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>')
      .replace(/\b\d{13}\b/g, '<milliseconds>')
      .replace(/\b\d+ frames\b/g, '<some> frames')
      .replace(/\b[\d.]+ [KM]iB\b/g, '<size>')
      .replace(/\bprocess \d+\b/g, 'process <id>')
      .replace(/[ \t]+/g, ' ')
      .trimEnd()
  }

  #name(found: string): string {
    const known = this.#names.get(found) ?? `<${this.#names.size + 1}>`
    this.#names.set(found, known)
    return known
  }
}
