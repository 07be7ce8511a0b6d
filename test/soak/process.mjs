import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'

const HERE = import.meta.dirname

/** A child that runs one of the scripts here. What it tells is in a file, so a kill loses nothing of it. */
export class Process {
  #child
  #output
  #armed = false
  #onArmed = () => {}

  constructor(script, order, output) {
    this.#output = output
    const file = openSync(output, 'w')
    this.#child = spawn(process.execPath, ['--expose-gc', `${HERE}/${script}`, JSON.stringify(order)], {
      stdio: ['ignore', file, 'inherit', 'ipc'],
    })
    closeSync(file)
    this.ended = new Promise((resolve) => this.#child.once('exit', (code, signal) => resolve({ code, signal })))
    this.#child.on('message', () => {
      this.#armed = true
      this.#onArmed()
    })
  }

  /** Resolves when the child says that it may be killed, or has ended. */
  armed() {
    if (this.#armed) return Promise.resolve()
    return Promise.race([new Promise((resolve) => (this.#onArmed = resolve)), this.ended])
  }

  async kill() {
    this.#child.kill('SIGKILL')
    return this.ended
  }

  /** Whole lines that it told; they are gone afterwards. */
  told() {
    const text = readFileSync(this.#output, 'utf8')
    rmSync(this.#output)
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line))
  }
}
