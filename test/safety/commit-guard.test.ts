import { describe, expect, test, vi } from 'vitest'
import type { Issue, Journal, ValidationOptions, Validator } from '../../src/index.ts'
import { failure, newDisk, openOn, refused } from '../journal/fixture.ts'

async function opened(validation?: ValidationOptions | 'basic' | 'strict' | 'off') {
  const disk = newDisk()
  const journal = await openOn(disk, validation === undefined ? {} : { validation })
  return { disk, journal }
}

function failures(error: { readonly details?: Readonly<Record<string, unknown>> }): string[] {
  return ((error.details?.failures ?? []) as Issue[]).map(
    ({ path, line, column, validator, existing }) =>
      `${path}:${line}:${column} ${validator}${existing ? ' existing' : ''}`,
  )
}

async function textOf(journal: Journal, path: string): Promise<string> {
  return Buffer.from(await journal.readAt(path)).toString()
}

describe('a transaction whose files would not be valid', () => {
  test('changes nothing, and every fault of every file is named', async () => {
    const { disk, journal } = await opened('basic')
    await journal.write('a.json', '{}')
    const error = await refused(disk, 'VALIDATION', () =>
      journal.transact(async (tx) => {
        await tx.write('fine.json', '[]')
        await tx.write('new/b.json', '{"a" 1,\n"b" 2}')
        await tx.edit('a.json', [{ oldText: '{}', newText: '{' }])
        await tx.write('c.yaml', 'a: [\n')
        await tx.write('d.txt', '{')
      }),
    )
    expect(failures(error)).toEqual(
      expect.arrayContaining(['a.json:1:2 json', 'c.yaml:2:1 yaml', 'new/b.json:1:6 json', 'new/b.json:2:5 json']),
    )
    expect(error.path).toBe('a.json')
    expect(error.message).toContain('in 3 files altogether')
    await journal.close()
  })

  test('what counts is the end of it, not what stood there on the way', async () => {
    const { journal } = await opened('basic')
    await journal.transact(async (tx) => {
      await tx.write('a.json', '{')
      await tx.append('a.json', '}')
      await tx.write('b.json', '{')
      await tx.rename('b.json', 'b.txt')
      await tx.write('c.json', '{')
      await tx.remove('c.json')
    })
    expect(await textOf(journal, 'a.json')).toBe('{}')
    await journal.close()
  })

  test('a file that only changes its permissions, and one that is written as it was, are not looked at', async () => {
    const { journal } = await opened()
    await journal.write('a.json', '{')
    await journal.transact({ validation: 'strict' }, async (tx) => {
      await tx.chmod('a.json', 0o600)
      await tx.write('a.json', '{')
    })
    await journal.close()
  })

  test('a name makes a file what it is: renaming a text to .json', async () => {
    const { disk, journal } = await opened('basic')
    await journal.write('a.txt', '{')
    const error = await refused(disk, 'VALIDATION', () => journal.rename('a.txt', 'a.json'))
    expect(failures(error)).toEqual(['a.json:1:2 json'])
    await journal.rename('a.txt', 'b.txt')
    await journal.close()
  })

  test('a symbolic link is no text; through one, the file is what it is', async () => {
    const { disk, journal } = await opened('basic')
    await journal.write('real.json', '{}')
    await journal.symlink('link.md', 'real.json')
    await journal.symlink('broken.json', 'nowhere')
    const error = await refused(disk, 'VALIDATION', () => journal.write('link.md', '{'))
    expect(failures(error)).toEqual(['real.json:1:2 json'])
    await journal.close()
  })
})

