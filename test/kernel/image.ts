import { execFileSync } from 'node:child_process'
import { closeSync, fdatasyncSync, ftruncateSync, lstatSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { has } from './ground.ts'

export interface FileSystem {
  readonly name: string
  readonly make: string
  readonly mebibytes: number
  readonly options: string
}

/**
 * What lies under people's files on Linux. ext4 hides missing syncs of a file that is renamed over another
 * (`auto_da_alloc`), so it is tried without that too.
 */
export const FILE_SYSTEMS: readonly FileSystem[] = [
  { name: 'ext4', make: 'mkfs.ext4', mebibytes: 256, options: '' },
  { name: 'ext4 noauto_da_alloc', make: 'mkfs.ext4', mebibytes: 256, options: 'noauto_da_alloc' },
  { name: 'xfs', make: 'mkfs.xfs', mebibytes: 512, options: '' },
  { name: 'btrfs', make: 'mkfs.btrfs', mebibytes: 512, options: '' },
]

function run(program: string, ...given: string[]): string {
  return execFileSync(program, given, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** A file system in a file, mounted through a loop device. */
export class Image {
  readonly #file: string
  readonly #options: string
  readonly point: string

  private constructor(file: string, point: string, options: string) {
    this.#file = file
    this.#options = options
    this.point = point
  }

  static make(home: string, { make, mebibytes, options }: FileSystem): Image {
    const file = `${home}/0.img`
    const handle = openSync(file, 'wx')
    ftruncateSync(handle, mebibytes * 1024 * 1024)
    closeSync(handle)
    run(make, '-q', make === 'mkfs.ext4' ? '-F' : '-f', file)
    return Image.#mounted(file, options)
  }

  static #mounted(file: string, options: string): Image {
    const point = `${dirname(file)}/disk`
    mkdirSync(point, { recursive: true })
    // Btrfs knows its devices by an id that a copy shares, and would take the older state for a lost one.
    if (has('btrfs')) run('btrfs', 'device', 'scan', '--forget')
    run('mount', '-o', ['loop', ...(options === '' ? [] : [options])].join(','), file, point)
    return new Image(file, point, options)
  }

  /**
   * What the device would hold if the power went now, mounted as another image; this one is dropped.
   *
   * The backing file has what the loop device has received: every write that the file system has sent down and that
   * is completed, whether flushed or not. What stands in the page cache of the mounted file system only (data not
   * written back yet, metadata not committed to its journal) is not in it; that is what a power cut takes. The copy is
   * read through the page cache of the file system below, where the loop driver writes to (or, with direct I/O, which
   * is kept coherent with it), so it is complete. A copy takes some time, and the kernel may write back meanwhile,
   * which no power cut could show: so the device's counters of writes are compared before and after, and the copy is
   * made again until nothing was written beside it.
   *
   * A device that also loses completed writes that were not flushed is harder still: the simulated disk tries that.
   */
  cutPower(): Image {
    const next = this.#file.replace(/(\d+)\.img$/, (_, number: string) => `${Number(number) + 1}.img`)
    for (let before = this.#writes(); ; ) {
      run('cp', '--sparse=auto', this.#file, next)
      const after = this.#writes()
      if (before === after) break
      before = after
    }
    this.drop()
    return Image.#mounted(next, this.#options)
  }

  /** Lets the kernel write one file (or folder) back now, as it may at any time by itself. */
  writeBack(path: string): void {
    try {
      const stat = lstatSync(path)
      if (!stat.isFile() && !stat.isDirectory()) return
      const handle = openSync(path, 'r')
      try {
        fdatasyncSync(handle)
      } finally {
        closeSync(handle)
      }
    } catch (error) {
      // It was removed, or became something else, meanwhile.
      if (!['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }

  drop(): void {
    run('umount', this.point)
    rmSync(this.#file)
  }

  /** Completed writes and what is in flight; waits until nothing is. */
  #writes(): string {
    const device = run('findmnt', '-n', '-o', 'SOURCE', this.point).trim().replace('/dev/', '')
    for (;;) {
      const fields = readFileSync(`/sys/block/${device}/stat`, 'utf8').trim().split(/\s+/)
      if (fields[8] === '0') return `${fields[4]} ${fields[6]}`
    }
  }
}
