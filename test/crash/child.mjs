import { writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

/** What the test wants of this process: one JSON object as its argument. */
export const order = JSON.parse(process.argv[2] ?? '{}')

/** A line to the test, which survives this process's death: standard output is a file. */
export function tell(kind, fields = {}) {
  writeSync(1, `${JSON.stringify({ kind, ...fields })}\n`)
}

export async function built(file = 'index.js') {
  return import(pathToFileURL(`${order.dist}/${file}`).href)
}

/** Node's file system, which kills this process just before its operation number `order.dieAt`. */
export async function mortalDisk() {
  const { NodeDisk } = await built('disk/node-disk.js')
  const disk = new NodeDisk()
  let left = order.dieAt
  if (left === undefined) return disk
  return new Proxy(disk, {
    get(target, name) {
      const value = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...given) => {
        left -= 1
        if (left <= 0) process.kill(process.pid, 'SIGKILL')
        return value.apply(target, given)
      }
    },
  })
}

export function fail(where, error) {
  tell('fault', {
    where,
    code: error?.code,
    message: String(error?.message ?? error),
    stack: String(error?.stack ?? ''),
  })
}

process.on('uncaughtException', (error) => {
  fail('uncaught', error)
  process.exit(1)
})
