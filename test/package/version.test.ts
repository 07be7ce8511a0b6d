import fs from 'node:fs'
import { expect, it } from 'vitest'
import { VERSION } from '../../src/version.ts'

it('the version that the code tells is that of the package', () => {
  expect(JSON.parse(fs.readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version).toBe(VERSION)
})
