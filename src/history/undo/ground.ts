import type { Disk } from '../../disk/disk.ts'
import type { State } from '../../entry/state.ts'
import { hasSystemCode } from '../../errors.ts'
import { ancestorsOf } from '../path-scope.ts'

interface Step {
  readonly path: string
  readonly from: State
  readonly state: State
}

/** Is there room in the workspace for what steps put there, once all of them are carried out? */
export class Ground {
  readonly #disk: Disk
  readonly #root: string
  readonly #steps: ReadonlyMap<string, Step>
  readonly #folders = new Map<string, boolean>()
  /** Folders in which a step puts something. */
  readonly #needed = new Set<string>()

  constructor(disk: Disk, root: string, steps: readonly Step[]) {
    this.#disk = disk
    this.#root = root
    this.#steps = new Map(steps.map((step) => [step.path, step]))
    for (const { path, state } of steps) {
      if (state !== null) for (const folder of ancestorsOf(path)) this.#needed.add(folder)
    }
  }

  /** Would a step meet something that no step takes away: no folder where one is needed, or things in a folder that is to become a file? */
  blocks({ path, from, state }: Step): boolean {
    if (state === null) return false
    if (ancestorsOf(path).some((folder) => !this.#mayHold(folder))) return true
    return from?.kind === 'dir' && state.kind !== 'dir' && this.#staysFull(path)
  }

  /** A folder with things in it that no step takes away stays: they are not the journal's to delete. */
  spares({ path, from, state }: Step): boolean {
    return state === null && from?.kind === 'dir' && this.#staysFull(path)
  }

  #mayHold(folder: string): boolean {
    const known = this.#folders.get(folder)
    if (known !== undefined) return known
    const step = this.#steps.get(folder)
    const holds =
      step === undefined ? this.#isFolderOrNothing(folder) : step.state === null || step.state.kind === 'dir'
    this.#folders.set(folder, holds)
    return holds
  }

  #isFolderOrNothing(folder: string): boolean {
    try {
      const kind = this.#disk.lstat(`${this.#root}/${folder}`)?.kind
      return kind === undefined || kind === 'dir'
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT', 'ENOTDIR')) return true
      throw error
    }
  }

  #staysFull(folder: string): boolean {
    if (this.#needed.has(folder)) return true
    return this.#disk.readDirectory(`${this.#root}/${folder}`).some(({ name }) => {
      const inside = `${folder}/${name}`
      const step = this.#steps.get(inside)
      return step === undefined || step.state !== null || (step.from?.kind === 'dir' && this.#staysFull(inside))
    })
  }
}
