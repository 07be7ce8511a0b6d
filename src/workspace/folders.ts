import type { FileStat } from '../disk/disk.ts'
import { type Inheritance, inheritanceOf } from './inheritance.ts'
import type { Observer } from './observer.ts'
import { parentOf } from './safe-path.ts'

export interface FolderFacts {
  /** What new files and folders in it get. Looked up when first asked for: a file that is replaced needs none of it. */
  readonly inheritance: Inheritance
  readonly device: bigint
  /** On the file system of the journal, so that files can be moved in from `staging`. */
  readonly sameDevice: boolean
  readonly exists: boolean
}

/** Facts about folders, looked up once for a transaction. A folder not made yet has those of the nearest one above it. */
export class Folders {
  readonly #observer: Observer
  readonly #device: bigint
  readonly #umask: number
  readonly #facts = new Map<string, FolderFacts>()

  /** `device`: of the journal. `workspace`: how the workspace looks, for who knows. */
  constructor(observer: Observer, device: bigint, umask: number, workspace: FileStat | null = null) {
    this.#observer = observer
    this.#device = device
    this.#umask = umask
    if (workspace !== null) this.note('', workspace)
  }

  facts(path: string): FolderFacts {
    const known = this.#facts.get(path)
    if (known !== undefined) return known
    const above = path === '' ? null : this.facts(parentOf(path))
    // Below what is no folder yet, a symbolic link that is about to be replaced may lead anywhere.
    const stat = above?.exists === false ? null : this.#observer.disk.lstat(this.#observer.absolute(path))
    if (stat?.kind === 'dir') return this.note(path, stat)
    if (above === null) throw Object.assign(new Error('ENOENT: the workspace is gone'), { code: 'ENOENT' })
    const { device, sameDevice } = above
    const facts: FolderFacts = {
      get inheritance() {
        return above.inheritance
      },
      device,
      sameDevice,
      exists: false,
    }
    this.#facts.set(path, facts)
    return facts
  }

  /** Takes over what somebody has just seen of a folder. */
  note(path: string, { dev }: FileStat): FolderFacts {
    const observer = this.#observer
    const umask = this.#umask
    let inheritance: Inheritance | undefined
    const facts: FolderFacts = {
      get inheritance() {
        inheritance ??= inheritanceOf(observer.disk, observer.absolute(path), umask)
        return inheritance
      },
      device: dev,
      sameDevice: dev === this.#device,
      exists: true,
    }
    this.#facts.set(path, facts)
    return facts
  }
}