describe('the level', () => {
  test('off by default', async () => {
    const { journal } = await opened()
    await journal.write('a.json', '{')
    expect(await textOf(journal, 'a.json')).toBe('{')
    await journal.close()
  })

  test('of one transaction, one way and the other', async () => {
    const { disk, journal } = await opened('basic')
    await journal.write('a.json', '{', { validation: 'off' })
    await refused(disk, 'VALIDATION', () => journal.write('b.json', '{'))
    await refused(disk, 'VALIDATION', () => journal.write('b.md', '[x](nowhere.md)', { validation: 'strict' }))
    await journal.write('b.md', '[x](nowhere.md)')
    const error = await failure(() => journal.write('c.json', '{', { validation: 'harsh' as 'strict' }))
    expect(error.code).toBe('INVALID')
    expect((await failure(() => journal.begin({ validation: 'x' as 'off' }))).code).toBe('INVALID')
    await journal.close()
  })

  test('of a type, and paths that are left out', async () => {
    const { disk, journal } = await opened({
      types: { yaml: 'off', markdown: 'strict' },
      exclude: ['vendor/**', '*.min.json'],
    })
    await journal.transact(async (tx) => {
      await tx.write('chart.yaml', '{{ template }}: [')
      await tx.write('vendor/x.json', '{')
      await tx.write('x.min.json', '{')
    })
    await refused(disk, 'VALIDATION', () => journal.write('a.md', '[x](y.md)'))
    await refused(disk, 'VALIDATION', () => journal.write('x.json', '{'))
    await journal.close()
  })

  test('undo, redo, restore and adopt are not in its way, unless they are asked', async () => {
    const { disk, journal } = await opened()
    const { seq } = await journal.write('a.json', '{')
    await journal.write('a.json', '{}')
    await journal.close()
    const strict = await openOn(disk, { validation: 'basic' })
    await refused(disk, 'VALIDATION', () => strict.undo('head', { validation: 'basic' }))
    await refused(disk, 'VALIDATION', () => strict.restore({ to: seq, validation: 'basic' }))
    const { tx } = await strict.undo('head')
    await strict.undo(tx)
    await refused(disk, 'VALIDATION', () => strict.redo(tx, { validation: 'basic' }))
    await strict.restore({ to: seq })
    disk.writeFile('/ws/a.json', 'by hand')
    await refused(disk, 'VALIDATION', () => strict.adopt(undefined, { validation: 'basic' }))
    await strict.adopt()
    await strict.close()
  })
})

describe('what was broken before', () => {
  test('is said to be so of a link that leads nowhere, from wherever the file is', async () => {
    const disk = newDisk()
    const journal = await openOn(disk, { validation: { level: 'strict', refuse: 'new' } })
    await journal.write('a.md', '[x](none.md)\n\n[y](b/none.md)\n', { validation: 'off' })
    await journal.rename('a.md', 'folder/a.md')
    const error = await refused(disk, 'VALIDATION', () =>
      journal.edit('folder/a.md', [{ oldText: 'b/none.md', newText: 'c/none.md' }]),
    )
    expect(failures(error)).toEqual(['folder/a.md:3:5 markdown'])
    await journal.close()
  })

  test('is said to be so, wherever edits have moved it', async () => {
    const { disk, journal } = await opened()
    await journal.write('a.json', '{\n"a": x\n}')
    const error = await refused(disk, 'VALIDATION', () =>
      journal.write('a.json', '{\n"more": 1,\n"a": x\n,,}', { validation: 'basic' }),
    )
    expect(failures(error)[0]).toBe('a.json:3:6 json existing')
    expect(failures(error).some((line) => line.startsWith('a.json:4:') && !line.endsWith('existing'))).toBe(true)
    await journal.close()
  })

  test('passes where only new faults are refused, also under a new name; one more of the same kind does not', async () => {
    const { disk, journal } = await opened({ refuse: 'new' })
    await journal.write('a.yaml', 'a: 1\na: 2\n', { validation: 'off' })
    await journal.write('a.yaml', 'first: 0\na: 1\na: 2\n')
    await journal.rename('a.yaml', 'b.yaml')
    await refused(disk, 'VALIDATION', () => journal.write('b.yaml', 'a: 1\na: 2\na: 2\n'))
    await refused(disk, 'VALIDATION', () => journal.write('c.yaml', 'a: 1\na: 2\n'))
    await journal.close()
  })

  test('a link that the transaction itself breaks is new, though it stands there as before', async () => {
    const { disk, journal } = await opened({ level: 'strict', refuse: 'new' })
    await journal.transact(async (tx) => {
      await tx.write('a.md', '[b](b.md)\n')
      await tx.write('b.md', '# B\n')
    })
    await refused(disk, 'VALIDATION', () =>
      journal.transact(async (tx) => {
        await tx.remove('b.md')
        await tx.append('a.md', 'more\n')
      }),
    )
    await journal.close()
  })
})

