import type { FileState, State } from '../entry/state.ts'
import { ancestorsOf, parentOf } from '../workspace/safe-path.ts'
import type { DraftContents } from './draft-contents.ts'
import type { StagedContent } from './operation.ts'
import { checkedMode } from './refusals.ts'
import type { View } from './view.ts'

/** The states of files and folders that a transaction makes, and the missing folders above them. */
export class NewStates {
  readonly #view: View
  readonly #contents: DraftContents

  constructor(view: View, contents: DraftContents) {
    this.#view = view
    this.#contents = contents
  }

  async newFile(path: string, before: State, content: StagedContent, mode?: number): Promise<FileState> {
    await this.parents(path)
    this.#contents.note(content)
    const base = { kind: 'file', hash: content.hash, size: content.size } as const
    if (before?.kind === 'file') {
      return { ...before, ...base, ...(mode === undefined ? {} : { mode: checkedMode(mode, path) }) }
    }
    const { inheritance } = this.#view.site.folders.facts(parentOf(path))
    const owner =
      this.#view.site.owner === null ? {} : { owner: { ...this.#view.site.owner, ...groupOf(inheritance.gid) } }
    return { ...base, mode: mode === undefined ? inheritance.fileMode : checkedMode(mode, path), ...owner }
  }

  newFolder(path: string, mode?: number): State {
    const { inheritance } = this.#view.site.folders.facts(parentOf(path))
    const owner =
      this.#view.site.owner === null ? {} : { owner: { ...this.#view.site.owner, ...groupOf(inheritance.gid) } }
    return { kind: 'dir', mode: mode === undefined ? inheritance.folderMode : checkedMode(mode, path), ...owner }
  }

  /** Makes the missing folders above a path part of the transaction. */
  async parents(path: string): Promise<void> {
    for (const folder of ancestorsOf(path).reverse()) {
      if (this.#view.look(folder) !== null) continue
      const before = await this.#view.state(folder)
      const after = this.newFolder(folder)
      this.#view.set(folder, after, { op: 'mkdir', path: folder, before, after, implied: true })
    }
  }
}

function groupOf(gid: number | null): { gid?: number } {
  return gid === null ? {} : { gid }
}
