/** Who and why, as callers give it. */
import type { Meta } from './entry/commit.ts'
import { JournalError } from './errors.ts'
import type { TransactionOptions } from './journal-types.ts'

/** In the form in which the history holds it. @throws JournalError `INVALID` */
export function checkedMeta(meta: Meta): Meta {
  const { actor, message, tags, parent } = meta
  const texts = [actor, message, parent, ...(Array.isArray(tags) ? tags : [])]
  if (
    (tags !== undefined && !Array.isArray(tags)) ||
    texts.some((text) => text !== undefined && typeof text !== 'string')
  ) {
    throw new JournalError('INVALID', 'actor, message and parent must be text, tags a list of texts', {
      hint: 'Convert them first.',
    })
  }
  if (texts.some((text) => text !== undefined && text.length > 65_536)) {
    throw new JournalError('INVALID', 'actor, message, parent and tags hold at most 65,536 characters', {
      hint: 'Shorten them.',
    })
  }
  // A text cut in the middle of a letter has no form in UTF-8, which the log holds; half of it is no reason to refuse a commit.
  const wellFormed = (text: string | undefined): string | undefined => text?.toWellFormed()
  const told = { actor: wellFormed(actor), message: wellFormed(message), parent: wellFormed(parent) }
  return Object.freeze(metaOf({ ...told, tags: tags && Object.freeze(tags.map((tag) => tag.toWellFormed())) } as Meta))
}

/** What options say of who and why, and nothing else of them. */
/** The same with what else concerns who may write. */
export function leasedMeta(options: Pick<TransactionOptions, 'lease'> & Meta): TransactionOptions {
  const { lease } = options
  return lease === undefined ? metaOf(options) : { ...metaOf(options), lease }
}

export function metaOf({ actor, message, tags, parent }: Meta): Meta {
  const meta: { -readonly [K in keyof Meta]: Meta[K] } = {}
  if (actor !== undefined) meta.actor = actor
  if (message !== undefined) meta.message = message
  if (tags !== undefined) meta.tags = tags
  if (parent !== undefined) meta.parent = parent
  return meta
}
