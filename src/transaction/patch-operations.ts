import type { FilePatch, PatchFormat } from '../edit/patch/file-patch.ts'
import { patchText } from '../edit/patch/patch-file.ts'
import { readPatch } from '../edit/patch/patch-set.ts'
import { encodeText } from '../edit/text.ts'
import type { Json } from '../entry/entry.ts'
import { JournalError } from '../errors.ts'
import type { DraftContents } from './draft-contents.ts'
import type { FileOperations, Said } from './file-operations.ts'
import type { Operation } from './operation.ts'
import { notAFile, notFound } from './refusals.ts'
import type { Revision } from './revision.ts'
import type { Stager } from './stager.ts'
import type { TreeOperations } from './tree-operations.ts'
import type { View } from './view.ts'

type Applying = Extract<Operation, { op: 'apply' }>

/** Failures of one file after which the others are looked at all the same. */
const COLLECTED: ReadonlySet<string> = new Set(['CONFLICT', 'NOT_FOUND', 'EXISTS', 'INVALID'])

/** What a patch brings. */
const NEW_TEXT = { encoding: 'utf-8', bom: false } as const

/** Patches of any number of files. */
export class PatchOperations {
  readonly #view: View
  readonly #contents: DraftContents
  readonly #files: FileOperations
  readonly #tree: TreeOperations
  readonly #stager: Stager

  constructor(view: View, contents: DraftContents, files: FileOperations, tree: TreeOperations, stager: Stager) {
    this.#view = view
    this.#contents = contents
    this.#files = files
    this.#tree = tree
    this.#stager = stager
  }

  /** @throws JournalError `CONFLICT` that names every file, and every hunk of it, that does not fit */
  async apply(operation: Applying): Promise<Revision[]> {
    const { format, files } = await readPatch(operation.patch, operation)
    const revisions: Revision[] = []
    const failures: { readonly file: FilePatch; readonly error: JournalError }[] = []
    for (const file of files) {
      try {
        revisions.push(await this.#one(file, format))
      } catch (error) {
        if (!(error instanceof JournalError && COLLECTED.has(error.code))) throw error
        failures.push({ file, error })
      }
    }
    if (failures.length > 0) throw patchError(failures, files.length)
    return revisions
  }

  async #one(file: FilePatch, format: PatchFormat): Promise<Revision> {
    switch (file.change) {
      case 'add':
        return this.#add(file, format)
      case 'delete':
        return this.#delete(file, format)
      case 'update':
        return this.#update(file, format)
    }
  }

  async #add({ path: given, content = '', mode }: FilePatch, format: PatchFormat): Promise<Revision> {
    const path = this.#view.resolve(given, { follow: true })
    const overwrites = format === 'apply_patch'
    const state = await this.#view.state(path)
    if (!overwrites && state !== null) throw isThere(given)
    const staged = this.#stager.keep(encodeText(content, NEW_TEXT, given))
    await this.#files.write({ op: 'write', path: given, content: staged, mode: state === null ? newMode(mode) : mode })
    return { path, by: format, change: state === null ? 'added' : 'modified', changes: 1 }
  }

  async #delete(file: FilePatch, format: PatchFormat): Promise<Revision> {
    const { path: given, hunks } = file
    const path = this.#view.resolve(given, { follow: false })
    const state = await this.#view.state(path)
    if (state === null) throw notFound(given)
    if (state.kind === 'dir') throw notAFile(given)
    if (hunks.length > 0) {
      const { source } = await this.#files.text(given, path, state)
      if (patchText(source.text, file, format, path).text !== '') {
        throw new JournalError('CONFLICT', `${given} has more than the patch takes away`, {
          hint: 'Read the file again and make the patch anew.',
          path,
        })
      }
    }
    await this.#tree.remove({ op: 'remove', path: given })
    return { path, by: format, change: 'deleted', changes: 1 }
  }

  async #update(file: FilePatch, format: PatchFormat): Promise<Revision> {
    const { path: from, to, copies, mode, hunks } = file
    const given = to ?? from
    if (to !== undefined) await this.#move(from, to, copies === true, format)
    const path = this.#view.resolve(given, { follow: true })
    const state = await this.#view.state(path)
    let matches: Revision['hunks'] = []
    if (hunks.length > 0) {
      const { state: now, source } = await this.#files.text(given, path, state)
      const patched = patchText(source.text, file, format, path)
      matches = patched.hunks
      await this.#files.put(path, given, { state: now, source, text: patched.text, said: said(file, format) })
    }
    if (state === null) throw notFound(given)
    const now = await this.#view.state(path)
    if (mode !== undefined && now?.kind === 'file') {
      // A patch knows of one permission only: whether the file can be run.
      const wanted = (mode & 0o100) === 0 ? now.mode & ~0o111 : now.mode | ((now.mode & 0o444) >> 2)
      if (wanted !== now.mode) await this.#tree.chmod({ op: 'chmod', path: given, mode: wanted })
    }
    const moved = to === undefined ? {} : { from }
    const change = to === undefined ? 'modified' : copies ? 'copied' : 'renamed'
    return { path, by: format, change, ...moved, hunks: matches, changes: Math.max(1, hunks.length) }
  }

  async #move(from: string, to: string, copies: boolean, format: PatchFormat): Promise<void> {
    const target = this.#view.resolve(to, { follow: false })
    if (format === 'unified' && (await this.#view.state(target)) !== null) throw isThere(to)
    if (!copies) return this.#tree.rename({ op: 'rename', path: from, to })
    const path = this.#view.resolve(from, { follow: true })
    const state = await this.#view.state(path)
    if (state === null) throw notFound(from)
    if (state.kind !== 'file') throw notAFile(from)
    const content = await this.#stager.take(this.#contents.chunks(path, state))
    await this.#files.write({ op: 'write', path: to, content, mode: state.mode })
  }
}

function said({ said }: FilePatch, format: PatchFormat): Said {
  return format === 'unified' ? { op: 'patch', patch: said } : { op: 'revise', by: format, change: { patch: said } }
}

/** Of a new file: what the folder and the umask give, unless it can be run. */
function newMode(mode: number | undefined): number | undefined {
  return mode !== undefined && (mode & 0o100) !== 0 ? mode : undefined
}

function isThere(path: string): JournalError {
  return new JournalError('EXISTS', `${path} is there already`, { hint: 'The patch makes it new.', path })
}

function patchError(failures: readonly { file: FilePatch; error: JournalError }[], of: number): JournalError {
  const [first] = failures as [(typeof failures)[number]]
  const names = failures.map(({ file }) => file.path)
  const reasons = failures.map(({ file, error }): Json => {
    const { path, patchLine } = file
    return { path, patchLine, code: error.code, message: error.message, ...(error.details as Record<string, Json>) }
  })
  const which = `${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`
  const hints = failures.slice(0, 5).map(({ error }) => `${error.message}. ${error.hint}`)
  return new JournalError('CONFLICT', `the patch does not fit: ${which} (${failures.length} of ${of} files)`, {
    hint: `Nothing was changed. ${hints.join('\n')}`,
    path: first.file.path,
    details: { files: reasons },
    cause: first.error,
  })
}
