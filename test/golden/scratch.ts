import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll } from 'vitest'

const scratch: string[] = []

/** A folder that goes when the tests of this file are done. */
export function temporary(): string {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'golden-')))
  scratch.push(folder)
  return folder
}

afterAll(() => {
  for (const folder of scratch) fs.rmSync(folder, { recursive: true, force: true })
})
