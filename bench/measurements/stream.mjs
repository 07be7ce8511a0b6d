import { fork } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { figure } from '../measure.mjs'
import { table } from '../table.mjs'

const MIB = 1 << 20

export const title = 'One large file from a stream'

/** In a process of its own with an ordinary heap: what it holds at its peak, above what it held before. */
export async function measure({ folder, quick }) {
  const root = join(folder, 'stream')
  await mkdir(root)
  const bytes = quick ? 128 * MIB : 1024 * MIB
  const result = await run([root, String(bytes)])
  const above = (result.peak - result.idle) / MIB
  const name = quick ? '128 MiB' : '1 GiB'
  return {
    results: { bytes, ...result },
    text: table(
      ['', 'found'],
      [
        [`${name} written and durable (s)`, figure(result.milliseconds / 1000)],
        ['throughput (MB/s)', figure(bytes / 1e6 / (result.milliseconds / 1000))],
        ['resident, idle (MiB)', figure(result.idle / MIB)],
        [`resident, peak (MiB; ${result.how})`, figure(result.peak / MIB)],
      ],
    ),
    targets: [
      {
        target: `a stream of ${name}: resident memory less than 64 MiB above idle`,
        found: `${figure(above)} MiB`,
        reached: above < 64,
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
