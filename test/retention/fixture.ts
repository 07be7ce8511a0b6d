import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Files below `folder` that have `text` in them. */
export function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile() && readFileSync(file).includes(text))
}
