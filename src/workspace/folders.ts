import { hasSystemCode } from '../errors.ts'
import { type Inheritance, inheritanceOf } from './inheritance.ts'
import type { Observer } from './observer.ts'
import { parentOf } from './safe-path.ts'

export interface FolderFacts {
  readonly inheritance: Inheritance
  readonly device: bigint
  /** On the file system of the journal, so that files can be moved in from `staging`. */
  readonly sameDevice: boolean
}

/** Facts about folders, looked up once for a transaction. A folder not made yet has those of the nearest one above it. */
export class Folders {
  readonly #observer: Observer
  readonly #device: bigint
  readonly #umask: number
  readonly #facts = new Map<string, FolderFacts>()

  constructor(observer: Observer, device: bigint, umask: number) {
    this.#observer = observer
    this.#device = device
    this.#umask = umask
  }

  facts(path: string): FolderFacts {
    const known = this.#facts.get(path)
    if (known !== undefined) return known
    const facts = this.#look(path)
    this.#facts.set(path, facts)
    return facts
  }

  #look(path: string): FolderFacts {
    const { disk } = this.#observer
    const absolute = this.#observer.absolute(path)
    const stat = disk.lstat(absolute)
    if (stat?.kind !== 'dir') {
      if (path === '') throw Object.assign(new Error('ENOENT: the workspace is gone'), { code: 'ENOENT' })
      return this.facts(parentOf(path))
    }
    try {
      return {
        inheritance: inheritanceOf(disk, absolute, this.#umask),
        device: stat.dev,
        sameDevice: stat.dev === this.#device,
      }
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT') && path !== '') return this.facts(parentOf(path))
      throw error
    }
  }
}
