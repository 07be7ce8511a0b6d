import type { ContentStore } from '../content/content-store.ts'
import type { FileStat } from '../disk/disk.ts'
import { breathe, dropFile, reading } from '../disk/file.ts'
import type { Effect } from '../entry/effects.ts'
import { type ContentHash, type FileState, type Owner, type State, sameState } from '../entry/state.ts'
import { asJournalError, hasSystemCode, JournalError } from '../errors.ts'
import type { ContentSource } from '../transaction/operation.ts'
import { Anchors } from './anchors.ts'
import type { FolderFacts, Folders } from './folders.ts'
import type { Observation, Observer } from './observer.ts'
import type { PinnedFolders } from './pinned-folders.ts'
import type { Reaper } from './reaper.ts'
import { joinPath, nameOf, parentOf } from './safe-path.ts'
import { mayBeSynced, stageFile } from './staged-file.ts'

/** Names changed between two turns of the event loop. */
const STEPS_A_TURN = 256
/** Of the target's name, in a sibling's; the rest is for the transaction's id. */
const SIBLING_BYTES = 150
/** How the name of a file ends that was taken away from its path, which then has nothing for a moment. */
export const GONE = '.gone'
/** The same for one that is being moved. */
const TAKEN = '.from'
const NO_EXCHANGE = ['ENOSYS', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP'] as const
const NO_LINKS = ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'EXDEV'] as const

export interface Site {
  readonly observer: Observer
  readonly contents: ContentStore
  readonly folders: Folders
  /** Absolute path of the folder for files about to be moved. */
  readonly staging: string
  readonly reaper: Reaper
  readonly pins: PinnedFolders
}

/** One path to bring from what was observed there to `after`. */
export interface Change extends Effect {
  readonly observed: Observation
}

/** Somebody's content that was found where the journal meant to write. It is safe in `file` and must be taken into the journal. */
export interface Surprise {
  readonly path: string
  readonly file: string
}

/** A name: in `staging`, or in the workspace, where it is reached through its pinned folder each time. */
type Spot = { readonly staged: string } | { readonly path: string }

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

function isDir(state: State): boolean {
  return state?.kind === 'dir'
}

function isLeaf(state: State): boolean {
  return state !== null && state.kind !== 'dir'
}

/** A file or link where there is one, or nothing: no folder comes or goes, nothing moves, and the file is another one. */
function isReplacement({ before, after, movedFrom, observed }: Change): boolean {
  if (!isLeaf(after) || isDir(before) || movedFrom !== undefined) return false
  return after?.kind !== 'file' || observed.state?.kind !== 'file' || observed.state.hash !== after.hash
}