describe('validators of the caller', () => {
  const words: Validator = {
    name: 'words',
    files: '*.txt',
    check: ({ text }) =>
      [...text().matchAll(/bad/g)].map((match) => ({ message: 'a bad word', line: 1, column: match.index + 1 })),
  }

  test('two that claim a type both have their say, beside the one that is built in', async () => {
    const seen: string[] = []
    const seeing = (name: string): Validator => ({
      name,
      files: ['*.json'],
      check: ({ path, level, bytes, exists }) => {
        seen.push(`${name} ${path} ${level} ${bytes.byteLength} ${exists('fresh')} ${exists('gone')}`)
        return [{ message: name }]
      },
    })
    const { disk, journal } = await opened({ validators: [seeing('one'), seeing('two'), words] })
    await journal.write('gone', '')
    const error = await refused(disk, 'VALIDATION', () =>
      journal.transact(async (tx) => {
        await tx.write('a.json', '{')
        await tx.write('fresh', '')
        await tx.remove('gone')
      }),
    )
    expect(failures(error)).toEqual(['a.json:1:2 json', 'a.json:1:1 one', 'a.json:1:1 two'])
    expect(seen).toEqual(['one a.json basic 1 true false', 'two a.json basic 1 true false'])
    await journal.close()
  })

  test('one that stands in for what is built in, and one for strict only', async () => {
    const { journal } = await opened({
      validators: [
        { name: 'mine', files: '*.json', instead: true, check: () => [] },
        { name: 'late', files: '*', level: 'strict', check: () => [{ message: 'no' }] },
      ],
    })
    await journal.write('a.json', '{')
    await journal.close()
  })

  test('its places are those of the text, and it cannot change what is written, or what others are shown', async () => {
    const shown: string[] = []
    const vandal: Validator = {
      name: 'vandal',
      files: '*',
      check: ({ bytes, text }) => {
        shown.push(text())
        bytes.fill(0)
        return []
      },
    }
    const { disk, journal } = await opened({ validators: [vandal, words, { ...vandal, name: 'another' }] })
    const error = await refused(disk, 'VALIDATION', () => journal.write('a.txt', 'a bad and a bad'))
    expect(error.details?.failures).toMatchObject([{ column: 3, excerpt: 'a bad and a bad' }, { column: 13 }])
    await journal.write('b.txt', 'good')
    expect(await textOf(journal, 'b.txt')).toBe('good')
    // Both of them, and the first also of the refused text, whose earlier content there is none of.
    expect(shown).toEqual(['a bad and a bad', 'a bad and a bad', 'good', 'good'])
    await journal.close()
  })

  test.each<readonly [string, Partial<Validator>, RegExp]>([
    [
      'throws',
      {
        check: () => {
          throw new TypeError('oops')
        },
      },
      /odd, looking at a\.txt, failed: .*oops/,
    ],
    ['rejects with what is no error', { check: () => Promise.reject('oops') }, /failed: .*oops/],
    ['hangs', { check: () => new Promise(() => undefined), timeoutMs: 20 }, /did not end within 20 ms/],
    ['answers with a number', { check: () => 7 as unknown as [] }, /answered 7 instead of a list/],
    ['answers with a list of nothing', { check: () => [null] as unknown as [] }, /not \{ message, line\?, column\? \}/],
    ['answers with a line 0', { check: () => [{ message: 'x', line: 0 }] }, /not \{ message/],
    ['answers with a message that is none', { check: () => [{ message: 1 as unknown as string }] }, /not \{ message/],
    ['wants the text of what is none', { check: ({ text }) => void text() as undefined }, /is binary/],
    ['is a command that is not there', { command: ['/no/such/program'] }, /failed: .*ENOENT/],
  ])('one that %s is an error of its own kind', async (_, validator, message) => {
    const { disk, journal } = await opened({ validators: [{ name: 'odd', files: '*.txt', ...validator }] })
    disk.mkdirp(process.cwd())
    const content = message.source.includes('binary') ? 'a\0b' : 'text'
    const error = await refused(disk, 'VALIDATOR', () => journal.write('a.txt', content))
    expect(error.message).toMatch(message)
    expect(error).toMatchObject({ path: 'a.txt', details: { validator: 'odd' } })
    await journal.close()
  })

  test('whoever hangs is told that nobody waits any more', async () => {
    const ended = vi.fn()
    const { disk, journal } = await opened({
      timeoutMs: 20,
      validators: [
        { name: 'slow', files: '*', check: ({ signal }) => new Promise(() => signal.addEventListener('abort', ended)) },
      ],
    })
    await refused(disk, 'VALIDATOR', () => journal.write('a.txt', ''))
    expect(ended).toHaveBeenCalledOnce()
    await journal.close()
  })

  test('is asked once for a path and a content where it says that this is enough, and each time elsewhere', async () => {
    const asked = { once: 0, each: 0 }
    const { journal } = await opened({
      validators: [
        {
          name: 'once',
          files: '*',
          cache: true,
          check: () => {
            asked.once += 1
            return []
          },
        },
        {
          name: 'each',
          files: '*',
          check: () => {
            asked.each += 1
            return []
          },
        },
      ],
    })
    for (const content of ['a', 'b', 'a', 'b']) await journal.write('x.txt', content)
    expect(asked).toEqual({ once: 2, each: 4 })
    await journal.write('y.txt', 'a')
    expect(asked).toEqual({ once: 3, each: 5 })
    await journal.close()
  })
})

describe('what is remembered of a content', () => {
  test('without what it refers to is not taken for an answer with it', async () => {
    const { disk, journal } = await opened('basic')
    await journal.write('a.md', '[x](none.md)\n')
    await refused(disk, 'VALIDATION', () =>
      journal.transact({ validation: 'strict' }, async (tx) => void (await tx.rename('a.md', 'b.md'))),
    )
    await journal.close()
  })

  test('is for the same dialect only', async () => {
    const { disk, journal } = await opened('basic')
    const text = 'export const a = <string>b\n'
    await journal.write('a.ts', text)
    await refused(disk, 'VALIDATION', () => journal.write('a.tsx', text))
    await journal.close()
  })

  test('by a validator of the caller is for the same level only', async () => {
    const levels: string[] = []
    const validator: Validator = { name: 'own', files: '*', cache: true, check: ({ level }) => void levels.push(level) }
    const { journal } = await opened({ validators: [validator] })
    await journal.write('a.txt', 'a')
    await journal.write('a.txt', 'b')
    await journal.write('a.txt', 'a', { validation: 'strict' })
    await journal.write('a.txt', 'b')
    expect(levels).toEqual(['basic', 'basic', 'strict'])
    await journal.close()
  })
})

describe('at the edges', () => {
  test('a file larger than what is looked at is refused, and says what to do', async () => {
    const { disk, journal } = await opened({ maxBytes: 1000 })
    const error = await refused(disk, 'VALIDATION', () => journal.write('a.json', JSON.stringify('x'.repeat(1000))))
    expect(error.message).toContain('maxBytes')
    await journal.write('a.txt', 'x'.repeat(2000))
    await journal.close()
  })

  test('contents that wait on disk, or are in the journal already, are looked at too', async () => {
    const { disk, journal } = await opened({ maxBytes: 4 * 1024 * 1024 })
    const large = JSON.stringify('x'.repeat(2 * 1024 * 1024))
    await refused(disk, 'VALIDATION', () => journal.write('a.json', `${large}!`))
    await journal.write('a.json', large)
    await journal.rename('a.json', 'b.json')
    await journal.close()
  })

  test('somebody who writes while it is looked at is not overwritten: the transaction is worked out anew', async () => {
    const disk = newDisk()
    let turns = 0
    const journal = await openOn(disk, {
      validation: {
        validators: [
          {
            name: 'slow',
            files: '*.txt',
            check: () => {
              turns += 1
              if (turns === 1) disk.writeFile('/ws/a.txt', 'from outside\n')
              return []
            },
          },
        ],
      },
    })
    await journal.write('a.txt', 'one\n', { validation: 'off' })
    await journal.append('a.txt', 'two\n')
    expect(await textOf(journal, 'a.txt')).toBe('from outside\ntwo\n')
    expect(turns).toBe(2)
    await journal.close()
  })

  test('a verdict on what is not so any more is none', async () => {
    const disk = newDisk()
    let turns = 0
    const check: Validator['check'] = ({ text }) => {
      turns += 1
      if (turns === 1) disk.writeFile('/ws/a.txt', 'good\n')
      return text().includes('bad') ? [{ message: 'bad' }] : []
    }
    const journal = await openOn(disk, { validation: { validators: [{ name: 'words', files: '*.txt', check }] } })
    await journal.write('a.txt', 'bad\n', { validation: 'off' })
    await journal.append('a.txt', 'more\n')
    expect(await textOf(journal, 'a.txt')).toBe('good\nmore\n')
    await refused(disk, 'VALIDATION', () => journal.append('a.txt', 'bad\n'))
    await journal.close()
  })

  test('what somebody puts in the place of a content is not taken for it, now or later', async () => {
    const disk = newDisk()
    let turns = 0
    const check: Validator['check'] = async () => {
      turns += 1
      if (turns === 1) disk.writeFile('/ws/from.json', '[1}')
      await new Promise((resolve) => setTimeout(resolve, 5))
      return []
    }
    const journal = await openOn(disk, { validation: { validators: [{ name: 'slow', files: '*.txt', check }] } })
    await journal.write('from.json', '[1]', { validation: 'off' })
    const move = (): Promise<unknown> =>
      journal.transact(async (tx) => {
        // All that are looked at beside each other come before the one that is moved.
        for (const name of ['a', 'b', 'c', 'd']) await tx.write(`${name}.txt`, 'x')
        await tx.rename('from.json', 'z.json')
      })
    expect((await failure(move)).code).toBe('VALIDATION')
    expect(disk.readText('/ws/from.json')).toBe('[1}')
    disk.writeFile('/ws/from.json', '[1]')
    await move()
    expect(disk.readText('/ws/z.json')).toBe('[1]')
    await journal.close()
  })

  test('transactions that wait for each other are all looked at', async () => {
    const { journal } = await opened({
      validators: [
        { name: 'slow', files: '*', check: () => new Promise((resolve) => setTimeout(() => resolve([]), 2)) },
      ],
    })
    await Promise.all(Array.from({ length: 8 }, (_, index) => journal.append('a.jsonl', `${index}\n`)))
    expect((await textOf(journal, 'a.jsonl')).split('\n').filter(Boolean)).toHaveLength(8)
    await journal.close()
  })

  test('a signal ends it', async () => {
    const disk = newDisk()
    const cancel = new AbortController()
    const journal = await openOn(disk, {
      signal: cancel.signal,
      validation: { validators: [{ name: 'slow', files: '*', check: () => new Promise(() => cancel.abort()) }] },
    })
    expect((await failure(() => journal.write('a.txt', ''))).code).toBe('ABORTED')
    expect(disk.tree('/ws', ['.journal']).size).toBe(0)
    await journal.close()
  })
})
