/** The process of one engine: see contender.mjs. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadEngine } from './engines/index.mjs'

/** Where an engine warms up: in memory, since what it deletes on a disk would slow down what is measured there (README, trap one). */
const MEMORY = '/dev/shm'

let instance
let work

const answers = {
  async open({ key, folder, measurement, warmUp }) {
    ;({ work } = await import(measurement))
    const engine = await loadEngine(key)
    if (warmUp > 0 && existsSync(MEMORY)) await rehearse(engine, warmUp)
    instance = await engine.open(folder)
  },
  work: (request) => work(instance, request),
  close: () => instance.close(),
}

process.on('message', async (message) => {
  const [[kind, request]] = Object.entries(message)
  try {
    process.send({ result: await answers[kind](request) })
  } catch (error) {
    process.send({ failure: error.stack })
  }
})

/** No engine warms up for longer. */
const REHEARSAL_MS = 2000

/** Until an engine's own code ran some thousand times, the compiler is being measured. */
async function rehearse(engine, writes) {
  const folder = mkdtempSync(join(MEMORY, 'write-journal-bench-'))
  try {
    const files = Array.from({ length: 10 }, (_, i) => ({ path: `file-${i}.bin`, content: Buffer.alloc(4096) }))
    for (const { path, content } of files) await writeFile(join(folder, path), content)
    const rehearsal = await engine.open(folder)
    const end = performance.now() + REHEARSAL_MS
    for (let written = 0; written < writes && performance.now() < end; written += files.length) {
      for (const { content } of files) content.writeUInt32LE(written)
      await rehearsal.batch(files)
      for (const file of files) {
        file.content.writeUInt32LE(written + 1)
        await rehearsal.one(file)
      }
    }
    await rehearsal.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
