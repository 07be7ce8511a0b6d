import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { type Issue, type JournalError, openJournal, type Validator } from '../../../src/index.ts'
import { failure } from '../../journal/fixture.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

async function opened(...validators: Validator[]) {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'journal-command-')))
  folders.push(root)
  return { root, journal: await openJournal(root, { validation: { validators } }) }
}

function failuresOf({ details }: JournalError): Issue[] {
  return (details?.failures ?? []) as Issue[]
}

function node(script: string, more: Partial<Validator> = {}): Validator {
  return { name: 'cmd', files: '*.txt', command: [process.execPath, '-e', script, '{path}'], ...more }
}

async function gone(pid: number): Promise<boolean> {
  for (let turn = 0; turn < 500; turn += 1) {
    try {
      process.kill(pid, 0)
    } catch {
      return true
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return false
}

describe('a command', () => {
  test('gets the content on standard input, the path as argument and in the environment, and runs in the workspace', async () => {
    const echo = `let text = ''; process.stdin.on('data', (d) => text += d).on('end', () => {
      console.log([text, process.argv[1], process.env.JOURNAL_PATH, process.env.JOURNAL_LEVEL, process.cwd()].join('|')); process.exit(3) })`
    const { root, journal } = await opened(node(echo))
    const error = await failure(() => journal.write('sub/$(x) é.txt', 'the content'))
    expect(error.code).toBe('VALIDATION')
    const [issue] = failuresOf(error)
    expect(issue?.message).toBe(`the content|sub/$(x) é.txt|sub/$(x) é.txt|basic|${root}`)
    expect(existsSync(path.join(root, 'sub'))).toBe(false)
    await journal.close()
  })

  test('that ends with 0 is content, whatever it printed, and whether it read its input or not', async () => {
    const { journal } = await opened(node('console.log("1:1: a warning")'))
    await journal.write('a.txt', 'x'.repeat(5_000_000))
    await journal.close()
  })

  test('names places as compilers do', async () => {
    const script = `console.error('a.txt:2:3: error: first\\nnoise\\n3: second\\n<stdin>:1:2: third'); process.exitCode = 1`
    const { journal } = await opened(node(script))
    const error = await failure(() => journal.write('a.txt', 'one\ntwo\nthree\n'))
    expect(failuresOf(error).map(({ line, column, message, excerpt }) => [line, column, message, excerpt])).toEqual([
      [1, 2, 'third', 'one'],
      [2, 3, 'error: first', 'two'],
      [3, 1, 'second', 'three'],
    ])
    await journal.close()
  })

  test('that prints megabytes is read to its end, and a part of it kept', async () => {
    const { journal } = await opened(node(`process.stdout.write('x'.repeat(20e6), () => process.exit(1))`))
    const error = await failure(() => journal.write('a.txt', ''))
    expect(failuresOf(error)[0]?.message).toHaveLength(2000)
    await journal.close()
  })

  test.skipIf(process.platform === 'win32')('that hangs is ended with all that it started', async () => {
    const child = `const { spawn } = require('child_process'); const fs = require('fs');
      const c = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
      fs.writeFileSync('pids', process.pid + ' ' + c.pid); setInterval(() => {}, 1000)`
    const { root, journal } = await opened(node(child, { timeoutMs: 1500 }))
    const error = await failure(() => journal.write('a.txt', ''))
    expect(error.code).toBe('VALIDATOR')
    expect(error.message).toContain('did not end within 1500 ms')
    for (const pid of readFileSync(path.join(root, 'pids'), 'utf8').split(' '))
      expect(await gone(Number(pid))).toBe(true)
    await journal.close()
  })

  test.skipIf(process.platform === 'win32')('that leaves a child behind is not waited for', async () => {
    const child = `const { spawn } = require('child_process'); const fs = require('fs');
      const c = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
      fs.writeFileSync('pids', String(c.pid)); process.exit(0)`
    const { root, journal } = await opened(node(child))
    await journal.write('a.txt', '')
    expect(await gone(Number(readFileSync(path.join(root, 'pids'), 'utf8')))).toBe(true)
    await journal.close()
  })

  test.skipIf(process.platform === 'win32')('that is killed, or that a shell cannot find, is no verdict', async () => {
    const { journal } = await opened(node('process.kill(process.pid, "SIGSEGV")'))
    expect((await failure(() => journal.write('a.txt', ''))).message).toMatch(/was ended by SIG/)
    await journal.close()
    const other = await opened({ name: 'sh', files: '*', command: ['sh', '-c', 'no-such-program-at-all'] })
    const error = await failure(() => other.journal.write('a.txt', ''))
    expect(error).toMatchObject({ code: 'VALIDATOR', message: expect.stringContaining('cannot be run') })
    await other.journal.close()
  })
})
