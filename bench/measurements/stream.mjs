import { fork } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { figure } from '../measure.mjs'
import { table } from '../table.mjs'

const MIB = 1 << 20

export const title = 'One large file from a stream'

/**
 * In processes of their own with an ordinary heap: what each holds at its peak, above what it held before. A source that makes a new buffer for each
 * chunk leaves them to the garbage collector, whoever reads it: so once with such a source, once with it alone, and once with one that uses the same
 * buffer again, where all there is is the journal's.
 */
export async function measure({ folder, quick }) {
  const bytes = quick ? 128 * MIB : 1024 * MIB
  const found = {}
  for (const source of ['reused', 'fresh', 'alone']) {
    const root = join(folder, source)
    await mkdir(root)
    found[source] = await run([root, String(bytes), source])
  }
  const above = ({ peak, idle }) => (peak - idle) / MIB
  const name = quick ? '128 MiB' : '1 GiB'
  const { reused, fresh, alone } = found
  return {
    results: { bytes, ...found },
    text: table(
      ['', 'found'],
      [
        [`${name} written and durable (s)`, figure(reused.milliseconds / 1000)],
        ['throughput (MB/s)', figure(bytes / 1e6 / (reused.milliseconds / 1000))],
        ['resident, idle (MiB)', figure(reused.idle / MIB)],
        [`above it at the peak (MiB; ${reused.how})`, figure(above(reused))],
        ['the same, the source making new buffers (MiB)', figure(above(fresh))],
        ['such a source alone, read by nobody (MiB)', figure(above(alone))],
      ],
    ),
    targets: [
      {
        target: `a stream of ${name}: resident memory less than 15 MiB above idle`,
        found: `${figure(above(reused))} MiB`,
        reached: above(reused) < 15,
      },
    ],
  }
}

function run(args) {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('stream-child.mjs', import.meta.url)), args, { execArgv: [] })
    let result
    child.on('message', (message) => {
      result = message
    })
    child.once('error', reject)
    child.once('exit', (code) =>
      code === 0 && result !== undefined ? resolve(result) : reject(new Error(`The stream failed (${code})`)),
    )
  })
}
