import { type State, sameState } from '../entry/state.ts'
import { JournalError } from '../errors.ts'
import { ancestorsOf, joinPath, nameOf } from '../workspace/safe-path.ts'
import type { NewStates } from './new-states.ts'
import type { Operation } from './operation.ts'
import { checkExpected, checkedMode, notAFile, notFound } from './refusals.ts'
import type { View } from './view.ts'

type Of<O extends Operation['op']> = Extract<Operation, { op: O }>

/** Operations that do not look into a file: what they make of a view. */
export class TreeOperations {
  readonly #view: View
  readonly #states: NewStates

  constructor(view: View, states: NewStates) {
    this.#view = view
    this.#states = states
  }

  async remove(operation: Of<'remove'>): Promise<void> {
    const path = this.#view.resolve(operation.path, { follow: false, folder: operation.recursive === true })
    const before = await this.#view.state(path)
    checkExpected(operation.path, before, operation.expect)
    if (before === null) throw notFound(operation.path)
    if (before.kind === 'dir' && operation.recursive !== true) {
      throw new JournalError('INVALID', `${operation.path} is a folder`, {
        hint: 'Use rmdir for an empty folder, or remove it recursively.',
        path: operation.path,
      })
    }
    await this.#removeTree(path, before)
  }

  async #removeTree(path: string, before: State): Promise<void> {
    if (before?.kind !== 'dir') return this.#view.set(path, null, { op: 'remove', path, before, after: null })
    for (const child of this.#view.journaledChildren(path)) await this.#removeTree(child, await this.#view.state(child))
    this.#view.set(path, null, { op: 'rmdir', path, before, after: null })
  }

  async rename(operation: Of<'rename'>): Promise<void> {
    const path = this.#view.resolve(operation.path, { follow: false, folder: true })
    const to = this.#view.resolve(operation.to, { follow: false, folder: true })
    const before = await this.#view.state(path)
    checkExpected(operation.path, before, operation.expect)
    if (before === null) throw notFound(operation.path)
    if (to === path || to.startsWith(`${path}/`)) {
      throw new JournalError(
        'INVALID',
        `${operation.path} cannot be moved to ${operation.to}, which is ${to === path ? 'itself' : 'inside it'}`,
        {
          hint: 'Choose another destination.',
          path: operation.path,
        },
      )
    }
    const replaced = await this.#view.state(to)
    if (replaced !== null && (replaced.kind === 'dir' || before.kind === 'dir')) {
      throw new JournalError('EXISTS', `${operation.to} is there already`, {
        hint: 'Remove it first, or name a path inside it.',
        path: operation.to,
      })
    }
    await this.#states.parents(to)
    await this.#moveTree(path, to, before, replaced)
  }

