import type { Disk, FileStat } from '../disk/disk.ts'
import { reading } from '../disk/file.ts'
import { hasSystemCode, JournalError } from '../errors.ts'
import type { InverseSteps } from './inverse-steps.ts'
import type { Spot, Spots } from './spots.ts'

const NO_EXCHANGE = ['ENOSYS', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP'] as const
const NO_LINKS = ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'EXDEV'] as const

/** Still the file that was put there, not written to since? */
function sameInode(found: FileStat | null, put: FileStat | null): boolean {
  return (
    found !== null &&
    put !== null &&
    found.ino === put.ino &&
    found.dev === put.dev &&
    found.size === put.size &&
    found.mtimeNs === put.mtimeNs
  )
}

/** A name for what must not lie under that of `spot`. */
function oldOf(spot: Spot): Spot {
  return 'staged' in spot ? { staged: `${spot.staged}.old` } : { path: `${spot.path}.old` }
}

/** Told of what comes to light while names are taken back. */
export interface NameWatch {
  /** What was moved aside, to `aside`, has its path again: it needs no keeping. */
  readonly putBack: (aside: Spot) => void
  /** Somebody's newer file has the path, and `aside` holds what may be theirs too. */
  readonly found: (path: string, aside: Spot) => void
}

/**
 * Changes of names that can be taken back, and that lose nothing that somebody puts there meanwhile. What an inverse finds changed by somebody, it leaves.
 */
export class NameSteps {
  /** What was moved aside; how it looked, where nobody made it durable since it was put there, as far as one knows. */
  readonly displaced = new Map<Spot, FileStat | null>()
  readonly #disk: Disk
  readonly #spots: Spots
  readonly #inverses: InverseSteps
  readonly #watch: NameWatch

  constructor(disk: Disk, spots: Spots, inverses: InverseSteps, watch: NameWatch) {
    this.#disk = disk
    this.#spots = spots
    this.#inverses = inverses
    this.#watch = watch
  }

