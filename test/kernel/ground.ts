import { execFileSync } from 'node:child_process'
import { accessSync } from 'node:fs'
import { delimiter } from 'node:path'

/** Is there such a program? */
export function has(program: string): boolean {
  return `${process.env.PATH}${delimiter}/usr/sbin${delimiter}/sbin`.split(delimiter).some((folder) => {
    try {
      accessSync(`${folder}/${program}`)
      return true
    } catch {
      return false
    }
  })
}

/** Why the shim cannot be had here; null when it can. */
export function noShim(): string | null {
  if (process.platform !== 'linux') return 'LD_PRELOAD and /proc are Linux only'
  return has('cc') ? null : 'no C compiler (cc) to build the shim with'
}

let mounting: string | null | undefined
/** Why nothing can be mounted here; null when it can. */
export function noMount(make?: string): string | null {
  if (process.platform !== 'linux') return 'loop devices are Linux only'
  if (process.getuid?.() !== 0) return 'only root may mount'
  if (make !== undefined && !has(make)) return `${make} is not installed`
  if (mounting === undefined) {
    try {
      execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'pipe' })
      mounting = null
    } catch (error) {
      mounting = `root may not mount here: ${(error as Error).message.trim()}`
    }
  }
  return mounting
}
