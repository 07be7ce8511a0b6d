import type { ContentStore } from '../content/content-store.ts'
import { advance } from '../content/large-change.ts'
import type { Attribute } from '../disk/disk.ts'
import { breathe, dropFile } from '../disk/file.ts'
import { type ContentHash, type FileState, sameState } from '../entry/state.ts'
import { asJournalError, JournalError } from '../errors.ts'
import type { Fence } from '../store/fence.ts'
import type { ContentSource } from '../transaction/operation.ts'
import { Anchors } from './anchors.ts'
import { GONE, siblingName, TAKEN } from './aside-name.ts'
import { type Change, isDir, isLeaf, isReplacement, type Surprise } from './change.ts'
import { FolderSteps } from './folder-steps.ts'
import type { FolderFacts, Folders } from './folders.ts'
import { type ChangeInPlace, InPlaceSteps, inPlaceChange } from './in-place-steps.ts'
import { InverseSteps } from './inverse-steps.ts'
import { ModeSteps } from './mode-steps.ts'
import { isUnkeepable, NameSteps, unkeepableAppeared, vanished } from './name-steps.ts'
import { type Observer, sameFile } from './observer.ts'
import type { PinnedFolders } from './pinned-folders.ts'
import type { Reaper } from './reaper.ts'
import { joinPath, parentOf } from './safe-path.ts'
import { type Spot, Spots } from './spots.ts'
import { attributesOf, inheritLate, mayBeSynced, type StagedFile, stageFile } from './staged-file.ts'

/** Names changed between two turns of the event loop. */
const STEPS_A_TURN = 256
/** What so many files or more replaced is removed while the next sync of the log is waited for, or nobody waits. */
const SWEPT_FILES = 4

