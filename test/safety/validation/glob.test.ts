import { expect, test } from 'vitest'
import { globbed } from '../../../src/safety/validation/glob.ts'

test.each([
  ['*.md', ['a.md', 'b/c.md', '.md'], ['a.mdx', 'a.md/b']],
  ['vendor/**', ['vendor/a', 'vendor/a/b.c'], ['vendor', 'a/vendor/b']],
  ['**/test/*.ts', ['test/a.ts', 'x/y/test/a.ts'], ['test/a/b.ts', 'atest/a.ts']],
  ['src/?.{js,ts}', ['src/a.js', 'src/b.ts'], ['src/ab.js', 'src/a.jsx', 'src//.js']],
  ['a+(b).[c]', ['a+(b).[c]', 'x/a+(b).[c]'], ['aab.c', 'a+b.c']],
  ['{a', ['a'], ['{a']],
  ['.env*', ['.env', 'x/.env.local'], ['env']],
] as const)('%s', (pattern, yes, no) => {
  for (const path of yes) expect(globbed(pattern).test(path), path).toBe(true)
  for (const path of no) expect(globbed(pattern).test(path), path).toBe(false)
})
