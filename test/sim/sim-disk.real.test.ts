import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Disk } from '../../src/disk/disk.ts'
import { NodeDisk } from '../../src/disk/node-disk.ts'
import { SimDisk } from './sim-disk.ts'
import type { Tree, TreeNode } from './tree.ts'

type Command = readonly [name: string, run: (disk: Disk, root: string, state: Handles) => unknown]

/** Open handles, by the order of their opening. */
interface Handles {
  readonly open: number[]
}

const names = ['a', 'b', 'd', 'e']
const folder = fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...names) }, fc.constantFrom('..', '.', ''))
// Two folders stand between the root and the files, so that `..` stays inside.
const relative = fc
  .tuple(fc.array(folder, { maxLength: 2 }), fc.constantFrom(...names))
  .map(([folders, name]) => ['r/s', ...folders, name].join('/'))
const mode = fc.constantFrom(0o755, 0o644, 0o700, 0o777)
const content = fc.string({ maxLength: 12 }).map((text) => new TextEncoder().encode(text))
const position = fc.nat(20)
const pick = fc.nat(3)

const handleOf = (state: Handles, at: number) => state.open[at % Math.max(1, state.open.length)] ?? -1

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.tuple(relative, fc.constantFrom('read', 'write', 'create', 'create'), mode, fc.boolean()).map(
    ([at, how, bits, umask]): Command => [
      `open ${at} ${how} ${bits}`,
      (disk, root, state) => {
        state.open.push(disk.open(`${root}/${at}`, how as 'read', bits, umask))
      },
    ],
  ),
  fc.tuple(relative, content, mode).map(
    ([at, bytes, bits]): Command => [
      `file ${at}`,
      (disk, root) => {
        const handle = disk.open(`${root}/${at}`, 'create', bits)
        const done = disk.write(handle, bytes, 0)
        disk.close(handle)
        return done
      },
    ],
  ),
  fc
    .tuple(pick, content, position)
    .map(
      ([at, bytes, from]): Command => [
        `write #${at} @${from}`,
        (disk, _, state) => disk.write(handleOf(state, at), bytes, from),
      ],
    ),
  fc.tuple(pick, position).map(
    ([at, from]): Command => [
      `read #${at} @${from}`,
      (disk, _, state) => {
        const target = new Uint8Array(8)
        return [disk.read(handleOf(state, at), target, from), target.join()]
      },
    ],
  ),
  fc
    .tuple(pick, position)
    .map(
      ([at, size]): Command => [
        `truncate #${at} ${size}`,
        (disk, _, state) => disk.truncate(handleOf(state, at), size),
      ],
    ),
  pick.map(
    (at): Command => [
      `stat #${at}`,
      (disk, _, state) => {
        const { kind, size, mode: bits, nlink } = disk.stat(handleOf(state, at))
        return kind === 'dir' ? kind : [kind, size, bits, nlink]
      },
    ],
  ),
  pick.map(
    (at): Command => [
      `close #${at}`,
      (disk, _, state) => {
        const [handle] = state.open.splice(at % Math.max(1, state.open.length), 1)
        if (handle !== undefined) disk.close(handle)
      },
    ],
  ),
  relative.map(
    (at): Command => [
      `lstat ${at}`,
      (disk, root) => {
        const stat = disk.lstat(`${root}/${at}`)
        return stat && [stat.kind, stat.mode, stat.kind === 'dir' ? 0 : stat.nlink]
      },
    ],
  ),
  relative.map((at): Command => [`readDirectory ${at}`, (disk, root) => disk.readDirectory(`${root}/${at}`)]),
  relative.map((at): Command => [`readLink ${at}`, (disk, root) => disk.readLink(`${root}/${at}`)]),
  relative.map((at): Command => [`realPath ${at}`, (disk, root) => disk.realPath(`${root}/${at}`).slice(root.length)]),
  fc
    .tuple(relative, mode, fc.boolean())
    .map(
      ([at, bits, umask]): Command => [`mkdir ${at}`, (disk, root) => disk.makeDirectory(`${root}/${at}`, bits, umask)],
    ),
  relative.map((at): Command => [`rmdir ${at}`, (disk, root) => disk.removeDirectory(`${root}/${at}`)]),
  relative.map((at): Command => [`unlink ${at}`, (disk, root) => disk.unlink(`${root}/${at}`)]),
  fc
    .tuple(relative, relative)
    .map(
      ([from, to]): Command => [
        `rename ${from} ${to}`,
        (disk, root) => disk.rename(`${root}/${from}`, `${root}/${to}`),
      ],
    ),
  fc
    .tuple(relative, relative)
    .map(([a, b]): Command => [`exchange ${a} ${b}`, (disk, root) => disk.exchange(`${root}/${a}`, `${root}/${b}`)]),
  fc
    .tuple(relative, relative)
    .map(
      ([from, to]): Command => [`link ${from} ${to}`, (disk, root) => disk.link(`${root}/${from}`, `${root}/${to}`)],
    ),
  fc
    .tuple(fc.constantFrom('a', 'd', '../a', 'd/e', '..', 'b/'), relative)
    .map(([target, at]): Command => [`symlink ${target} ${at}`, (disk, root) => disk.symlink(target, `${root}/${at}`)]),
  fc
    .tuple(relative, mode)
    .map(([at, bits]): Command => [`chmod ${at} ${bits}`, (disk, root) => disk.chmod(`${root}/${at}`, bits)]),
  fc
    .tuple(relative, relative, mode)
    .map(
      ([from, to, bits]): Command => [
        `clone ${from} ${to}`,
        (disk, root) => disk.clone(`${root}/${from}`, `${root}/${to}`, bits),
      ],
    ),
)

