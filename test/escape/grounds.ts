import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { applyBatch, readBatch } from '../../src/cli/batch.ts'
import type { Disk } from '../../src/disk/disk.ts'
import { type Journal, type OpenOptions, openJournal } from '../../src/index.ts'

/** A workspace with something outside of it that must never change. */
export class Grounds {
  readonly base = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'escape-')))
  readonly root = `${this.base}/ws`
  readonly outside = `${this.base}/outside`

  constructor() {
    for (const folder of ['ws/folder', 'ws/nested/.journal/log', 'outside/folder', 'ws/.git']) {
      fs.mkdirSync(`${this.base}/${folder}`, { recursive: true })
    }
    for (const file of [
      'outside/file',
      'outside/folder/file',
      'ws/kept',
      'ws/folder/file',
      'ws/nested/.journal/FORMAT',
    ])
      fs.writeFileSync(`${this.base}/${file}`, 'kept\n', { mode: 0o640 })
  }

  open(options: OpenOptions = {}): Promise<Journal> {
    return openJournal(this.root, { durability: 'os', ...options })
  }

  /** Everything that no transaction may touch, byte for byte. `idle`: the journal's own files too. */
  canary(idle = false): string {
    const own = ['FORMAT', 'WORKSPACE', ...(idle ? ['log'] : [])].map((name) => `${this.root}/.journal/${name}`)
    return [this.outside, `${this.root}/nested/.journal`, ...own].map(describe).join('\n')
  }

  pipe(name: string): void {
    execFileSync('mkfifo', [`${this.root}/${name}`])
  }

  remove(): void {
    fs.rmSync(this.base, { recursive: true, force: true })
  }
}

/** A tree as text: kinds, permissions, inodes, times, contents. */
export function describe(top: string): string {
  const stat = fs.lstatSync(top, { bigint: true, throwIfNoEntry: false })
  if (stat === undefined) return `${top} -`
  const facts = `${top} ${stat.mode} ${stat.ino} ${stat.mtimeNs}`
  if (stat.isSymbolicLink()) return `${facts} -> ${fs.readlinkSync(top)}`
  if (stat.isFile()) return `${facts} ${createHash('sha256').update(fs.readFileSync(top)).digest('hex')}`
  if (!stat.isDirectory()) return facts
  return [facts, ...fs.readdirSync(top).map((name) => describe(`${top}/${name}`))].join('\n')
}

export type Act = (journal: Journal, target: string) => Promise<unknown>

async function batch(journal: Journal, line: object): Promise<unknown> {
  const lines = await readBatch(
    (async function* () {
      yield Buffer.from(JSON.stringify(line))
    })(),
    '/',
  )
  return journal.transact((tx) => applyBatch(tx, lines, '/'))
}

const DIFF = '@@ -1 +1 @@\n-kept\n+x\n'

/** Operations that act on a symbolic link itself when it is the last name. */
const onLinks: Readonly<Record<string, Act>> = {
  remove: (journal, target) => journal.remove(target),
  'remove recursively': (journal, target) => journal.remove(target, { recursive: true }),
  'rename from': (journal, target) => journal.rename(target, 'elsewhere'),
  'rename to': async (journal, target) => {
    await journal.write('moving', 'x')
    return journal.rename('moving', target)
  },
  'rename a folder to': (journal, target) => journal.rename('folder', target),
  mkdir: (journal, target) => journal.mkdir(target),
  rmdir: (journal, target) => journal.rmdir(target),
  symlink: (journal, target) => journal.symlink(target, 'kept'),
  'batch rename': (journal, path) => batch(journal, { op: 'rename', path: 'folder/file', to: path }),
  'batch remove': (journal, path) => batch(journal, { op: 'remove', path, recursive: true }),
  'batch symlink': (journal, path) => batch(journal, { op: 'symlink', path, target: 'kept' }),
}

/** Every other operation that names a path. */
const throughLinks: Readonly<Record<string, Act>> = {
  write: (journal, target) => journal.write(target, 'x'),
  'write a blob': (journal, target) => journal.write(target, Buffer.alloc(1_100_000, 1)),
  append: (journal, target) => journal.append(target, 'x'),
  edit: (journal, target) => journal.edit(target, [{ oldText: 'kept', newText: 'x' }]),
  patch: (journal, target) => journal.patch(target, DIFF),
  chmod: (journal, target) => journal.chmod(target, 0o777),
  read: (journal, target) => journal.transact((tx) => tx.read(target)),
  lock: (journal, target) => journal.transact((tx) => tx.lock([target])),
  'batch write': (journal, path) => batch(journal, { op: 'write', path, content: 'x' }),
  'batch append': (journal, path) => batch(journal, { op: 'append', path, base64: 'AA==' }),
  'batch edit': (journal, path) => batch(journal, { op: 'edit', path, edits: [{ oldText: 'kept', newText: 'x' }] }),
  'batch patch': (journal, path) => batch(journal, { op: 'patch', path, patch: DIFF }),
  'batch chmod': (journal, path) => batch(journal, { op: 'chmod', path, mode: '777' }),
}

export const OPERATIONS: Readonly<Record<string, Act>> = { ...throughLinks, ...onLinks }
export const ON_LINKS: ReadonlySet<string> = new Set(Object.keys(onLinks))

/** Questions about the history, and what goes back to it: whatever they are asked, nothing is written that was not recorded. */
export const QUESTIONS: Readonly<Record<string, Act>> = {
  restore: (journal, target) => journal.restore({ to: 'head', paths: [target] }),
  adopt: (journal, target) => journal.adopt([target]),
  purge: (journal, target) => journal.purge(target),
  'read at': (journal, target) => journal.readAt(target),
}

/** Node's file system, with something done right before the k-th call from now on. */
export function interrupted(disk: Disk, at: { left: number; act: () => void }): Disk {
  return new Proxy(disk, {
    get(target, key) {
      // So that every sync goes through here.
      if (key === 'syncNow') return undefined
      const value: unknown = Reflect.get(target, key, target)
      if (typeof value !== 'function') return value
      return (...given: unknown[]) => {
        if (key !== 'now') {
          at.left -= 1
          if (at.left === 0) at.act()
        }
        return value.apply(target, given)
      }
    },
  })
}
