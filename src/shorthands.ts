import { checked } from './arguments.ts'
import type { CellEdit } from './edit/cell-edit.ts'
import type { ImportChange } from './edit/imports/import-change.ts'
import type { ImportsOptions } from './edit/imports/imports.ts'
import type { PatchOptions } from './edit/patch/patch-set.ts'
import type { SettingChange } from './edit/settings/setting-change.ts'
import type { SettingsOptions } from './edit/settings/settings.ts'
import type { TextEdit } from './entry/entry.ts'
import type { TransactionOptions } from './journal-types.ts'
import { metaOf } from './meta.ts'
import type {
  EditOptions,
  ExpectOptions,
  RemoveOptions,
  TextOptions,
  WriteOptions,
} from './transaction/operation-options.ts'
import type { Receipt } from './transaction/receipt.ts'
import type { ContentInput } from './transaction/stager.ts'
import type { Transaction } from './transaction/transaction.ts'

/** A transaction for one operation: each method is that of a transaction, begun before it and committed after. */
export abstract class Shorthands {
  abstract transact(meta: TransactionOptions, fn: (tx: Transaction) => unknown): Promise<Receipt>

  write(path: string, content: ContentInput, options: WriteOptions & TransactionOptions = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.write(path, content, options))
  }

  append(path: string, content: ContentInput, options: ExpectOptions & TransactionOptions = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.append(path, content, options))
  }

  edit(path: string, edits: readonly TextEdit[], options: EditOptions & TransactionOptions = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.edit(path, edits, options))
  }

  patch(path: string, patch: string, options: TextOptions & TransactionOptions = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.patch(path, patch, options))
  }

  /** A patch of any number of files: see `Transaction.applyPatch`. */
  applyPatch(patch: string, options: PatchOptions & TransactionOptions = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.applyPatch(patch, options))
  }

  /** See `Transaction.notebook`. */
  notebook(path: string, cells: readonly CellEdit[], options: TextOptions & TransactionOptions = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.notebook(path, cells, options))
  }

  /** See `Transaction.set`. */
  set(
    path: string,
    changes: readonly SettingChange[],
    options: TextOptions & SettingsOptions & TransactionOptions = {},
  ): Promise<Receipt> {
    return single(this, options, (tx) => tx.set(path, changes, options))
  }

  /** See `Transaction.imports`. */
  imports(
    path: string,
    changes: readonly ImportChange[],
    options: TextOptions & ImportsOptions & TransactionOptions = {},
  ): Promise<Receipt> {
    return single(this, options, (tx) => tx.imports(path, changes, options))
  }

  remove(path: string, options: RemoveOptions & TransactionOptions = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.remove(path, options))
  }

  rename(path: string, to: string, options: ExpectOptions & TransactionOptions = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.rename(path, to, options))
  }

  mkdir(path: string, options: { readonly mode?: number } & TransactionOptions = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.mkdir(path, options))
  }

  rmdir(path: string, options: TransactionOptions = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.rmdir(path))
  }

  chmod(path: string, mode: number, options: TransactionOptions = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.chmod(path, mode))
  }

  symlink(path: string, target: string, options: TransactionOptions = {}): Promise<Receipt> {
    return single(this, options, (tx) => tx.symlink(path, target))
  }
}

async function single(
  journal: Shorthands,
  options: TransactionOptions,
  fn: (tx: Transaction) => Promise<unknown>,
): Promise<Receipt> {
  const { validation, lease } = checked('the options', options)
  const asked = { ...(validation === undefined ? {} : { validation }), ...(lease === undefined ? {} : { lease }) }
  return journal.transact({ ...metaOf(options), ...asked }, fn)
}