function depth(path: string): number {
  return path.split('/').length
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`)
}

/**
 * Brings the effects of one transaction into the workspace. What it replaces or removes is first moved aside, in one atomic step a path,
 * and only dropped once everything is in place; so a failure in the middle can be taken back, and an edit made behind the
 * journal's back since the observation is never lost.
 */
export class Materialization {
  readonly #site: Site
  readonly #id: string
  readonly #changes: readonly Change[]
  readonly #anchors: Anchors
  readonly #inverses: (() => void)[] = []
  readonly #displaced: { readonly spot: Spot; readonly stat: FileStat | null }[] = []
  readonly #staged = new Map<string, Spot>()
  /** How the staged files look. */
  readonly #stamps = new Map<string, FileStat>()
  readonly #sources: (hash: ContentHash) => ContentSource
  readonly surprises: Surprise[] = []
  /** Why a failed `apply` could not be taken back wholly; null when it was. */
  rollBackFailure: unknown = null

  /** `id` begins the name of every file it makes in `staging`; `sources` says where a content's bytes are. */
  constructor(site: Site, id: string, changes: readonly Change[], sources: (hash: ContentHash) => ContentSource) {
    this.#site = site
    this.#id = id
    this.#changes = changes
    this.#anchors = new Anchors(site.pins, site.observer.root)
    this.#sources = sources
  }

  /** Prepares every file that will be moved into place. Touches nothing in the workspace. */
  async stage(): Promise<void> {
    for (const [index, change] of this.#changes.entries()) {
      if (!this.#needsFile(change)) continue
      const facts = this.#site.folders.facts(parentOf(change.path))
      if (!facts.sameDevice) continue
      await this.#stageAs(change, { staged: `${this.#site.staging}/${this.#id}.${index}` }, facts)
      if (index % STEPS_A_TURN === STEPS_A_TURN - 1) await breathe()
    }
  }

  /** Removes what `stage` made. */
  discard(): void {
    const { disk } = this.#site.observer
    for (const spot of this.#staged.values()) dropFile(disk, this.#at(spot))
    this.#staged.clear()
    this.#anchors.release()
  }

  /**
   * Puts everything in place. When a step fails, all earlier ones are taken back before the error is thrown: the workspace is as it was.
   * @throws JournalError
   */
  async apply(): Promise<void> {
    try {
      let steps = 0
      for (const step of this.#plan()) {
        await step()
        steps += 1
        if (steps % STEPS_A_TURN === 0) await breathe()
      }
    } catch (error) {
      this.#rollBack()
      throw asJournalError(error, 'writing the workspace')
    } finally {
      this.#anchors.release()
    }
  }

  /** Drops what was moved aside, but for surprises, and lets the observer know what is there now. */
  async finish(): Promise<void> {
    const { observer, reaper } = this.#site
    const kept = new Set(this.surprises.map(({ file }) => file))
    for (const { spot, stat } of this.#displaced) {
      const file = this.#absolute(spot)
      if (kept.has(file)) continue
      // Only what took no name away may lie about: for the rest, recovery would think that the name is still to be filled.
      if ('staged' in spot && !file.endsWith(GONE)) await reaper.remove(file, stat)
      else observer.disk.unlink(file)
    }
    for (const { path, after } of this.#changes) {
      const stat =
        after?.kind === 'file' ? (this.#stamps.get(path) ?? observer.disk.lstat(observer.absolute(path))) : null
      if (after?.kind === 'file' && stat?.kind === 'file' && stat.size === after.size)
        observer.learn(path, after.hash, stat)
      else observer.forget(path)
    }
  }

  #needsFile(change: Change): boolean {
    const { before, after } = change
    if (after === null || after.kind === 'dir' || this.#isMove(change)) return false
    if (after.kind === 'symlink') return isLeaf(before)
    return !this.#isModeOnly(change)
  }

  #isModeOnly({ before, after, observed }: Change): boolean {
    return (
      before?.kind === 'file' &&
      after?.kind === 'file' &&
      before.hash === after.hash &&
      !sameState(before, after) &&
      observed.state?.kind === 'file' &&
      observed.state.hash === after.hash &&
      // Permissions belong to the file, not to its name: another name, perhaps outside of the workspace, would get them too.
      observed.stat?.nlink === 1
    )
  }

  #isMove(change: Change): boolean {
    const { movedFrom, path } = change
    if (movedFrom === undefined) return false
    const { folders } = this.#site
    const into = folders.facts(parentOf(path))
    const from = folders.facts(parentOf(movedFrom))
    return (
      into.device === from.device &&
      into.sameDevice &&
      // A folder above the source that becomes something else must be empty before anything is written.
      !this.#changes.some(
        ({ before, after, path: other }) => isDir(before) && isLeaf(after) && isBelow(movedFrom, other),
      )
    )
  }

  async #stageAs(change: Change, spot: Spot, facts: FolderFacts): Promise<void> {
    const { observer, contents } = this.#site
    this.#staged.set(change.path, spot)
    const { after, before, path } = change
    if (after?.kind === 'symlink') observer.disk.symlink(after.target, this.#at(spot))
    else if (after?.kind === 'file') {
      const group = change.observed.stat?.gid ?? null
      const target = { path: observer.absolute(path), before, after, source: this.#sources(after.hash), group }
      this.#stamps.set(change.path, await stageFile(observer.disk, contents, this.#at(spot), target, facts))
    }
  }

  #at(spot: Spot): string {
    return 'staged' in spot ? spot.staged : this.#anchors.at(spot.path)
  }

  #isKept(spot: Spot): boolean {
    return this.surprises.some(({ file }) => file === this.#absolute(spot))
  }

  #absolute(spot: Spot): string {
    return 'staged' in spot ? spot.staged : this.#site.observer.absolute(spot.path)
  }

  *#plan(): Generator<() => Promise<void>> {
    if (this.#changes.every(isReplacement)) {
      for (const [index, change] of this.#changes.entries()) yield () => this.#put(change, index)
      return
    }
    const changes = this.#changes.map((change, index) => ({ change, index }))
    const moves = new Set(changes.filter(({ change }) => this.#isMove(change)).map(({ change }) => change.movedFrom))
    const replaced = changes
      .filter(({ change }) => isDir(change.before) && isLeaf(change.after))
      .map(({ change }) => change.path)
    const gone = changes
      .filter(({ change }) => isDir(change.before) && !isDir(change.after))
      .sort((a, b) => depth(b.change.path) - depth(a.change.path))
    const early = gone.filter(({ change }) =>
      replaced.some((path) => path === change.path || isBelow(change.path, path)),
    )

    for (const { change, index } of changes) {
      const leaves = isLeaf(change.before) && !isLeaf(change.after) && !moves.has(change.path)
      if (leaves) yield () => this.#remove(change, index)
    }
    for (const { change } of early) yield async () => this.#removeFolder(change)
    for (const { change } of changes.toSorted((a, b) => depth(a.change.path) - depth(b.change.path))) {
      if (isDir(change.after)) yield async () => this.#prepareFolder(change)
    }
    for (const { change, index } of changes) {
      if (!isLeaf(change.after)) continue
      if (this.#isMove(change)) yield () => this.#move(change, index)
      else if (this.#isModeOnly(change)) yield async () => this.#changeMode(change)
      else yield () => this.#put(change, index)
    }
    for (const item of gone) if (!early.includes(item)) yield async () => this.#removeFolder(item.change)
    for (const { change } of changes) if (isDir(change.after)) yield async () => this.#finishFolder(change)
  }

  /** A name beside the target where it is on another file system, else in `staging`. */
  #aside(change: Change, index: number, suffix: string): Spot {
    let folder = parentOf(change.path)
    if (this.#site.folders.facts(folder).sameDevice) {
      return { staged: `${this.#site.staging}/${this.#id}.${index}${suffix}` }
    }
    // In a folder that is to go away it would be in the way.
    const goes = (path: string): boolean => this.#changes.some((other) => other.path === path && !isDir(other.after))
    while (folder !== '' && goes(folder)) folder = parentOf(folder)
    return { path: joinPath(folder, siblingName(change.path, this.#id, index, suffix)) }
  }

  async #remove(change: Change, index: number): Promise<void> {
    const aside = this.#aside(change, index, GONE)
    if (this.#moveAside(change.path, aside)) await this.#inspect(change, aside)
  }

  /** False when there is nothing. */
  #moveAside(path: string, aside: Spot): boolean {
    const { disk } = this.#site.observer
    const target: Spot = { path }
    try {
      disk.rename(this.#at(target), this.#at(aside))
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT')) return false
      throw error
    }
    this.#inverses.push(() => {
      // Whatever has come to stand there since is somebody's, and newer.
      if (disk.lstat(this.#at(aside))?.kind === 'dir' && disk.lstat(this.#at(target)) === null)
        disk.rename(this.#at(aside), this.#at(target))
      else if (this.#carry(aside, target)) this.#putBack(path)
    })
    return true
  }

  async #put(change: Change, index: number): Promise<void> {
    let spot = this.#staged.get(change.path)
    if (spot === undefined && change.after?.kind === 'symlink' && !isLeaf(change.before))
      return this.#newSymlink(change)
    if (spot === undefined) {
      const sibling = this.#aside(change, index, '')
      spot = sibling
      const { disk } = this.#site.observer
      // It must be gone before a folder that was made for it can go.
      this.#inverses.push(() => {
        if (this.#isThere(sibling) && !this.#isKept(sibling)) disk.unlink(this.#at(sibling))
      })
      await this.#stageAs(change, spot, this.#site.folders.facts(parentOf(change.path)))
    }
    const target: Spot = { path: change.path }
    const ours = this.#stamps.get(change.path) ?? this.#site.observer.disk.lstat(this.#at(spot))
    if (!isLeaf(change.before) && this.#place(spot, target, ours)) return
    const aside = this.#exchange(spot, target, ours)
    if (aside !== null) await this.#inspect(change, aside)
  }

  #newSymlink(change: Change): void {
    const { disk } = this.#site.observer
    if (change.after?.kind !== 'symlink') return
    const { target } = change.after
    disk.symlink(target, this.#anchors.at(change.path))
    this.#inverses.push(() => {
      const at = this.#anchors.at(change.path)
      if (disk.lstat(at)?.kind === 'symlink' && disk.readLink(at) === target) disk.unlink(at)
    })
  }

  /** Gives a complete file another name, if that is free; false when somebody has taken it. */
  #place(from: Spot, to: Spot, ours: FileStat | null): boolean {
    const { disk } = this.#site.observer
    const taken = this.#link(from, to)
    if (taken === null) return false
    this.#inverses.push(() => {
      // Somebody's newer file, or edit of this one, stays.
      if (!sameInode(disk.lstat(this.#at(to)), ours)) return
      if (disk.lstat(this.#at(from)) === null) disk.rename(this.#at(to), this.#at(from))
      else disk.unlink(this.#at(to))
      if (sameInode(disk.lstat(this.#at(from)), ours)) return
      this.#carry(from, to)
    })
    if (taken === 'linked') disk.unlink(this.#at(from))
    return true
  }

  /** Moves a file to a name that must be free; false, and nothing done, when it is not. */
  #carry(from: Spot, to: Spot): boolean {
    const { disk } = this.#site.observer
    const taken = this.#link(from, to)
    if (taken === 'linked') disk.unlink(this.#at(from))
    return taken !== null
  }

  #link(from: Spot, to: Spot): 'linked' | 'renamed' | null {
    const { disk } = this.#site.observer
    try {
      // Linking a symbolic link follows it on some platforms.
      if (disk.lstat(this.#at(from))?.kind !== 'symlink') {
        disk.link(this.#at(from), this.#at(to))
        return 'linked'
      }
    } catch (error) {
      if (hasSystemCode(error, 'EEXIST')) return null
      if (!hasSystemCode(error, ...NO_LINKS)) throw error
    }
    if (disk.lstat(this.#at(to)) !== null) return null
    disk.rename(this.#at(from), this.#at(to))
    return 'renamed'
  }

  /** Puts a file where something stands; returns where that is now, or null when there was nothing after all. */
  #exchange(spot: Spot, target: Spot & { readonly path: string }, ours: FileStat | null): Spot | null {
    const { disk } = this.#site.observer
    try {
      disk.exchange(this.#at(spot), this.#at(target))
      this.#inverses.push(() => {
        if (!sameInode(disk.lstat(this.#at(target)), ours)) return
        disk.exchange(this.#at(spot), this.#at(target))
        // It was replaced in that very moment: theirs is the newest.
        if (!sameInode(disk.lstat(this.#at(spot)), ours)) disk.exchange(this.#at(spot), this.#at(target))
        else this.#putBack(target.path)
      })
      return spot
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT')) {
        if (this.#place(spot, target, ours)) return null
        throw vanished(target.path)
      }
      if (!hasSystemCode(error, ...NO_EXCHANGE)) throw error
    }
    const replaced = disk.lstat(this.#at(target))
    if (replaced === null) {
      if (this.#place(spot, target, ours)) return null
      throw vanished(target.path)
    }
    if (isUnkeepable(replaced)) throw unkeepableAppeared(target.path)
    const aside: Spot = 'staged' in spot ? { staged: `${spot.staged}.old` } : { path: `${spot.path}.old` }
    if (replaced.kind === 'symlink') disk.symlink(disk.readLink(this.#at(target)), this.#at(aside))
    else {
      try {
        disk.link(this.#at(target), this.#at(aside))
      } catch (error) {
        if (!hasSystemCode(error, ...NO_LINKS)) throw error
        const from = this.#at(target)
        reading(disk, from, () => disk.clone(from, this.#at(aside), replaced.mode))
      }
    }
    this.#displaced.push({ spot: aside, stat: replaced })
    disk.rename(this.#at(spot), this.#at(target))
    this.#inverses.push(() => {
      if (!sameInode(disk.lstat(this.#at(target)), ours)) return
      disk.rename(this.#at(aside), this.#at(target))
      this.#putBack(target.path)
    })
    return aside
  }

  /** A path has what it had: nothing of it needs keeping. */
  #putBack(path: string): void {
    const index = this.surprises.findIndex((surprise) => surprise.path === path)
    if (index >= 0) this.surprises.splice(index, 1)
  }

  async #move(change: Change, index: number): Promise<void> {
    const { observer } = this.#site
    const from = change.movedFrom as string
    const source = this.#changes.find(({ path }) => path === from)
    // Taken away in one step, and only then looked at: what somebody puts there from now on is not touched.
    const taken = this.#aside(change, index, TAKEN)
    if (!this.#moveAside(from, taken)) throw vanished(from)
    if (source !== undefined && !(await observer.unchanged(this.#at(taken), source.observed))) {
      this.surprises.push({ path: from, file: this.#absolute(taken) })
      throw new JournalError('CONFLICT', `${from} was changed while it was being moved`, {
        hint: 'Try again.',
        path: from,
      })
    }
    if (isLeaf(change.before)) {
      const aside = this.#aside(change, index, GONE)
      if (this.#moveAside(change.path, aside)) await this.#inspect(change, aside)
    }
    if (!this.#place(taken, { path: change.path }, observer.disk.lstat(this.#at(taken)))) {
      throw new JournalError('CONFLICT', `somebody made ${change.path} while it was about to be made`, {
        hint: 'Look at the file and try again.',
        path: change.path,
      })
    }
  }

  async #changeMode({ path, before, after }: Change): Promise<void> {
    if (after?.kind !== 'file' || before?.kind !== 'file') return
    // Half done, a change of owner and permissions can be taken back like a whole one.
    this.#inverses.push(() => this.#setMode(path, before))
    if (mayBeSynced(this.#site.observer.disk, after.mode)) this.#setMode(path, after)
    else await this.#lockAway(path, after)
  }

  /** Makes a file durable while it may still be opened. */
  async #lockAway(path: string, after: FileState): Promise<void> {
    const { disk } = this.#site.observer
    const handle = disk.open(this.#anchors.at(path), 'read')
    try {
      await disk.sync(handle, true)
      this.#setMode(path, after)
      await disk.sync(handle, true)
    } finally {
      disk.close(handle)
    }
  }

  #setMode(path: string, { mode, owner }: { readonly mode: number; readonly owner?: Owner }): void {
    const { disk } = this.#site.observer
    const target = this.#anchors.at(path)
    if (owner !== undefined) {
      const handle = disk.open(target, 'read')
      try {
        disk.chown(handle, owner.uid, owner.gid)
      } finally {
        disk.close(handle)
      }
    }
    disk.chmod(target, mode)
  }

  #removeFolder({ path, after }: Change): void {
    const { disk } = this.#site.observer
    const stat = disk.lstat(this.#anchors.at(path))
    try {
      disk.removeDirectory(this.#anchors.at(path))
      this.#anchors.forget(path)
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT')) return
      // Somebody put a file of theirs in: the folder stays, unless something else must stand there.
      if (hasSystemCode(error, 'ENOTEMPTY', 'EEXIST') && after === null) return
      throw error
    }
    this.#inverses.push(() => {
      if (disk.lstat(this.#anchors.at(path)) === null) disk.makeDirectory(this.#anchors.at(path), stat?.mode ?? 0o755)
    })
  }

  #prepareFolder({ path, before, after }: Change): void {
    const { disk } = this.#site.observer
    if (after?.kind !== 'dir') return
    const target = this.#anchors.at(path)
    // Until everything in it is in place, the folder must be writable.
    const mode = after.mode | 0o700
    if (isDir(before)) {
      const now = disk.lstat(target)?.mode ?? after.mode
      if ((now & 0o700) === 0o700) return
      disk.chmod(target, now | 0o700)
      this.#inverses.push(() => disk.chmod(this.#anchors.at(path), now))
      return
    }
    try {
      disk.makeDirectory(target, mode)
    } catch (error) {
      if (hasSystemCode(error, 'EEXIST') && disk.lstat(target)?.kind === 'dir') return
      throw error
    }
    this.#inverses.push(() => {
      try {
        disk.removeDirectory(this.#anchors.at(path))
        this.#anchors.forget(path)
      } catch (error) {
        // Somebody has put something in meanwhile.
        if (!hasSystemCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error
      }
    })
  }

  #finishFolder({ path, after }: Change): void {
    const { disk } = this.#site.observer
    if (after?.kind !== 'dir') return
    const now = disk.lstat(this.#anchors.at(path))
    if (now === null) return
    const owner = { uid: now.uid, gid: now.gid }
    const sameOwner = after.owner === undefined || (after.owner.uid === owner.uid && after.owner.gid === owner.gid)
    if (sameOwner && now.mode === after.mode) return
    this.#inverses.push(() => this.#setMode(path, sameOwner ? { mode: now.mode } : { mode: now.mode, owner }))
    this.#setMode(path, sameOwner ? { mode: after.mode } : after)
  }

  async #inspect(change: Change, aside: Spot): Promise<void> {
    const { observer } = this.#site
    const stat = observer.disk.lstat(this.#at(aside))
    if (stat !== null && isUnkeepable(stat)) throw unkeepableAppeared(change.path)
    if (!this.#displaced.some(({ spot }) => spot === aside)) this.#displaced.push({ spot: aside, stat })
    if (!(await observer.unchanged(this.#at(aside), change.observed, stat))) {
      this.surprises.push({ path: change.path, file: this.#absolute(aside) })
    }
  }

  #rollBack(): void {
    for (const inverse of this.#inverses.splice(0).reverse()) {
      try {
        inverse()
      } catch (error) {
        this.rollBackFailure ??= error
      }
    }
    // What could not be taken back is left to recovery, which needs the files that were moved aside.
    if (this.rollBackFailure !== null) return
    const { disk } = this.#site.observer
    const kept = new Set(this.surprises.map(({ file }) => file))
    // What is left now are files that were to go somewhere, and contents that the journal has.
    const displaced = this.#displaced.splice(0).map(({ spot }) => spot)
    for (const spot of [...displaced, ...this.#staged.values()]) {
      if (!kept.has(this.#absolute(spot)) && this.#isThere(spot)) disk.unlink(this.#at(spot))
    }
    this.#staged.clear()
  }

  #isThere(spot: Spot): boolean {
    try {
      return this.#site.observer.disk.lstat(this.#at(spot)) !== null
    } catch (error) {
      // Its folder is gone.
      if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) return false
      throw error
    }
  }
}

/** A folder, a device, a pipe or a socket: the history cannot hold it, so it must not be replaced. */
function isUnkeepable({ kind }: FileStat): boolean {
  return kind === 'dir' || kind === 'other'
}

function unkeepableAppeared(path: string): JournalError {
  return new JournalError('CONFLICT', `somebody put a folder, or something that is no file, at ${path}`, {
    hint: 'Look at it, move it away, and try again.',
    path,
  })
}

function vanished(path: string): JournalError {
  return new JournalError('CONFLICT', `somebody keeps making and removing ${path}`, {
    hint: 'Stop that program and try again.',
    path,
  })
}

/** Name of a temporary file beside its target, for the rare target that is on another file system than the journal. */
export function siblingName(path: string, id: string, index: number, suffix: string): string {
  let name = nameOf(path)
  while (Buffer.byteLength(name) > SIBLING_BYTES) name = name.slice(0, -1)
  return `.${name.toWellFormed()}.${id}.${index}${suffix}.wj`
}
