import type { ContentStore } from '../content/content-store.ts'
import { breathe } from '../disk/file.ts'
import type { Effect } from '../entry/effects.ts'
import { type ContentHash, type State, sameState } from '../entry/state.ts'
import { JournalError, asJournalError, hasSystemCode } from '../errors.ts'
import type { ContentSource } from '../transaction/operation.ts'
import { Anchors } from './anchors.ts'
import type { FolderFacts, Folders } from './folders.ts'
import type { Observation, Observer } from './observer.ts'
import { nameOf, parentOf } from './safe-path.ts'
import { stageFile } from './staged-file.ts'

/** Names changed between two turns of the event loop. */
const STEPS_A_TURN = 256
const NO_EXCHANGE = ['ENOSYS', 'EINVAL', 'ENOTSUP', 'EOPNOTSUPP'] as const
const NO_LINKS = ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'EXDEV'] as const

export interface Site {
  readonly observer: Observer
  readonly contents: ContentStore
  readonly folders: Folders
  /** Absolute path of the folder for files about to be moved. */
  readonly staging: string
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

function isDir(state: State): boolean {
  return state?.kind === 'dir'
}

function isLeaf(state: State): boolean {
  return state !== null && state.kind !== 'dir'
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
  readonly #displaced: string[] = []
  readonly #staged = new Map<string, string>()
  readonly #sources: (hash: ContentHash) => ContentSource
  readonly surprises: Surprise[] = []
  /** Why a failed `apply` could not be taken back wholly; null when it was. */
  rollBackFailure: unknown = null

  /** `id` begins the name of every file it makes in `staging`; `sources` says where a content's bytes are. */
  constructor(site: Site, id: string, changes: readonly Change[], sources: (hash: ContentHash) => ContentSource) {
    this.#site = site
    this.#id = id
    this.#changes = changes
    this.#anchors = new Anchors(site.observer.disk, site.observer.root)
    this.#sources = sources
  }

  /** Prepares every file that will be moved into place. Touches nothing in the workspace. */
  async stage(): Promise<void> {
    for (const [index, change] of this.#changes.entries()) {
      if (!this.#needsFile(change)) continue
      const facts = this.#site.folders.facts(parentOf(change.path))
      if (!facts.sameDevice) continue
      await this.#stageAs(change, `${this.#site.staging}/${this.#id}.${index}`, facts)
      if (index % STEPS_A_TURN === STEPS_A_TURN - 1) await breathe()
    }
  }

  /** Removes what `stage` made. */
  discard(): void {
    const { disk } = this.#site.observer
    for (const file of this.#staged.values()) if (disk.lstat(file) !== null) disk.unlink(file)
    this.#staged.clear()
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
    const { observer } = this.#site
    const kept = new Set(this.surprises.map(({ file }) => file))
    for (const file of this.#displaced) if (!kept.has(file)) observer.disk.unlink(file)
    for (const { path, after } of this.#changes) {
      if (after?.kind !== 'file') observer.forget(path)
      else {
        const stat = observer.disk.lstat(observer.absolute(path))
        if (stat?.kind === 'file' && stat.size === after.size) observer.learn(path, after.hash, stat)
        else observer.forget(path)
      }
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
      observed.state.hash === after.hash
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
      !this.#changes.some(({ before, after, path: other }) => isDir(before) && isLeaf(after) && isBelow(movedFrom, other))
    )
  }

  async #stageAs(change: Change, file: string, facts: FolderFacts): Promise<void> {
    const { observer, contents } = this.#site
    this.#staged.set(change.path, file)
    const { after, before, path } = change
    if (after?.kind === 'symlink') observer.disk.symlink(after.target, file)
    else if (after?.kind === 'file') {
      const target = { path: observer.absolute(path), before, after, source: this.#sources(after.hash) }
      await stageFile(observer.disk, contents, file, target, facts.inheritance)
    }
  }

  *#plan(): Generator<() => Promise<void>> {
    const changes = this.#changes.map((change, index) => ({ change, index }))
    const moves = new Set(changes.filter(({ change }) => this.#isMove(change)).map(({ change }) => change.movedFrom))
    const replaced = changes.filter(({ change }) => isDir(change.before) && isLeaf(change.after)).map(({ change }) => change.path)
    const gone = changes
      .filter(({ change }) => isDir(change.before) && !isDir(change.after))
      .sort((a, b) => depth(b.change.path) - depth(a.change.path))
    const early = gone.filter(({ change }) => replaced.some((path) => path === change.path || isBelow(change.path, path)))

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
  #aside(change: Change, index: number, suffix: string): string {
    const facts = this.#site.folders.facts(parentOf(change.path))
    if (facts.sameDevice) return `${this.#site.staging}/${this.#id}.${index}${suffix}`
    return this.#anchors.at(`${parentOf(change.path)}/${siblingName(change.path, this.#id, suffix)}`.replace(/^\//, ''))
  }

  async #remove(change: Change, index: number): Promise<void> {
    const { disk } = this.#site.observer
    const target = this.#anchors.at(change.path)
    const aside = this.#aside(change, index, '.old')
    try {
      disk.rename(target, aside)
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT')) return
      throw error
    }
    this.#inverses.push(() => this.#back(aside, change.path))
    await this.#inspect(change, aside)
  }

  async #put(change: Change, index: number): Promise<void> {
    const { disk } = this.#site.observer
    let file = this.#staged.get(change.path)
    if (file === undefined && change.after?.kind === 'symlink') return this.#newSymlink(change)
    if (file === undefined) {
      file = this.#aside(change, index, '')
      await this.#stageAs(change, file, this.#site.folders.facts(parentOf(change.path)))
    }
    const target = this.#anchors.at(change.path)
    if (!isLeaf(change.before)) {
      if (this.#place(file, target, change.path)) return
    }
    const aside = this.#exchange(file, target, change.path)
    if (aside === null) return
    if (disk.lstat(aside)?.kind === 'dir') {
      throw new JournalError('CONFLICT', `somebody put a folder at ${change.path}`, {
        hint: 'Look at the folder, move it away, and try again.',
        path: change.path,
      })
    }
    await this.#inspect(change, aside)
  }

  #newSymlink(change: Change): void {
    const { disk } = this.#site.observer
    if (change.after?.kind !== 'symlink') return
    disk.symlink(change.after.target, this.#anchors.at(change.path))
    this.#inverses.push(() => disk.unlink(this.#anchors.at(change.path)))
  }

  /** Gives a complete file its final name, if that is free; false when somebody has taken it. */
  #place(file: string, target: string, path: string): boolean {
    const { disk } = this.#site.observer
    try {
      disk.link(file, target)
      disk.unlink(file)
    } catch (error) {
      if (hasSystemCode(error, 'EEXIST')) return false
      if (!hasSystemCode(error, ...NO_LINKS)) throw error
      if (disk.lstat(target) !== null) return false
      disk.rename(file, target)
    }
    this.#inverses.push(() => disk.rename(this.#anchors.at(path), file))
    return true
  }

  /** Puts `file` where something stands; returns where that is now, or null when there was nothing after all. */
  #exchange(file: string, target: string, path: string): string | null {
    const { disk } = this.#site.observer
    try {
      disk.exchange(file, target)
      this.#inverses.push(() => disk.exchange(file, this.#anchors.at(path)))
      return file
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT')) {
        if (this.#place(file, target, path)) return null
        throw vanished(path)
      }
      if (!hasSystemCode(error, ...NO_EXCHANGE)) throw error
    }
    const aside = `${file}.old`
    const replaced = disk.lstat(target)
    if (replaced === null) {
      if (this.#place(file, target, path)) return null
      throw vanished(path)
    }
    if (replaced.kind === 'symlink') disk.symlink(disk.readLink(target), aside)
    else {
      try {
        disk.link(target, aside)
      } catch (error) {
        if (!hasSystemCode(error, ...NO_LINKS)) throw error
        disk.clone(target, aside, replaced.mode)
      }
    }
    disk.rename(file, target)
    this.#inverses.push(() => disk.rename(aside, this.#anchors.at(path)))
    return aside
  }

  async #move(change: Change, index: number): Promise<void> {
    const { disk, observer } = { disk: this.#site.observer.disk, observer: this.#site.observer }
    const from = change.movedFrom as string
    const source = this.#changes.find(({ path }) => path === from)
    const aside = isLeaf(change.before) ? this.#aside(change, index, '.old') : null
    if (aside === null) {
      if (!this.#place(this.#anchors.at(from), this.#anchors.at(change.path), change.path)) {
        throw new JournalError('CONFLICT', `somebody made ${change.path} while it was about to be made`, {
          hint: 'Look at the file and try again.',
          path: change.path,
        })
      }
    } else {
      disk.rename(this.#anchors.at(change.path), aside)
      this.#inverses.push(() => this.#back(aside, change.path))
      await this.#inspect(change, aside)
      disk.rename(this.#anchors.at(from), this.#anchors.at(change.path))
      this.#inverses.push(() => disk.rename(this.#anchors.at(change.path), this.#anchors.at(from)))
    }
    if (source !== undefined && !(await observer.unchanged(this.#anchors.at(change.path), source.observed))) {
      throw new JournalError('CONFLICT', `${from} was changed while it was being moved`, { hint: 'Try again.', path: from })
    }
  }

  #changeMode({ path, before, after }: Change): void {
    const { disk } = this.#site.observer
    if (after?.kind !== 'file' || before?.kind !== 'file') return
    const set = (state: typeof after): void => {
      const target = this.#anchors.at(path)
      if (state.owner !== undefined) {
        const handle = disk.open(target, 'read')
        disk.chown(handle, state.owner.uid, state.owner.gid)
        disk.close(handle)
      }
      disk.chmod(target, state.mode)
    }
    set(after)
    this.#inverses.push(() => set(before))
  }

  #removeFolder({ path, after }: Change): void {
    const { disk } = this.#site.observer
    const stat = disk.lstat(this.#anchors.at(path))
    try {
      disk.removeDirectory(this.#anchors.at(path))
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT')) return
      // Somebody put a file of theirs in: the folder stays, unless something else must stand there.
      if (hasSystemCode(error, 'ENOTEMPTY', 'EEXIST') && after === null) return
      throw error
    }
    this.#inverses.push(() => disk.makeDirectory(this.#anchors.at(path), stat?.mode ?? 0o755))
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
    this.#inverses.push(() => disk.removeDirectory(this.#anchors.at(path)))
  }

  #finishFolder({ path, after }: Change): void {
    const { disk } = this.#site.observer
    if (after?.kind !== 'dir') return
    const target = this.#anchors.at(path)
    const now = disk.lstat(target)
    if (now === null) return
    if (after.owner !== undefined && (now.uid !== after.owner.uid || now.gid !== after.owner.gid)) {
      const handle = disk.open(target, 'read')
      disk.chown(handle, after.owner.uid, after.owner.gid)
      disk.close(handle)
    }
    if (now.mode === after.mode) return
    disk.chmod(target, after.mode)
    this.#inverses.push(() => disk.chmod(this.#anchors.at(path), now.mode))
  }

  async #inspect(change: Change, aside: string): Promise<void> {
    this.#displaced.push(aside)
    if (!(await this.#site.observer.unchanged(aside, change.observed))) this.surprises.push({ path: change.path, file: aside })
  }

  #back(aside: string, path: string): void {
    const { disk } = this.#site.observer
    const target = this.#anchors.at(path)
    if (disk.lstat(target) === null) disk.rename(aside, target)
    else disk.exchange(aside, target)
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
    this.#displaced.length = 0
    this.surprises.length = 0
    this.discard()
  }
}

function vanished(path: string): JournalError {
  return new JournalError('CONFLICT', `somebody keeps making and removing ${path}`, { hint: 'Stop that program and try again.', path })
}

/** Name of a temporary file beside its target, for the rare target that is on another file system than the journal. */
export function siblingName(path: string, id: string, suffix: string): string {
  return `.${nameOf(path).slice(0, 100)}.${id}${suffix}.wj`
}
