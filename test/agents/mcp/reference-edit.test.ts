/** Edits as the reference makes them, held against the function of the reference itself. */
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { editAsReference, type ReferenceEdit } from '../../../src/agents/mcp/reference-edit.ts'
import { applyEdits } from '../../../src/edit/edits.ts'
import { scratch } from './clients.ts'

interface ReferenceLibrary {
  readonly applyFileEdits: (path: string, edits: readonly ReferenceEdit[], dryRun: boolean) => Promise<string>
}

const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-filesystem/package.json')
const { applyFileEdits } = (await import(
  /* @vite-ignore */ pathToFileURL(join(dirname(manifest), 'dist/lib.js')).href
)) as ReferenceLibrary

const line = fc
  .tuple(
    fc.constantFrom('', ' ', '  ', '    ', '\t'),
    fc.constantFrom('a', 'b', 'a b', 'x = 1', '```', '$&', ''),
    fc.constantFrom('', ' '),
  )
  .map((parts) => parts.join(''))
const lines = (most: number) => fc.array(line, { minLength: 1, maxLength: most })
const end = fc.constantFrom('\n', '\r\n')
/** A text whose lines end as the second list says, over and over; the last may have no end. */
const text = fc
  .tuple(lines(8), fc.array(end, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([all, ends, open]) => {
    return all.map((each, at) => (open && at === all.length - 1 ? each : each + ends[at % ends.length])).join('')
  })
const joined = fc.tuple(lines(3), end).map(([all, by]) => all.join(by))
const edits = fc.array(fc.record({ oldText: joined, newText: joined }), { minLength: 1, maxLength: 3 })

test('the results are those of the reference, but for line ends that were not to be changed', async () => {
  const file = join(scratch(), 'file.txt')
  await fc.assert(
    fc.asyncProperty(text, edits, async (before, asked) => {
      writeFileSync(file, before)
      const theirs = await applyFileEdits(file, asked, false).then(
        (diff) => ({ diff, text: readFileSync(file, 'utf8') }),
        (error: Error) => error.message,
      )
      let ours: unknown
      try {
        const edited = editAsReference(Buffer.from(before), file, asked)
        const after = edited.bytes.toString()
        ours = { diff: edited.diff, text: after.replaceAll('\r\n', '\n') }
        expect(edited.changed).toBe(after !== before)
        // What the history is told makes the same of the file.
        if (edited.edits !== null) expect(applyEdits(before, edited.edits, file).text).toBe(after)
        if (!before.includes('\r')) expect(after).not.toContain('\r')
        if (!/(^|[^\r])\n/.test(before) && before.includes('\n')) expect(after).not.toMatch(/(^|[^\r])\n/)
      } catch (error) {
        if (!(error as Error).message.startsWith('Could not find')) throw error
        ours = (error as Error).message
      }
      expect(ours).toEqual(theirs)
    }),
    { numRuns: 2000 },
  )
}, 120_000)

test('lines that no edit touches stay byte for byte', () => {
  const before = 'one\r\ntwo\nthree\r\n\tfour  \nfive'
  const { bytes, edits: told } = editAsReference(Buffer.from(`\ufeff${before}`), 'f', [
    { oldText: 'three', newText: 'a\nb' },
    { oldText: 'four', newText: 'c\nd' },
  ])
  expect(bytes.toString()).toBe('\ufeffone\r\ntwo\na\r\nb\r\n\tc\nd  \nfive')
  expect(told).toEqual([
    { oldText: 'three', newText: 'a\r\nb' },
    { oldText: 'four', newText: 'c\nd' },
  ])
})