  async #moveTree(path: string, to: string, before: State, replaced: State): Promise<void> {
    if (before?.kind !== 'dir') {
      this.#view.leave(path)
      this.#view.set(to, before, { op: 'rename', path, to, before, replaced, after: before })
      return
    }
    this.#view.set(to, before, { op: 'mkdir', path: to, before: replaced, after: before })
    for (const child of this.#view.journaledChildren(path)) {
      await this.#moveTree(
        child,
        joinPath(to, nameOf(child)),
        await this.#view.state(child),
        await this.#view.state(joinPath(to, nameOf(child))),
      )
    }
    this.#view.set(path, null, { op: 'rmdir', path, before, after: null })
  }

  async mkdir(operation: Of<'mkdir'>): Promise<void> {
    const path = this.#view.resolve(operation.path, { follow: false, folder: true })
    const before = await this.#view.state(path)
    if (before !== null) {
      throw new JournalError('EXISTS', `${operation.path} is there already`, {
        hint: 'Choose another name.',
        path: operation.path,
      })
    }
    await this.#states.parents(path)
    const after = this.#states.newFolder(path, operation.mode)
    this.#view.set(path, after, { op: 'mkdir', path, before, after })
  }

  async rmdir(operation: Of<'rmdir'>): Promise<void> {
    const path = this.#view.resolve(operation.path, { follow: false, folder: true })
    const before = await this.#view.state(path)
    if (before === null) throw notFound(operation.path)
    if (before.kind !== 'dir') {
      throw new JournalError('INVALID', `${operation.path} is not a folder`, {
        hint: 'Use remove.',
        path: operation.path,
      })
    }
    if (this.#view.children(path).length > 0) {
      throw new JournalError('INVALID', `the folder ${operation.path} is not empty`, {
        hint: 'Remove what is in it first, or remove it recursively.',
        path: operation.path,
      })
    }
    this.#view.set(path, null, { op: 'rmdir', path, before, after: null })
  }

  async chmod(operation: Of<'chmod'>): Promise<void> {
    const mode = checkedMode(operation.mode, operation.path)
    const path = this.#view.resolve(operation.path, { follow: true, folder: true })
    const before = await this.#view.state(path)
    if (before === null) throw notFound(operation.path)
    if (before.kind === 'symlink') throw notAFile(operation.path)
    const after = { ...before, mode }
    this.#view.set(path, after, { op: 'chmod', path, ...this.#view.alias(path, operation.path), before, after })
  }

  async symlink(operation: Of<'symlink'>): Promise<void> {
    const { target } = operation
    if (
      typeof target !== 'string' ||
      target === '' ||
      target.includes('\0') ||
      !target.isWellFormed() ||
      Buffer.byteLength(target) > 4095
    ) {
      throw new JournalError(
        'INVALID',
        'the target of a symbolic link must be well-formed text of 1 to 4095 bytes without NUL',
        {
          hint: 'Give a path.',
          path: operation.path,
        },
      )
    }
    const path = this.#view.resolve(operation.path, { follow: false })
    const before = await this.#view.state(path)
    if (before !== null) {
      throw new JournalError('EXISTS', `${operation.path} is there already`, {
        hint: 'Remove it first.',
        path: operation.path,
      })
    }
    await this.#states.parents(path)
    const after: State = { kind: 'symlink', target }
    this.#view.set(path, after, { op: 'symlink', path, before, after })
  }

  async put(operation: Of<'put'>): Promise<void> {
    const path = this.#view.resolve(operation.path, { follow: false, folder: true })
    const before = await this.#view.state(path)
    const { state: after, from } = operation
    // A folder that an undo spared, or that somebody made since, is there already: nothing of it was changed, so nothing is said of it.
    if (before?.kind === 'dir' && sameState(before, after)) return
    if (from !== undefined && !sameState(before, from)) {
      throw new JournalError('CONFLICT', `${path} is not as the history left it`, {
        hint: `Look at 'journal diff', and adopt or take back the change first; or force it (what is there is kept in the history).`,
        path,
        details: { conflicts: [{ path, expected: from, found: before }] },
      })
    }
    if (sameState(before, after)) return
    // A folder with things in it that this transaction does not remove stays: they are not the journal's to delete.
    if (before?.kind === 'dir' && after?.kind !== 'dir' && this.#view.children(path).length > 0) {
      if (after === null) return
      throw new JournalError('CONFLICT', `the folder ${path} is not empty`, { hint: 'Move away what is in it.', path })
    }
    if (after !== null) await this.#states.parents(path)
    this.#view.set(path, after, { op: 'put', path, before, after })
  }

  async adopt(operation: Of<'adopt'>): Promise<void> {
    const { path, found } = await this.#standing(operation.path)
    if (operation.standing === true) {
      if (found !== null) this.#view.set(path, found, { op: 'put', path, before: found, after: found })
      return
    }
    const { moved } = operation
    const recorded = await this.#recorded(path, operation.recorded)
    if (moved === undefined) return this.#note(path, recorded, found)
    const { path: from, found: left } = await this.#standing(moved.from)
    const before = await this.#recorded(from, moved.recorded)
    if (left === null && from !== path && found !== null && found.kind !== 'dir' && sameState(found, before)) {
      this.#view.leave(from)
      this.#view.set(path, found, { op: 'rename', path: from, to: path, before, replaced: recorded, after: found })
      return
    }
    this.#note(path, recorded, found)
    this.#note(from, before, left)
  }

  /** By the journal. To be asked after what stands there: what a commit puts there is in its record before. */
  async #recorded(path: string, told: State): Promise<State> {
    const { recorded } = this.#view.site
    return recorded === undefined ? told : ((await recorded(path)) ?? null)
  }

  #note(path: string, before: State, after: State): void {
    if (!sameState(before, after)) this.#view.set(path, after, { op: 'put', path, before, after })
  }

  /** What stands at just this path. Behind a symbolic link there is something else, or nothing. */
  async #standing(given: string): Promise<{ readonly path: string; readonly found: State }> {
    const path = this.#view.plain(given)
    const reached = ancestorsOf(path)
      .reverse()
      .every((folder) => this.#view.look(folder)?.kind === 'dir')
    return { path, found: reached ? await this.#view.state(path) : null }
  }
}
