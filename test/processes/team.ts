import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'vitest'
import { built, DIST } from '../crash/built.ts'
import { realTree } from '../journal/real-tree.ts'

const WORKER = path.resolve(import.meta.dirname, 'worker.mjs')

/** Processes that share a workspace, and what each of them says was acknowledged. */
export class Team {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'team-'))
  readonly root = `${this.folder}/workspace`
  readonly notes = `${this.folder}/notes`
  readonly #size: number
  readonly #count: number
  readonly #timeoutMs: number
  readonly #running = new Map<string, ChildProcess>()
  readonly #stopped = new Set<number>()
  #wanted = true
  crashes = 0

  constructor(size: number, count: number, timeoutMs = 10_000) {
    this.#size = size
    this.#count = count
    this.#timeoutMs = timeoutMs
    fs.mkdirSync(this.root)
    fs.mkdirSync(this.notes)
  }

  get names(): string[] {
    return Array.from({ length: this.#size }, (_, index) => `p${index}`)
  }

  begin(): void {
    for (const name of this.names) this.#start(name)
  }

  #start(name: string): void {
    const { root, notes } = this
    const child = spawn(process.execPath, [WORKER, DIST, root, notes, name, `${this.#count}`, `${this.#timeoutMs}`], {
      stdio: ['ignore', 'ignore', fs.openSync(`${notes}/${name}.stderr`, 'a')],
    })
    this.#running.set(name, child)
    child.once('exit', (code, signal) => {
      this.#running.delete(name)
      // Who was killed comes back.
      if (signal === 'SIGKILL' && this.#wanted) this.#start(name)
      else if (code !== 0) this.crashes += 1
    })
  }

  get isDone(): boolean {
    return this.#running.size === 0
  }

  /** How many transactions were acknowledged so far. */
  get acknowledged(): number {
    return this.names.reduce((sum, name) => sum + this.said(name, 'acks').length, 0)
  }

  /** Resolves when that many more were, or nobody is left who works. */
  async moves(transactions: number): Promise<void> {
    const goal = this.acknowledged + transactions
    while (this.#wanted && this.#running.size > this.#stopped.size && this.acknowledged < goal)
      await new Promise((resolve) => setTimeout(resolve, 2))
  }

  /** Who writes now, by what it says; null: nobody says so. */
  writer(): number | null {
    try {
      return (JSON.parse(fs.readFileSync(`${this.root}/.journal/LOCK`, 'utf8')) as { pid: number }).pid
    } catch {
      return null
    }
  }

  signal(pid: number, signal: NodeJS.Signals): boolean {
    const mine = [...this.#running.values()].some((child) => child.pid === pid)
    if (mine && signal === 'SIGSTOP') this.#stopped.add(pid)
    if (signal === 'SIGCONT') this.#stopped.delete(pid)
    return mine && process.kill(pid, signal)
  }

  /** Ends everything, whatever state it is in. */
  async end(): Promise<void> {
    this.#wanted = false
    for (const child of this.#running.values()) child.kill('SIGKILL')
    while (!this.isDone) await new Promise((resolve) => setTimeout(resolve, 20))
    fs.rmSync(this.folder, { recursive: true, force: true })
  }

  said(name: string, ending: 'acks' | 'errors' | 'stderr'): string[] {
    const file = `${this.notes}/${name}.${ending}`
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n').filter(Boolean) : []
  }

  /** Nothing acknowledged is lost, nothing is there twice, and the history says what is there. */
  async check(): Promise<void> {
    expect(this.names.flatMap((name) => this.said(name, 'stderr'))).toEqual([])
    expect(this.crashes).toBe(0)
    const { openJournal } = await built()
    const journal = await openJournal(this.root)
    const recorded = new Map<string, { seq: number; tag: string }>()
    const tags = new Map<string, number>()
    for await (const { tx, seq, tags: [tag = ''] = [], kind } of journal.history({ order: 'oldest' })) {
      expect(recorded.has(tx)).toBe(false)
      recorded.set(tx, { seq, tag })
      if (kind === 'write') tags.set(tag, (tags.get(tag) ?? 0) + 1)
    }
    for (const name of this.names) {
      const acks = this.said(name, 'acks').map((line) => line.split(' '))
      expect(acks.map(([number]) => Number(number))).toEqual(
        Array.from({ length: this.#count }, (_, index) => index + 1),
      )
      for (const [number, tx, seq] of acks) {
        expect(recorded.get(tx as string)).toEqual({ seq: Number(seq), tag: `${name}:${number}` })
        const errors = this.said(name, 'errors').filter((line) => line.startsWith(`${number} `))
        expect(tags.get(`${name}:${number}`), `${name}:${number}, after ${errors.join('; ')}`).toBe(1)
      }
      for (let slot = 0; slot < 20; slot += 1) {
        const last = this.#count - ((this.#count - slot) % 20)
        if (last > 0) expect(fs.readFileSync(`${this.root}/own/${name}/${slot}.txt`, 'utf8')).toBe(`${last}`)
      }
    }
    const lines = [0, 1, 2].flatMap((slot) =>
      fs.readFileSync(`${this.root}/shared/${slot}.txt`, 'utf8').split('\n').filter(Boolean),
    )
    expect(lines.length).toBe(this.#size * this.#count)
    expect(new Set(lines).size).toBe(lines.length)
    const report = await journal.verify({ workspace: true })
    expect(report).toMatchObject({ ok: true, problems: [], changed: [] })
    await journal.replay({ to: `${this.folder}/replayed` })
    expect(realTree(`${this.folder}/replayed`)).toEqual(realTree(this.root))
    await journal.close()
    // Sockets, folders of processes that are gone, lock files of writers that were deposed: nothing stays.
    expect(fs.readdirSync(`${this.root}/.journal`).filter((name) => /sock$|^staging-/.test(name))).toEqual([])
  }
}
