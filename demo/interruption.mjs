import { fork } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as breath } from 'node:timers/promises'

/** Paths looked at in every sweep: few enough that a sweep takes a fraction of a millisecond. */
const WATCHED = 48
const PATIENCE_MS = 20_000

/**
 * Runs `module` in a child process that stages a transaction and commits it when told to, watches the files while it does,
 * and kills it with SIGKILL as soon as a `depth` part of them has changed. `changing` are paths whose state the transaction
 * changes. Gives the transaction's id and how it ended: `caught` (in the middle), `early` (nothing had changed) or `late`.
 */
export async function interrupt(module, args, { root, changing, depth }) {
  const child = fork(module, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  let acknowledged = false
  let staged
  const ended = once(child, 'exit')
  const ready = new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if (message.staged !== undefined) resolve(message.staged)
      if (message.acknowledged !== undefined) acknowledged = true
    })
    child.once('error', reject)
    child.once('exit', (code) =>
      reject(new Error(`The child ended by itself, with ${code}, before it was told to commit`)),
    )
  })
  ready.catch(() => {})
  try {
    staged = await ready
    const paths = spread(changing, WATCHED).map((path) => join(root, path))
    const before = paths.map(stamp)
    await new Promise((resolve, reject) => child.send('commit', (error) => (error ? reject(error) : resolve())))
    const told = performance.now()
    const seen = await watch(paths, before, Math.max(1, Math.round(paths.length * depth)), () => acknowledged)
    child.kill('SIGKILL')
    const after = performance.now() - told
    const [, signal] = await ended
    // A last message may stand in the channel still.
    await breath()
    return { tx: staged, after, seen, watched: paths.length, acknowledged, killed: signal === 'SIGKILL' }
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  }
}

/**
 * Sweeps over `paths` until `enough` of them are not as they were. Synchronous on purpose: the whole commit takes less time than
 * a few hundred turns of the event loop; every now and then it lets the child's answer in.
 */
async function watch(paths, before, enough, finished) {
  const deadline = performance.now() + PATIENCE_MS
  for (let sweep = 1; ; sweep += 1) {
    let changed = 0
    for (let i = 0; i < paths.length; i += 1) if (stamp(paths[i]) !== before[i]) changed += 1
    if (changed >= enough || finished()) return changed
    if (performance.now() > deadline) throw new Error('The child neither changed a file nor ended')
    if (sweep % 64 === 0) await breath()
  }
}

/** Differs when the file was replaced, written, moved, made or removed; equal stamps would prove nothing, unequal ones do. */
function stamp(path) {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true })
  return found === undefined ? 'nothing' : `${found.ino} ${found.size} ${found.mtimeNs} ${found.mode}`
}

function spread(paths, count) {
  if (paths.length <= count) return paths
  return Array.from({ length: count }, (_, i) => paths[Math.floor((i * paths.length) / count)])
}
