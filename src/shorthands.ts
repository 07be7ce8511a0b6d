import { checked } from './arguments.ts'
import type { CellEdit } from './edit/cell-edit.ts'
import type { ImportChange } from './edit/imports/import-change.ts'
import type { ImportsOptions } from './edit/imports/imports.ts'
import type { PatchOptions } from './edit/patch/patch-set.ts'
import type { SettingChange } from './edit/settings/setting-change.ts'
import type { SettingsOptions } from './edit/settings/settings.ts'
import type { Meta } from './entry/commit.ts'
import type { TextEdit } from './entry/entry.ts'
import { metaOf } from './meta.ts'
import type { Receipt } from './transaction/receipt.ts'
import type { ContentInput } from './transaction/stager.ts'
import type {
  EditOptions,
  ExpectOptions,
  RemoveOptions,
  TextOptions,
  Transaction,
  WriteOptions,
} from './transaction/transaction.ts'

/** A transaction for one operation: each method is that of a transaction, begun before it and committed after. */
export abstract class Shorthands {
  abstract transact(meta: Meta, fn: (tx: Transaction) => unknown): Promise<Receipt>

  write(path: string, content: ContentInput, options: WriteOptions & Meta = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.write(path, content, options))
  }

  append(path: string, content: ContentInput, options: ExpectOptions & Meta = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.append(path, content, options))
  }

  edit(path: string, edits: readonly TextEdit[], options: EditOptions & Meta = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.edit(path, edits, options))
  }

  patch(path: string, patch: string, options: TextOptions & Meta = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.patch(path, patch, options))
  }

  /** A patch of any number of files: see `Transaction.applyPatch`. */
  applyPatch(patch: string, options: PatchOptions & Meta = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.applyPatch(patch, options))
  }

  /** See `Transaction.notebook`. */
  notebook(path: string, cells: readonly CellEdit[], options: TextOptions & Meta = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.notebook(path, cells, options))
  }

  /** See `Transaction.set`. */
  set(
    path: string,
    changes: readonly SettingChange[],
    options: TextOptions & SettingsOptions & Meta = {},
  ): Promise<Receipt> {
    return single(this, options, (tx) => tx.set(path, changes, options))
  }

  /** See `Transaction.imports`. */
  imports(
    path: string,
    changes: readonly ImportChange[],
    options: TextOptions & ImportsOptions & Meta = {},
  ): Promise<Receipt> {
    return single(this, options, (tx) => tx.imports(path, changes, options))
  }

  remove(path: string, options: RemoveOptions & Meta = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.remove(path, options))
  }

  rename(path: string, to: string, options: ExpectOptions & Meta = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.rename(path, to, options))
  }

  mkdir(path: string, options: { readonly mode?: number } & Meta = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.mkdir(path, options))
  }

  rmdir(path: string, options: Meta = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.rmdir(path))
  }

  chmod(path: string, mode: number, options: Meta = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.chmod(path, mode))
  }

  symlink(path: string, target: string, options: Meta = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.symlink(path, target))
  }
}

async function single(journal: Shorthands, options: Meta, fn: (tx: Transaction) => Promise<unknown>): Promise<Receipt> {
  checked('the options', options)
  return journal.transact(metaOf(options), fn)
}
