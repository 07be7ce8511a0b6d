import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll } from 'vitest'
import { type Journal, type OpenOptions, openJournal } from '../../src/index.ts'

const folders: string[] = []
const journals: Journal[] = []

afterAll(async () => {
  for (const journal of journals) await journal.close().catch(() => undefined)
  for (const folder of folders) {
    execFileSync('chmod', ['-R', 'u+rwX', folder])
    fs.rmSync(folder, { recursive: true, force: true })
  }
}, 60_000)

/** A folder of its own, gone after the tests of the file. */
export function scratch(): string {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'journal-capture-')))
  folders.push(folder)
  return folder
}

export async function opened(root: string, options: OpenOptions = {}): Promise<Journal> {
  const journal = await openJournal(root, { durability: 'os', ...options })
  journals.push(journal)
  return journal
}

export interface Ground {
  readonly root: string
  readonly journal: Journal
  /** Runs a script of the shell in the workspace. */
  sh(script: string): void
  write(name: string, content: string | Uint8Array): void
  read(name: string): string
  has(name: string): boolean
}

/** A workspace with an open journal. */
export async function ground(options: OpenOptions = {}, root = scratch()): Promise<Ground> {
  const journal = await opened(root, options)
  const at = (name: string): string => path.join(root, name)
  return {
    root,
    journal,
    sh: (script) => {
      execFileSync('bash', ['-e', '-c', script], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    },
    write: (name, content) => {
      fs.mkdirSync(path.dirname(at(name)), { recursive: true })
      fs.writeFileSync(at(name), content)
    },
    read: (name) => fs.readFileSync(at(name), 'utf8'),
    has: (name) => fs.lstatSync(at(name), { throwIfNoEntry: false }) !== undefined,
  }
}

/** Everything in a workspace but its journal: kind, permissions, content or target by path. */
export function tree(root: string): Record<string, string> {
  const found: Record<string, string> = {}
  const visit = (folder: string): void => {
    for (const name of fs.readdirSync(path.join(root, folder)).sort()) {
      const relative = folder === '' ? name : `${folder}/${name}`
      if (relative === '.journal') continue
      const file = path.join(root, relative)
      const stat = fs.lstatSync(file)
      const mode = (stat.mode & 0o7777).toString(8)
      if (stat.isSymbolicLink()) found[relative] = `link ${fs.readlinkSync(file)}`
      else if (stat.isDirectory()) {
        found[relative] = `folder ${mode}`
        visit(relative)
      } else if (stat.isFile()) found[relative] = `file ${mode} ${fs.readFileSync(file).toString('base64')}`
      else found[relative] = `other ${mode}`
    }
  }
  visit('')
  return found
}
