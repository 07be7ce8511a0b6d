/** A process that writes through the facade is killed: what a call said was done is there, and nothing is half. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { built, DIST } from '../../crash/built.ts'
import { scratchFolder } from '../scratch.ts'

const { openJournal } = await built()

const PROGRAM = (root: string, sync: boolean) => `
  import { writeSync } from 'node:fs'
  import { openFsSync } from ${JSON.stringify(`file://${DIST}/agents/fs/index.js`)}
  const root = ${JSON.stringify(root)}
  const { fs } = openFsSync(root)
  for (let n = 1; ; n += 1) {
    const lines = (n + '\\n').repeat(2000)
    if (${sync}) fs.writeFileSync(root + '/a', lines)
    else await new Promise((done, failed) =>
      fs.createWriteStream(root + '/a').on('error', failed).on('finish', done).end(lines))
    writeSync(1, n + '\\n')
    fs.cpSync(root + '/a', root + '/copy-' + n)
    writeSync(1, n + '.5\\n')
  }
`

it.each([true, false])('killed while it writes (sync: %s)', async (sync) => {
  const root = scratchFolder()
  const file = join(scratchFolder(), 'program.mjs')
  writeFileSync(file, PROGRAM(root, sync))
  for (const rounds of [3, 8]) {
    const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = once(child, 'exit')
    let acknowledged = 0
    let count = 0
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line)
      count += 1
      if (count === rounds) child.kill('SIGKILL')
    }
    await ended
    const journal = await openJournal(root)
    const names = readdirSync(root).filter((name) => name !== '.journal')
    for (const name of names) {
      const lines = readFileSync(join(root, name), 'utf8').trimEnd().split('\n')
      expect([name, lines.length, new Set(lines).size]).toEqual([name, 2000, 1])
    }
    const last = Math.floor(acknowledged)
    expect(Number(readFileSync(join(root, 'a'), 'utf8').split('\n')[0])).toBeGreaterThanOrEqual(last)
    if (acknowledged > last) expect(names).toContain(`copy-${last}`)
    expect((await journal.verify({ workspace: true })).ok).toBe(true)
    await journal.close()
  }
})
