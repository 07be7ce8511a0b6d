import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readBatch } from '../../src/cli/batch.ts'
import { JournalError } from '../../src/errors.ts'

async function read(bytes: string | Uint8Array): Promise<number> {
  const source = async function* () {
    yield Buffer.from(bytes as string)
  }
  try {
    return (await readBatch(source(), '/')).length
  } catch (error) {
    expect(error, String((error as Error).stack)).toBeInstanceOf(JournalError)
    expect((error as JournalError).code).not.toBe('IO')
    expect((error as JournalError).message.length).toBeLessThan(2000)
    return -1
  }
}

const LINES = [
  '{"op":"write","path":"a","content":"x","mode":"755","expect":null}',
  '{"op":"append","path":"a","base64":"AA=="}',
  '{"op":"edit","path":"a","edits":[{"oldText":"x","newText":"y","all":true}]}',
  '{"op":"patch","path":"a","patch":"@@ -1 +1 @@\\n-x\\n+y\\n"}',
  '{"op":"remove","path":"a","recursive":true}',
  '{"op":"rename","path":"a","to":"b"}',
  '{"op":"mkdir","path":"d","mode":"0700"}',
  '{"op":"rmdir","path":"d"}',
  '{"op":"chmod","path":"a","mode":"644"}',
  '{"op":"symlink","path":"l","target":"a"}',
]

describe('a batch, whatever is in it, is read or refused with the line', () => {
  it.each([
    ['a NUL in the name of a file', '{"op":"write","path":"a","from":"a\\u0000b"}'],
    ['a name that is too long', `{"op":"write","path":"a","from":"${'a'.repeat(5000)}"}`],
    ['a file for a folder', '{"op":"write","path":"a","from":"/proc/version/x"}'],
    ['an op that is lists in each other', `{"op":${'['.repeat(200_000)}${']'.repeat(200_000)},"path":"a"}`],
    ['a path that is lists in each other', `{"op":"rmdir","path":${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
    ['lists that never end', '['.repeat(1_000_000)],
    ['an op of megabytes', `{"op":"${'x'.repeat(5_000_000)}"}`],
    ['a key of megabytes', `{"op":"rmdir","${'x'.repeat(5_000_000)}":1}`],
    ['a prototype for an op', '{"op":"__proto__","path":"a"}'],
    ['a prototype among the fields', '{"__proto__":{"op":"write"},"op":"remove","path":"a"}'],
    ['half a letter', '{"op":"remove","path":"\\ud800"}'],
  ])('%s', async (_, text) => expect(await read(text)).toBe(-1))

  it('lines with bytes changed, cut and joined', async () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.boolean())
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...LINES), { minLength: 1, maxLength: 4 }),
        fc.array(change, { maxLength: 6 }),
        async (lines, changes) => {
          let bytes = Buffer.from(lines.join('\n'))
          for (const [where, byte, cut] of changes) {
            const at = where % (bytes.length + 1)
            if (cut) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + byte))])
            else if (at < bytes.length) bytes[at] = byte
          }
          await read(bytes)
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('objects with any values in the fields', async () => {
    const names = [
      'path',
      'to',
      'target',
      'content',
      'base64',
      'patch',
      'edits',
      'mode',
      'expect',
      'recursive',
      '__proto__',
    ]
    const operation = fc.dictionary(fc.constantFrom('op', ...names), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 })
    await fc.assert(
      fc.asyncProperty(operation, fc.constantFrom(...LINES), async (fields, line) => {
        await read(JSON.stringify({ ...JSON.parse(line), ...fields }))
      }),
      { numRuns: 2000 },
    )
  })
})
