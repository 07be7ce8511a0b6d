import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** The built library, which child processes run: `dist/`, or where the variable says. */
export const DIST = resolve(process.env.WRITE_JOURNAL_DIST ?? resolve(import.meta.dirname, '../../dist'))

/** @throws when it has not been built */
export async function built(): Promise<typeof import('../../src/index.ts')> {
  if (!existsSync(`${DIST}/index.js`)) {
    throw new Error(
      `${DIST}/index.js is missing: run 'npm run build' first (or 'npm test', which does), or set WRITE_JOURNAL_DIST`,
    )
  }
  return import(/* @vite-ignore */ pathToFileURL(`${DIST}/index.js`).href)
}

const given = process.env.CRASH_SEED
/** Of everything random in these tests; set `CRASH_SEED` to repeat a run as far as a kernel allows. */
export const SEED = given === undefined ? Math.floor(Math.random() * 0x1_0000_0000) : Number(given) >>> 0