  /** False when there is nothing. */
  moveAside(path: string, aside: Spot): boolean {
    const disk = this.#disk
    const target: Spot = { path }
    try {
      disk.rename(this.#spots.at(target), this.#spots.at(aside))
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT')) return false
      throw error
    }
    this.#inverses.push(() => {
      // Whatever has come to stand there since is somebody's, and newer.
      if (disk.lstat(this.#spots.at(aside))?.kind === 'dir' && disk.lstat(this.#spots.at(target)) === null)
        disk.rename(this.#spots.at(aside), this.#spots.at(target))
      else if (this.#carry(aside, target)) this.#watch.putBack(aside)
    })
    return true
  }

  /** `aside`: where it can be moved to be taken back. */
  newSymlink(path: string, target: string, aside: Spot): void {
    const disk = this.#disk
    const isOurs = (spot: Spot): boolean => {
      const at = this.#spots.at(spot)
      return disk.lstat(at)?.kind === 'symlink' && disk.readLink(at) === target
    }
    disk.symlink(target, this.#spots.at({ path }))
    this.#inverses.push(() => {
      if (isOurs({ path }) && this.#takeAway({ path }, aside, isOurs)) disk.unlink(this.#spots.at(aside))
    })
  }

  /** Takes a name away from what was put there. Only what was moved aside is looked at for certain: if it turns out to be somebody's, it goes back. */
  #takeAway(from: Spot & { readonly path: string }, aside: Spot, isOurs: (spot: Spot) => boolean): boolean {
    this.#disk.rename(this.#spots.at(from), this.#spots.at(aside))
    if (isOurs(aside)) return true
    if (!this.#carry(aside, from)) this.#watch.found(from.path, aside)
    return false
  }

  /** Gives a complete file another name, if that is free; false when somebody has taken it. */
  place(from: Spot, to: Spot & { readonly path: string }, ours: FileStat | null): boolean {
    const disk = this.#disk
    const taken = this.#link(from, to, ours)
    if (taken === null) return false
    this.#inverses.push(() => {
      const isOurs = (spot: Spot): boolean => sameInode(disk.lstat(this.#spots.at(spot)), ours)
      // Somebody's newer file, or edit of this one, stays.
      if (!isOurs(to)) return
      const aside = oldOf(from)
      if (!this.#takeAway(to, aside, isOurs)) return
      if (disk.lstat(this.#spots.at(from)) === null) disk.rename(this.#spots.at(aside), this.#spots.at(from))
      else disk.unlink(this.#spots.at(aside))
    })
    if (taken === 'linked') disk.unlink(this.#spots.at(from))
    return true
  }

  /** Moves a file to a name that must be free; false, and nothing done, when it is not. */
  #carry(from: Spot, to: Spot): boolean {
    const disk = this.#disk
    const taken = this.#link(from, to, disk.lstat(this.#spots.at(from)))
    if (taken === 'linked') disk.unlink(this.#spots.at(from))
    return taken !== null
  }

  /** `stat`: of `from`. */
  #link(from: Spot, to: Spot, stat: FileStat | null): 'linked' | 'renamed' | null {
    const disk = this.#disk
    try {
      // Linking a symbolic link follows it on some platforms.
      if (stat?.kind !== 'symlink') {
        disk.link(this.#spots.at(from), this.#spots.at(to))
        return 'linked'
      }
    } catch (error) {
      if (hasSystemCode(error, 'EEXIST')) return null
      if (!hasSystemCode(error, ...NO_LINKS)) throw error
    }
    if (disk.lstat(this.#spots.at(to)) !== null) return null
    disk.rename(this.#spots.at(from), this.#spots.at(to))
    return 'renamed'
  }

  /** Puts a file where something stands; returns where that is now, or null when there was nothing after all. */
  exchange(spot: Spot, target: Spot & { readonly path: string }, ours: FileStat | null): Spot | null {
    const disk = this.#disk
    try {
      disk.exchange(this.#spots.at(spot), this.#spots.at(target))
      this.#inverses.push(() => {
        if (!sameInode(disk.lstat(this.#spots.at(target)), ours)) return
        disk.exchange(this.#spots.at(spot), this.#spots.at(target))
        if (sameInode(disk.lstat(this.#spots.at(spot)), ours)) return this.#watch.putBack(spot)
        // It was replaced in that very moment: theirs is the newest.
        disk.exchange(this.#spots.at(spot), this.#spots.at(target))
        // What had the path for that moment may have been written to.
        this.#watch.found(target.path, spot)
      })
      return spot
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT')) {
        if (this.place(spot, target, ours)) return null
        throw vanished(target.path)
      }
      if (!hasSystemCode(error, ...NO_EXCHANGE)) throw error
    }
    const replaced = disk.lstat(this.#spots.at(target))
    if (replaced === null) {
      if (this.place(spot, target, ours)) return null
      throw vanished(target.path)
    }
    if (isUnkeepable(replaced)) throw unkeepableAppeared(target.path)
    const aside = oldOf(spot)
    if (replaced.kind === 'symlink') disk.symlink(disk.readLink(this.#spots.at(target)), this.#spots.at(aside))
    else {
      try {
        disk.link(this.#spots.at(target), this.#spots.at(aside))
      } catch (error) {
        if (!hasSystemCode(error, ...NO_LINKS)) throw error
        const from = this.#spots.at(target)
        reading(disk, from, () => disk.clone(from, this.#spots.at(aside), replaced.mode))
      }
    }
    this.displaced.set(aside, replaced)
    disk.rename(this.#spots.at(spot), this.#spots.at(target))
    this.#inverses.push(() => {
      if (!sameInode(disk.lstat(this.#spots.at(target)), ours)) return
      disk.rename(this.#spots.at(aside), this.#spots.at(target))
      this.#watch.putBack(aside)
    })
    return aside
  }
}

/** A folder, a device, a pipe or a socket: the history cannot hold it, so it must not be replaced. */
export function isUnkeepable({ kind }: FileStat): boolean {
  return kind === 'dir' || kind === 'other'
}

export function unkeepableAppeared(path: string): JournalError {
  return new JournalError('CONFLICT', `somebody put a folder, or something that is no file, at ${path}`, {
    hint: 'Look at it, move it away, and try again.',
    path,
  })
}

export function vanished(path: string): JournalError {
  return new JournalError('CONFLICT', `somebody keeps making and removing ${path}`, {
    hint: 'Stop that program and try again.',
    path,
  })
}
