import { pathToFileURL } from 'node:url'
import { built, DIST } from '../../crash/built.ts'

/** An entry of the built package: threads run only that. */
export async function builtEntry<T>(folder: string): Promise<T> {
  await built()
  return (await import(/* @vite-ignore */ pathToFileURL(`${DIST}/agents/${folder}/index.js`).href)) as T
}
