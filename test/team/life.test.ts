import { describe, expect, it } from 'vitest'
import { Claims } from '../../src/team/claims.ts'
import { beginLife, type Life, lifeWords, readLife, remaining } from '../../src/team/life.ts'
import { isSameStart, type Machine } from '../../src/team/machine.ts'

interface Fake extends Machine {
  time: number
  up: number
  processes: Map<number, string | null>
}

function machine(host = 'here', boot = 'start-1'): Fake {
  const fake: Fake = {
    host,
    boot,
    time: 1_700_000_000_000,
    up: 50_000,
    processes: new Map([[7, '100']]),
    now: () => fake.time,
    uptime: () => fake.up,
    started: (pid) => fake.processes.get(pid),
  }
  return fake
}

const begun = (on: Machine, ttl: number, pid: number | null): Life => beginLife(on, ttl, pid) as Life

describe('a life', () => {
  it.each([
    ['forward', 10 ** 9],
    ['back', -(10 ** 9)],
  ])('is as long as it is when the clock on the wall jumps %s', (_, jump) => {
    const here = machine()
    const life = begun(here, 1000, null)
    const since = here.time
    here.time += jump
    here.up += 400
    expect(remaining(life, since, 0, here)).toBe(600)
    here.up += 600
    expect(remaining(life, since, 0, here)).toBe(0)
  })

  it('elsewhere goes by the clock, and never beyond a whole life from when it was seen', () => {
    const here = machine()
    const there = machine('there', 'start-9')
    const life = begun(there, 1000, 7)
    here.time += 300
    const seen = here.up
    expect(remaining(life, there.time, seen, here)).toBe(700)
    here.time -= 10 ** 9
    expect(remaining(life, there.time, seen, here)).toBe(1000)
    here.up += 900
    expect(remaining(life, there.time, seen, here)).toBe(100)
    here.up += 100
    expect(remaining(life, there.time, seen, here)).toBe(0)
  })

  it('ends with its process, and is not taken over by another of its number', () => {
    const here = machine()
    const life = begun(here, 1000, 7)
    expect(remaining(life, here.time, here.up, here)).toBe(1000)
    here.processes.set(7, '101')
    expect(remaining(life, here.time, here.up, here)).toBe(0)
    here.processes.set(7, null)
    expect(remaining(life, here.time, here.up, here)).toBe(1000)
    here.processes.delete(7)
    expect(remaining(life, here.time, here.up, here)).toBe(0)
    expect(beginLife(here, 1000, 7)).toBeNull()
  })

  it('with a process does not outlive a start of the machine; one without does, by the clock', () => {
    const here = machine()
    const bound = begun(here, 10_000, 7)
    const free = begun(here, 10_000, null)
    const again = machine('here', 'start-2')
    again.up = 100
    again.time += 4000
    expect(remaining(bound, here.time, again.up, again)).toBe(0)
    expect(remaining(free, here.time, again.up, again)).toBe(6000)
  })

  it('reads back as it was said, and what is none is none', () => {
    const here = machine()
    for (const pid of [7, null]) {
      const life = begun(here, 1000, pid)
      expect(readLife({ do: 'acquire', ...lifeWords(life) })).toEqual(life)
    }
    const whole = lifeWords(begun(here, 1000, 7))
    for (const key of ['ttl', 'host', 'boot', 'uptime'])
      expect(readLife(Object.fromEntries(Object.entries(whole).filter(([name]) => name !== key)))).toBeNull()
    for (const process of [1, null, [], { pid: 'x', started: null }, { pid: 1 }])
      expect(readLife({ ...whole, process: process as never })).toBeNull()
    expect(readLife({ ...whole, ttl: 10 ** 15 })?.ttl).toBe(24 * 3600 * 1000)
  })

  it('of machines that tell their start by the minute goes on in the next one', () => {
    expect(isSameStart('started-100', 'started-101')).toBe(true)
    expect(isSameStart('started-100', 'started-102')).toBe(false)
    expect(isSameStart('a', 'b')).toBe(false)
  })
})

describe('claims', () => {
  it('pass over notes that say nothing they know', () => {
    const here = machine()
    const claims = new Claims(here)
    const values = [
      {},
      { do: 'acquire' },
      { do: 'acquire', paths: ['a'] },
      { do: 'acquire', paths: 7 },
      { do: 'renew' },
      { do: 'release', token: 'x' },
      { do: 'other' },
    ]
    for (const topic of ['lease', 'intent', 'work'])
      claims.apply({ tx: 't1', seq: 1, time: 0, entries: values.map((value) => ({ op: 'note', topic, value })) })
    expect([claims.leases.size, claims.intents.size]).toEqual([0, 0])
  })

  it('are the same when they are read again, and when some notes come twice', () => {
    const here = machine()
    const life = lifeWords(begun(here, 1000, null))
    const notes = [
      { do: 'acquire', paths: ['a', 'b'], ...life },
      { do: 'acquire', paths: ['c'], ...life },
      { do: 'renew', token: 1, paths: ['a', 'b'], ...life },
      { do: 'release', token: 2 },
      { do: 'acquire', paths: ['c/d'], ...life },
    ]
    const said = notes.map((value, at) => ({
      tx: `t${at}`,
      seq: at + 1,
      time: here.time,
      entries: [{ op: 'note' as const, topic: 'lease', value }],
    }))
    const once = new Claims(here)
    for (const commit of said) once.apply(commit)
    const twice = new Claims(here)
    for (const commit of [...said, ...said.slice(2)]) twice.apply(commit)
    expect([...twice.leases.keys()].sort()).toEqual([...once.leases.keys()].sort())
    expect([...once.leases.keys()]).toEqual([1, 5])
    expect(once.over('a')?.token).toBe(1)
    expect(once.over('b/c')?.token).toBe(1)
    expect(once.over('c')).toBeNull()
    expect(once.near('c').map(({ token }) => token)).toEqual([5])
  })
})
