import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const CHILD = fileURLToPath(new URL('./contender-child.mjs', import.meta.url))

/**
 * An engine in a process of its own: what one leaves in the memory, to the compiler or to the collector slows down no other. It works only while it is
 * asked to.
 */
export class Contender {
  #child
  #waiting = null

  constructor({ key, name }, child) {
    this.key = key
    this.name = name
    this.#child = child
    child.on('message', (message) => this.#settle(message))
    child.on('exit', (code) => this.#settle({ failure: `the process of ${name} ended with code ${code}` }))
  }

  /**
   * `measurement`: the module whose `work(instance, request)` it will carry out; the engine is opened in `folder`, after `warmUp` writes of files elsewhere,
   * in memory.
   */
  static async start(engine, folder, measurement, warmUp = 0) {
    const child = fork(CHILD, { serialization: 'advanced' })
    const contender = new Contender(engine, child)
    await contender.#ask({ open: { key: engine.key, folder, measurement, warmUp } })
    return contender
  }

  /** What `work` gave: milliseconds. */
  work(request) {
    return this.#ask({ work: request })
  }

  async close() {
    await this.#ask({ close: true })
    this.#child.disconnect()
  }

  #ask(message) {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#child.send(message)
    })
  }

  #settle({ failure, result }) {
    const waiting = this.#waiting
    this.#waiting = null
    if (failure === undefined) waiting?.resolve(result)
    else waiting?.reject(new Error(failure))
  }
}
