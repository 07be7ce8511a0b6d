import { describe, expect, test } from 'vitest'
import { Mentions } from '../../src/safety/mentions.ts'

const among = Array.from({ length: 40 }, (_, index) => `other${index}.md`)

describe('a text that may refer to a path', () => {
  test.each<[string, string]>([
    ['src/greet.js', "import './greet.js'"],
    ['src/greet.ts', "import './greet'"],
    ['src/greet.d.ts', "import './greet'"],
    ['src/greet.test.ts', "import './greet.test'"],
    ['lib/index.ts', "import '../lib'"],
    ['lib/index.ts', "import '..'"],
    ['lib/index.ts', "import '../../'"],
    ['index.js', "require('./')"],
    ['lib/package.json', "import '../lib'"],
    ['tools/__init__.py', 'import tools'],
    ['my%20file.md', '[a](my%2520file.md)'],
    ['my file.md', '[a](my%20file.md)'],
    ['a & ball.md', '[a](a%20&amp;%20ball.md)'],
    ['snake_case.py', 'from . import snake_case'],
    ['käse.md', '[a](k%C3%A4se.md)'],
    ['写.md', '[a](anything.md)'],
    ['.eslintrc.json', '{"extends": "./.eslintrc.json"}'],
  ])('%s: %s', (path, text) => {
    expect(new Mentions([path]).in(Buffer.from(text))).toBe(true)
    // Many are looked for in another way than few.
    expect(new Mentions([...among, path]).in(Buffer.from(text))).toBe(true)
  })

  test.each<[string, string]>([
    ['src/greet.js', "import './other.js'"],
    ['lib/index.ts', "import '../src/main'"],
    ['lib/greet.ts', "import '../lib'; import '..'"],
  ])('and one that cannot: %s: %s', (path, text) => {
    expect(new Mentions([path]).in(Buffer.from(text))).toBe(false)
    expect(new Mentions([...among, path]).in(Buffer.from(text))).toBe(false)
  })
})
