import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JournalError } from '../../src/errors.ts'
import { type LockMode, type LockOwner, PathLocks } from '../../src/transaction/path-locks.ts'

const owner = (id: string, actor?: string): LockOwner => ({ id, ...(actor === undefined ? {} : { actor }) })
const wants = (paths: Readonly<Record<string, LockMode>>): Map<string, LockMode> => new Map(Object.entries(paths))
const soon = { timeoutMs: 1000 }

/** Whether it is granted within this turn of the event loop. */
async function granted(promise: Promise<void>): Promise<boolean> {
  let done = false
  promise.then(
    () => (done = true),
    () => undefined,
  )
  await new Promise((resolve) => setImmediate(resolve))
  return done
}

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(() => 'ok').catch((error: JournalError) => error.code)

describe('path locks', () => {
  it('let readers share, and writers wait', async () => {
    const locks = new PathLocks()
    const [a, b, c] = [owner('a'), owner('b'), owner('c')]
    await locks.acquire(a, wants({ x: 'shared' }), soon)
    await locks.acquire(b, wants({ x: 'shared' }), soon)
    const writing = locks.acquire(c, wants({ x: 'exclusive' }), soon)
    expect(await granted(writing)).toBe(false)
    locks.release(a)
    expect(await granted(writing)).toBe(false)
    locks.release(b)
    expect(await granted(writing)).toBe(true)
  })

  it('go in the order in which they came: a writer is not starved', async () => {
    const locks = new PathLocks()
    const [a, b, c] = [owner('a'), owner('b'), owner('c')]
    await locks.acquire(a, wants({ x: 'shared' }), soon)
    const writing = locks.acquire(b, wants({ x: 'exclusive' }), soon)
    const reading = locks.acquire(c, wants({ x: 'shared' }), soon)
    expect(await granted(reading)).toBe(false)
    locks.release(a)
    expect(await granted(writing)).toBe(true)
    expect(await granted(reading)).toBe(false)
    locks.release(b)
    expect(await granted(reading)).toBe(true)
  })

  it('are granted all at once or not at all', async () => {
    const locks = new PathLocks()
    const [a, b, c] = [owner('a'), owner('b'), owner('c')]
    await locks.acquire(a, wants({ y: 'exclusive' }), soon)
    const both = locks.acquire(b, wants({ x: 'exclusive', y: 'exclusive' }), { timeoutMs: 20 })
    expect(await granted(both)).toBe(false)
    expect(await codeOf(both)).toBe('LOCKED')
    await locks.acquire(c, wants({ x: 'exclusive' }), soon)
  })

  it('name the holder when the time is up', async () => {
    const locks = new PathLocks()
    await locks.acquire(owner('t1', 'builder'), wants({ 'src/a': 'exclusive' }), soon)
    const error: JournalError = await locks
      .acquire(owner('t2'), wants({ 'src/a': 'exclusive' }), { timeoutMs: 10 })
      .then(
        () => {
          throw new Error('granted')
        },
        (cause: JournalError) => cause,
      )
    expect(error).toMatchObject({
      code: 'LOCKED',
      path: 'src/a',
      tx: 't2',
      details: { holder: { tx: 't1', actor: 'builder' } },
    })
    expect(error.message).toMatch(/src\/a is locked by transaction t1 of builder/)
    expect(error.hint).not.toBe('')
  })

  it('let those behind go on when somebody gives up', async () => {
    const locks = new PathLocks()
    const [a, b, c] = [owner('a'), owner('b'), owner('c')]
    await locks.acquire(a, wants({ x: 'shared' }), soon)
    const stop = new AbortController()
    const writing = locks.acquire(b, wants({ x: 'exclusive' }), { ...soon, signal: stop.signal })
    const reading = locks.acquire(c, wants({ x: 'shared' }), soon)
    expect(await granted(reading)).toBe(false)
    stop.abort()
    expect(await codeOf(writing)).toBe('ABORTED')
    expect(await granted(reading)).toBe(true)
  })

  it('are widened by who holds them, before those that wait', async () => {
    const locks = new PathLocks()
    const [a, b] = [owner('a'), owner('b')]
    await locks.acquire(a, wants({ x: 'exclusive' }), soon)
    const waiting = locks.acquire(b, wants({ x: 'exclusive', y: 'exclusive' }), soon)
    expect(await granted(locks.acquire(a, wants({ x: 'exclusive', y: 'exclusive' }), soon))).toBe(true)
    locks.release(a)
    expect(await granted(waiting)).toBe(true)
  })

  it.each([2, 3, 5])('refuse a circle of %i at once', async (count) => {
    const locks = new PathLocks()
    const owners = Array.from({ length: count }, (_, i) => owner(`t${i}`))
    for (const [i, who] of owners.entries()) await locks.acquire(who, wants({ [`p${i}`]: 'exclusive' }), soon)
    const waiting = owners
      .slice(0, -1)
      .map((who, i) => locks.acquire(who, wants({ [`p${i + 1}`]: 'exclusive' }), { timeoutMs: 5000 }))
    const last = owners.at(-1) as LockOwner
    const before = performance.now()
    expect(await codeOf(locks.acquire(last, wants({ p0: 'exclusive' }), { timeoutMs: 5000 }))).toBe('CONFLICT')
    expect(performance.now() - before).toBeLessThan(1000)
    locks.release(last)
    for (const [i, promise] of waiting.reverse().entries()) {
      await promise
      locks.release(owners[count - 2 - i] as LockOwner)
    }
  })

  it('refuse two readers that both want to write', async () => {
    const locks = new PathLocks()
    const [a, b] = [owner('a'), owner('b')]
    await locks.acquire(a, wants({ x: 'shared' }), soon)
    await locks.acquire(b, wants({ x: 'shared' }), soon)
    const first = locks.acquire(a, wants({ x: 'exclusive' }), soon)
    expect(await codeOf(locks.acquire(b, wants({ x: 'exclusive' }), soon))).toBe('CONFLICT')
    locks.release(b)
    await first
  })

  it('never let two hold what excludes, and let all come to an end', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom<LockMode>('shared', 'exclusive'), {
            minKeys: 1,
          }),
          { minLength: 2, maxLength: 12 },
        ),
        async (requests) => {
          const locks = new PathLocks()
          const held = new Map<string, { shared: number; exclusive: number }>()
          await Promise.all(
            requests.map(async (paths, i) => {
              const who = owner(`t${i}`)
              await locks.acquire(who, wants(paths), { timeoutMs: 10_000 })
              for (const [path, mode] of Object.entries(paths)) {
                const count = held.get(path) ?? { shared: 0, exclusive: 0 }
                held.set(path, count)
                count[mode] += 1
                expect(count.exclusive === 0 || (count.exclusive === 1 && count.shared === 0)).toBe(true)
              }
              await new Promise((resolve) => setImmediate(resolve))
              for (const [path, mode] of Object.entries(paths))
                (held.get(path) as { shared: number; exclusive: number })[mode] -= 1
              locks.release(who)
            }),
          )
        },
      ),
      { numRuns: 50 },
    ))
})
