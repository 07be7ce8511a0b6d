import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { ground, scratch, tree } from './ground.ts'

vi.setConfig({ testTimeout: 120_000 })

const NAMES = ['a', 'b', 'c', 'A', 'a-b', 'ä 文', '𝒳', '\uFFFCx', 'n\nl', '-rf', "it's"] as const
const name = fc.constantFrom(...NAMES)
const place = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('/'))
const content = fc.oneof(
  fc.constantFrom('', 'same', 'x'.repeat(3000)),
  fc.string({ maxLength: 30 }),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
)
const mode = fc.constantFrom('644', '600', '755', '400', '000', '2755', '1777', '4711')

/** A command of the shell; it may fail. */
const command = fc.oneof(
  fc.tuple(place, content).map(([to, text]) => `write ${quoted(to)} ${Buffer.from(text, 'latin1').toString('base64')}`),
  fc
    .tuple(place, content)
    .map(([to, text]) => `append ${quoted(to)} ${Buffer.from(text, 'latin1').toString('base64')}`),
  place.map((at) => `rm -rf -- ${quoted(at)}`),
  place.map((at) => `mkdir -p -- ${quoted(at)}`),
  fc.tuple(place, place).map(([from, to]) => `mv -- ${quoted(from)} ${quoted(to)}`),
  fc.tuple(place, place).map(([from, to]) => `mv -T -- ${quoted(from)} ${quoted(to)}`),
  fc.tuple(place, place).map(([from, to]) => `cp -a -- ${quoted(from)} ${quoted(to)}`),
  fc.tuple(place, place).map(([target, at]) => `ln -s -- ${quoted(target)} ${quoted(at)}`),
  fc.tuple(place, place).map(([target, at]) => `ln -sfn -- ${quoted(target)} ${quoted(at)}`),
  fc.tuple(mode, place).map(([bits, at]) => `[ -L ${quoted(at)} ] || chmod ${bits} -- ${quoted(at)}`),
  place.map((at) => `sed -i s/x/y/ -- ${quoted(at)}`),
  place.map((at) => `[ -L ${quoted(at)} ] || truncate -c -s 3 -- ${quoted(at)}`),
)
const PRELUDE = `
write() { mkdir -p -- "$(dirname -- "$1")" && printf %s "$2" | base64 -d > "$1"; }
append() { printf %s "$2" | base64 -d >> "$1"; }`

function quoted(text: string): string {
  return `'./${text.replaceAll("'", "'\\''")}'`
}

function play(root: string, commands: readonly string[]): void {
  const script = [PRELUDE, ...commands.map((each) => `{ ${each} ; } 2>/dev/null`), 'true'].join('\n')
  execFileSync('bash', { cwd: root, input: script, stdio: ['pipe', 'ignore', 'ignore'] })
}

describe('undoing what commands did', () => {
  it('brings back the tree before, byte for byte, whatever they were; redoing it the one after', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(command, { maxLength: 25 }),
        fc.array(command, { minLength: 1, maxLength: 25 }),
        fc.array(command, { minLength: 1, maxLength: 10 }),
        async (first, second, third) => {
          const { journal, root } = await ground({}, scratch())
          try {
            play(root, first)
            await journal.collect({ baseline: true })
            const trees = [tree(root)]
            const done: string[] = []
            for (const commands of [second, third]) {
              play(root, commands)
              trees.push(tree(root))
              const { receipt, leftOut } = await journal.collect({ baseline: false })
              expect(leftOut.count).toBe(0)
              expect(tree(root)).toEqual(trees.at(-1))
              if (receipt === null) expect(trees.at(-1)).toEqual(trees.at(-2))
              else done.push(receipt.tx)
              if (receipt === null) trees.pop()
            }
            expect((await journal.status()).changed).toEqual([])
            for (let at = done.length; at > 0; at -= 1) {
              await journal.undo(done[at - 1] as string)
              expect(tree(root)).toEqual(trees[at - 1])
            }
            for (const [at, tx] of done.entries()) {
              await journal.redo(tx)
              expect(tree(root)).toEqual(trees[at + 1])
            }
            expect((await journal.collect()).receipt).toBeNull()
            expect(await journal.verify({ workspace: true })).toMatchObject({ ok: true })
          } finally {
            await journal.close()
          }
        },
      ),
      { numRuns: Number(process.env.CAPTURE_RUNS ?? 60) },
    )
  })
})
