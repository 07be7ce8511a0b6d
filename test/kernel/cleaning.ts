import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PREFIX = 'wj-kernel-'
const homes = new Set<string>()

/** Mount points below a folder, the innermost first. */
function mountsBelow(folder: string): string[] {
  if (process.platform !== 'linux') return []
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)
}

/** Unmounts what is mounted below and removes the folder. `mount` made the loop devices: they go with their mounts. */
export function raze(home: string): void {
  for (const point of mountsBelow(home)) {
    try {
      execFileSync('umount', ['-l', point], { stdio: 'ignore' })
    } catch {
      // Gone meanwhile, or not ours: removing the folder will say so.
    }
  }
  rmSync(home, { recursive: true, force: true })
  homes.delete(home)
}

function razeAll(): void {
  for (const home of [...homes]) raze(home)
}

process.once('exit', razeAll)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    razeAll()
    process.kill(process.pid, signal)
  })
}

/** What a run that was killed outright has left. */
function razeOrphans(base: string): void {
  for (const name of readdirSync(base)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]
    if (pid === undefined) continue
    try {
      process.kill(Number(pid), 0)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') raze(join(base, name))
    }
  }
}

/** A fresh folder that is cleared, mounts and all, at the latest when this process ends. `KERNEL_DIR` says where. */
export function home(): string {
  const base = process.env.KERNEL_DIR ?? tmpdir()
  if (homes.size === 0) razeOrphans(base)
  const made = mkdtempSync(join(base, `${PREFIX}${process.pid}-`))
  homes.add(made)
  return made
}