export interface Site {
  readonly observer: Observer
  readonly contents: ContentStore
  readonly folders: Folders
  /** Absolute path of the folder for files about to be moved. */
  readonly staging: string
  readonly reaper: Reaper
  readonly pins: PinnedFolders
  readonly fence: Fence
  /**
   * Part of the names in `staging`: what a writer that was deposed clears up when it wakes up must not be what another one has made for the same transaction
   * since. `w7.` in term 7; nothing where nobody can take over.
   */
  readonly mark: string
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
  readonly #inverses = new InverseSteps()
  readonly #spots: Spots
  readonly #names: NameSteps
  readonly #modes: ModeSteps
  readonly #folders: FolderSteps
  readonly #inPlace: InPlaceSteps
  readonly #staged = new Map<string, Spot>()
  /** How the staged files look. */
  readonly #stamps = new Map<string, StagedFile>()
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
    const { disk } = site.observer
    this.#spots = new Spots(site.observer, this.#anchors)
    this.#names = new NameSteps(disk, this.#spots, this.#inverses, {
      putBack: (aside) => this.#putBack(aside),
      found: (path, aside) => this.#found(path, aside),
    })
    this.#modes = new ModeSteps(disk, this.#anchors, this.#inverses)
    this.#folders = new FolderSteps(disk, this.#anchors, this.#inverses, this.#modes)
    this.#inPlace = new InPlaceSteps(disk, this.#spots, this.#inverses)
  }

  /** Prepares every file that will be moved into place. Touches nothing in the workspace. */
  async stage(): Promise<void> {
    for (const [index, change] of this.#changes.entries()) {
      if (!this.#needsFile(change)) continue
      const facts = this.#site.folders.facts(parentOf(change.path))
      if (!facts.sameDevice) continue
      const staging = this.#stageAs(
        change,
        { staged: `${this.#site.staging}/${this.#id}.${this.#site.mark}${index}` },
        facts,
      )
      if (staging !== undefined) await staging
      if (index % STEPS_A_TURN === STEPS_A_TURN - 1) await breathe()
    }
  }

  /** Removes what `stage` made. */
  discard(): void {
    const { disk } = this.#site.observer
    try {
      // Whoever took over may be carrying out the same transaction, with files of the same names.
      const release = this.#site.fence.hold()
      for (const spot of this.#staged.values()) dropFile(disk, this.#spots.at(spot))
      release()
    } catch {
      // What stays in `staging`, the next recovery drops.
    }
    this.#staged.clear()
    this.#anchors.release()
  }

  /**
   * Puts everything in place. When a step fails, all earlier ones are taken back before the error is thrown: the workspace is as it was.
   * `fenced`: this process was seen to be the writer after everything was staged.
   * @throws JournalError
   */
  async apply(fenced = false): Promise<void> {
    let release: (() => void) | null = null
    try {
      // A writer that others have replaced finds nothing in `staging` any more, so what comes from there fails by itself.
      if (this.#changes.every((change) => isReplacement(change) && this.#staged.has(change.path))) {
        if (!fenced) this.#site.fence.check()
      } else release = this.#site.fence.hold()
      let steps = 0
      for (const step of this.#plan()) {
        const working = step()
        if (working !== undefined) await working
        steps += 1
        if (steps % STEPS_A_TURN === 0) await breathe()
      }
    } catch (error) {
      this.#rollBack()
      throw asJournalError(error, 'writing the workspace')
    } finally {
      release?.()
      this.#anchors.release()
    }
  }

  /** Drops what was moved aside, but for surprises, and lets the observer know what is there now. */
  async finish(): Promise<void> {
    const { observer, reaper } = this.#site
    const kept = new Set(this.surprises.map(({ file }) => file))
    const soon = this.#changes.length >= SWEPT_FILES
    for (const [spot, stat] of this.#names.displaced) {
      const file = this.#spots.absolute(spot)
      if (kept.has(file)) continue
      // Only what took no name away may lie about: for the rest, recovery would think that the name is still to be filled.
      const removing =
        'staged' in spot && !file.endsWith(GONE) ? reaper.remove(file, stat, soon) : observer.disk.unlink(file)
      if (removing !== undefined) await removing
    }
    for (const { path, after } of this.#changes) {
      if (after?.kind === 'file' && this.#learnLarge(path, after)) continue
      const stamp = this.#stamps.get(path)
      const stat = after?.kind === 'file' ? (stamp?.stat ?? observer.disk.lstat(observer.absolute(path))) : null
      if (after?.kind === 'file' && stat?.kind === 'file' && stat.size === after.size)
        observer.learn(path, after.hash, stat, stamp?.bare)
      else observer.forget(path)
    }
  }

  /** Takes note of a large file that may be changed in place from now on. False for any other. */
  #learnLarge(path: string, { hash, size }: FileState): boolean {
    const { observer, contents } = this.#site
    const source = this.#sources(hash)
    const known = source.at === 'staged' ? source.known : undefined
    if (known === undefined && source.at !== 'changed') return false
    if (known !== undefined) contents.large.set(known)
    else if (source.at === 'changed') advance(contents.large, source.change)
    const ours = this.#inPlace.written.get(path) ?? this.#stamps.get(path)?.stat ?? null
    const now = observer.disk.lstat(observer.absolute(path))
    // Moving it here changed its change time, and nothing else.
    const moved = !this.#inPlace.written.has(path)
    if (ours === null || now === null || now.size !== size || !sameFile(ours, now, !moved)) observer.forget(path)
    else observer.learnInPlace(path, hash, now)
    return true
  }

  #changeInPlace(change: Change): ChangeInPlace | null {
    return change.after?.kind === 'file' ? inPlaceChange(change, this.#sources(change.after.hash)) : null
  }

  #needsFile(change: Change): boolean {
    const { before, after } = change
    if (after === null || after.kind === 'dir' || this.#isMove(change)) return false
    if (this.#changeInPlace(change) !== null) return false
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

  #stageAs(change: Change, spot: Spot, facts: FolderFacts): undefined | Promise<void> {
    const { observer, contents } = this.#site
    this.#staged.set(change.path, spot)
    const { after, before, path } = change
    if (after?.kind === 'symlink') observer.disk.symlink(after.target, this.#spots.at(spot))
    else if (after?.kind === 'file') {
      const group = change.observed.stat?.gid ?? null
      // Nothing can be given any more to one that nobody may open.
      const { trusted, bare: seenBare } = change.observed
      const bare = (seenBare || trusted?.memory.bare) === true && mayBeSynced(observer.disk, after.mode)
      const target = { path: observer.absolute(path), before, after, source: this.#sources(after.hash), group, bare }
      const staged = stageFile(observer.disk, contents, this.#spots.at(spot), target, facts)
      if (staged instanceof Promise) return staged.then((stamp) => void this.#stamps.set(path, stamp))
      this.#stamps.set(path, staged)
    }
    return undefined
  }

  #isKept(spot: Spot): boolean {
    return this.surprises.some(({ file }) => file === this.#spots.absolute(spot))
  }

  /** Steps, in order; those that have to wait give a promise. */
  *#plan(): Generator<() => undefined | Promise<void>> {
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
    for (const { change } of early) yield async () => this.#folders.remove(change)
    for (const { change } of changes.toSorted((a, b) => depth(a.change.path) - depth(b.change.path))) {
      if (isDir(change.after)) yield async () => this.#folders.prepare(change)
    }
    for (const { change, index } of changes) {
      if (!isLeaf(change.after)) continue
      if (this.#isMove(change)) yield () => this.#move(change, index)
      else if (this.#isModeOnly(change)) yield async () => this.#modes.change(change)
      else yield () => this.#put(change, index)
    }
    for (const item of gone) if (!early.includes(item)) yield async () => this.#folders.remove(item.change)
    for (const { change } of changes) if (isDir(change.after)) yield async () => this.#folders.finish(change)
  }

  /** A name beside the target where it is on another file system, else in `staging`. */
  #aside(change: Change, index: number, suffix: string): Spot {
    let folder = parentOf(change.path)
    if (this.#site.folders.facts(folder).sameDevice) {
      return { staged: `${this.#site.staging}/${this.#id}.${this.#site.mark}${index}${suffix}` }
    }
    // In a folder that is to go away it would be in the way.
    const goes = (path: string): boolean => this.#changes.some((other) => other.path === path && !isDir(other.after))
    while (folder !== '' && goes(folder)) folder = parentOf(folder)
    return { path: joinPath(folder, siblingName(change.path, this.#id, index, suffix)) }
  }

  #remove(change: Change, index: number): undefined | Promise<void> {
    const aside = this.#aside(change, index, GONE)
    return this.#names.moveAside(change.path, aside) ? this.#inspect(change, aside) : undefined
  }

  #put(change: Change, index: number): undefined | Promise<void> {
    const inPlace = this.#changeInPlace(change)
    if (inPlace !== null && this.#inPlace.write(change, inPlace)) return undefined
    const spot = this.#staged.get(change.path)
    if (spot !== undefined) return this.#putStaged(change, spot)
    if (change.after?.kind === 'symlink' && !isLeaf(change.before)) {
      this.#names.newSymlink(change.path, change.after.target, this.#aside(change, index, ''))
      return undefined
    }
    return this.#putBeside(change, this.#aside(change, index, ''))
  }

  async #putBeside(change: Change, sibling: Spot): Promise<void> {
    const { disk } = this.#site.observer
    // It must be gone before a folder that was made for it can go.
    this.#inverses.push(() => {
      if (this.#spots.isThere(sibling) && !this.#isKept(sibling)) disk.unlink(this.#spots.at(sibling))
    })
    await this.#stageAs(change, sibling, this.#site.folders.facts(parentOf(change.path)))
    await this.#putStaged(change, sibling)
  }

  #putStaged(change: Change, spot: Spot): undefined | Promise<void> {
    const target: Spot = { path: change.path }
    const ours = this.#stamps.get(change.path)?.stat ?? this.#site.observer.disk.lstat(this.#spots.at(spot))
    if (!isLeaf(change.before) && this.#names.place(spot, target, ours)) return undefined
    const aside = this.#names.exchange(spot, target, ours)
    return aside === null ? undefined : this.#inspect(change, aside)
  }

  /** What was moved aside has its path again: nothing of it needs keeping. */
  #putBack(aside: Spot): void {
    const index = this.surprises.findIndex(({ file }) => file === this.#spots.absolute(aside))
    if (index >= 0) this.surprises.splice(index, 1)
  }

  #found(path: string, aside: Spot): void {
    if (!this.#isKept(aside)) this.surprises.push({ path, file: this.#spots.absolute(aside) })
  }

  async #move(change: Change, index: number): Promise<void> {
    const { observer } = this.#site
    const from = change.movedFrom as string
    const source = this.#changes.find(({ path }) => path === from)
    // Taken away in one step, and only then looked at: what somebody puts there from now on is not touched.
    const taken = this.#aside(change, index, TAKEN)
    if (!this.#names.moveAside(from, taken)) throw vanished(from)
    if (source !== undefined && !(await observer.unchanged(this.#spots.at(taken), source.observed))) {
      this.surprises.push({ path: from, file: this.#spots.absolute(taken) })
      throw new JournalError('CONFLICT', `${from} was changed while it was being moved`, {
        hint: 'Try again.',
        path: from,
      })
    }
    if (isLeaf(change.before)) {
      const aside = this.#aside(change, index, GONE)
      if (this.#names.moveAside(change.path, aside)) await this.#inspect(change, aside)
    }
    if (!this.#names.place(taken, { path: change.path }, observer.disk.lstat(this.#spots.at(taken)))) {
      throw new JournalError('CONFLICT', `somebody made ${change.path} while it was about to be made`, {
        hint: 'Look at the file and try again.',
        path: change.path,
      })
    }
  }

  #inspect(change: Change, aside: Spot): undefined | Promise<void> {
    const { observer } = this.#site
    const { observed } = change
    if (observed.trusted !== undefined) {
      const attributes = observer.reread(this.#spots.at(aside), observed)
      if (attributes !== null) {
        this.#names.displaced.set(aside, this.#names.displaced.get(aside) ?? observed.stat)
        this.#inheritLate(change, attributes)
        return undefined
      }
    }
    const stat = observer.disk.lstat(this.#spots.at(aside))
    if (stat !== null && isUnkeepable(stat)) throw unkeepableAppeared(change.path)
    this.#names.displaced.set(aside, null)
    const unchanged = observer.unchanged(this.#spots.at(aside), observed, stat)
    if (unchanged instanceof Promise) return unchanged.then((same) => this.#inspected(change, aside, same))
    this.#inspected(change, aside, unchanged)
    return undefined
  }

  #inspected(change: Change, aside: Spot, unchanged: boolean): void {
    if (!unchanged) this.surprises.push({ path: change.path, file: this.#spots.absolute(aside) })
    else if (change.observed.trusted !== undefined)
      this.#inheritLate(change, attributesOf(this.#site.observer.disk, this.#spots.at(aside)))
  }

  /** Somebody gave the file that was replaced attributes since it was put there. */
  #inheritLate({ path, after }: Change, attributes: readonly Attribute[]): void {
    const { disk } = this.#site.observer
    if (attributes.length === 0 || after?.kind !== 'file' || this.#stamps.get(path)?.bare !== true) return
    if (mayBeSynced(disk, after.mode)) inheritLate(disk, this.#anchors.at(path), after.mode, attributes)
  }

  #rollBack(): void {
    try {
      const release = this.#site.fence.hold()
      this.rollBackFailure = this.#inverses.undo()
      release()
    } catch (error) {
      // Whoever took over decides by the log.
      this.rollBackFailure = error
    }
    // What could not be taken back is left to recovery, which needs the files that were moved aside.
    if (this.rollBackFailure !== null) return
    const { disk } = this.#site.observer
    const kept = new Set(this.surprises.map(({ file }) => file))
    // What is left now are files that were to go somewhere, and contents that the journal has.
    for (const spot of [...this.#names.displaced.keys(), ...this.#staged.values()]) {
      if (!kept.has(this.#spots.absolute(spot)) && this.#spots.isThere(spot)) disk.unlink(this.#spots.at(spot))
    }
    this.#names.displaced.clear()
    this.#staged.clear()
  }
}
