import type { Journal } from '../journal.ts'

/** What a transaction argument names: `head` is the newest; the library knows ids, beginnings of ids, and numbers. */
export async function transactionName(text: string, journal: Journal): Promise<string | number> {
  return text === 'head' ? journal.resolve('head') : text
}