function treeOf(disk: Disk, root: string): Tree {
  const tree: Tree = new Map()
  const visit = (folder: string, prefix: string) => {
    for (const { name, kind } of disk.readDirectory(folder)) {
      const at = `${folder}/${name}`
      tree.set(prefix + name, nodeOf(disk, at, kind))
      if (kind === 'dir') visit(at, `${prefix}${name}/`)
    }
  }
  visit(root, '')
  return tree
}

function nodeOf(disk: Disk, at: string, kind: string): TreeNode {
  const stat = disk.lstat(at)
  if (kind === 'symlink') return { kind, target: disk.readLink(at) }
  if (kind !== 'file') return { kind: 'dir', mode: stat?.mode ?? 0 }
  const handle = disk.open(at, 'read')
  const target = new Uint8Array(stat?.size ?? 0)
  disk.read(handle, target, 0)
  disk.close(handle)
  return { kind, mode: stat?.mode ?? 0, content: Buffer.from(target).toString('latin1') }
}

function outcome(run: Command[1], disk: Disk, root: string, state: Handles): unknown {
  try {
    return run(disk, root, state) ?? null
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === undefined) throw error
    // Node checks a number that is no handle itself.
    return code === 'ERR_OUT_OF_RANGE' ? 'EBADF' : code
  }
}

/** POSIX lets a call that is wrong in two ways fail with either code; what Linux says is compared here. */
it.skipIf(process.platform !== 'linux')(
  'does what the real file system does',
  () => {
    const base = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'sim-disk-'))
    let run = 0
    const runs = Number(process.env.SIM_RUNS ?? 300)
    const real = new NodeDisk()
    const umask = process.umask()
    try {
      fc.assert(
        fc.property(fc.array(command, { minLength: 5, maxLength: 60, size: 'max' }), (commands) => {
          const root = path.join(base, String(run++))
          fs.mkdirSync(path.join(root, 'r/s'), { recursive: true })
          const sim = SimDisk.create({ superuser: real.superuser, umask })
          sim.mkdirp('/w/r/s', 0o777 & ~umask)
          const states = [{ open: [] }, { open: [] }] as [Handles, Handles]
          try {
            for (const [name, action] of commands) {
              const expected = outcome(action, real, root, states[0])
              expect([name, outcome(action, sim, '/w', states[1])]).toEqual([name, expected])
            }
            expect(treeOf(sim, '/w')).toEqual(treeOf(real, root))
            expect(sim.tree('/w')).toEqual(treeOf(sim, '/w'))
          } finally {
            for (const handle of states[0].open) real.close(handle)
            fs.rmSync(root, { recursive: true, force: true })
          }
        }),
        { numRuns: runs },
      )
    } finally {
      fs.rmSync(base, { recursive: true, force: true })
    }
  },
  120_000,
)
