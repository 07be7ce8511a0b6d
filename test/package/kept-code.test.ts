import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DIST } from '../crash/built.ts'

let copy: string

beforeAll(() => {
  copy = fs.mkdtempSync(path.join(os.tmpdir(), 'kept-code-'))
  fs.cpSync(DIST, `${copy}/dist`, { recursive: true })
  fs.symlinkSync(path.join(import.meta.dirname, '../../node_modules'), `${copy}/node_modules`, 'junction')
})

afterAll(() => fs.rmSync(copy, { recursive: true, force: true }))

const version = (): string =>
  execFileSync(process.execPath, [`${copy}/dist/cli/main.js`, '--version'], { encoding: 'utf8' })

it('what the command was compiled to is kept for the Node that built it', () => {
  const [folder] = fs.readdirSync(`${copy}/dist/cli/code`)
  expect(folder).toBe(`${process.versions.v8}-${process.platform}-${process.arch}`)
  expect(fs.existsSync(`${copy}/dist/cli/code/${folder}/program.js.code`)).toBe(true)
  expect(version()).toMatch(/^\d+\.\d+\.\d+\n$/)
})

it('a kept part that is cut off, or of other source text, is not used', () => {
  const [folder] = fs.readdirSync(`${copy}/dist/cli/code`)
  const kept = `${copy}/dist/cli/code/${folder}/program.js.code`
  fs.truncateSync(kept, Math.floor(fs.statSync(kept).size / 2))
  expect(version()).toMatch(/^\d+\.\d+\.\d+\n$/)
  fs.truncateSync(kept, 0)
  expect(version()).toMatch(/^\d+\.\d+\.\d+\n$/)
  const program = `${copy}/dist/cli/program.js`
  fs.writeFileSync(program, `${fs.readFileSync(program, 'utf8')}\n;process.stdout.write('changed')`)
  expect(version()).toContain('changed')
})

it('without any of it the command works as well', () => {
  fs.rmSync(`${copy}/dist/cli/code`, { recursive: true })
  expect(version()).toContain('.')
})
