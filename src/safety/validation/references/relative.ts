import type { Sight } from '../../../transaction/guard.ts'

/** A relative name as a path of the workspace; null when it leads out of it. */
export function joined(folder: string, target: string): string | null {
  const names = folder === '' ? [] : folder.split('/')
  for (const name of target.split('/')) {
    if (name === '' || name === '.') continue
    if (name !== '..') names.push(name)
    else if (names.pop() === undefined) return null
  }
  return names.join('/')
}

/** Manifests that many files of one sight ask for. */
const texts = new WeakMap<Sight, Map<string, Promise<string | null>>>()

/** The text of a file; null when there is none, or it is too large. */
export function textAt(sight: Sight, path: string, limit: number): Promise<string | null> {
  const known = texts.get(sight) ?? new Map<string, Promise<string | null>>()
  texts.set(sight, known)
  const text =
    known.get(path) ??
    sight.read(path, limit).then((bytes) => (bytes === null ? null : Buffer.from(bytes).toString('utf8')))
  known.set(path, text)
  return text
}
