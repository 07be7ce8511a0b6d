import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { failure, newDisk, openOn, refused } from '../journal/fixture.ts'

describe('an intent', () => {
  it('is there for all to see, and keeps nobody from anything', async () => {
    const disk = newDisk()
    const journal = await openOn(disk, { actor: 'other' })
    const announced = await journal.intents.announce(
      { paths: ['src/a.ts', 'docs'], what: 'rename the option' },
      { actor: 'builder' },
    )
    expect(announced).toMatchObject({ overlaps: [], saving: { syncs: 0, fileOperations: 0 } })
    await journal.write('src/a.ts', '1')
    expect(await journal.intents.list()).toMatchObject([
      { id: announced.id, actor: 'builder', what: 'rename the option', paths: ['docs', 'src/a.ts'], pid: process.pid },
    ])
    expect((await journal.show(announced.id)).kind).toBe('note')
    await journal.close()
    const reader = await openOn(disk, { readOnly: true })
    expect(await reader.intents.list()).toHaveLength(1)
    await reader.close()
    const again = await openOn(disk)
    await again.intents.withdraw(announced.id)
    expect(await again.intents.list()).toEqual([])
    await refused(disk, 'NOT_FOUND', () => again.intents.withdraw(announced.id))
    await refused(disk, 'NOT_FOUND', () => again.intents.withdraw('t-what'))
    await again.close()
  })

  it('that meets others says so, and what one batch would save', async () => {
    const journal = await openOn(newDisk())
    await journal.intents.announce({ paths: ['src/a', 'src/b', 'own'] }, { actor: 'one' })
    await journal.intents.announce({ paths: ['src/a'] }, { actor: 'one' })
    expect((await journal.intents.overlaps()).overlaps).toEqual([])
    const second = await journal.intents.announce({ paths: ['src/a', 'z'] }, { actor: 'two' })
    expect(second.overlaps).toMatchObject([{ path: 'src/a', actors: ['one', 'two'] }])
    expect(second.saving).toEqual({ syncs: 2, fileOperations: 2 })
    const third = await journal.intents.announce({ paths: ['src'] }, { actor: 'three' })
    expect(third.overlaps.map(({ path, actors }) => [path, actors])).toEqual([
      ['src/a', ['one', 'two', 'three']],
      ['src/b', ['one', 'three']],
    ])
    // Four transactions become one; src/a is written once in place of four times, src/b once in place of twice.
    expect(third.saving).toEqual({ syncs: 3, fileOperations: 4 })
    expect((await journal.intents.overlaps()).saving).toEqual({ syncs: 3, fileOperations: 4 })
    await journal.close()
  })

  it('ends with its time', async () => {
    const journal = await openOn(newDisk())
    await journal.intents.announce({ paths: ['a'], ttlMs: 1 })
    await pause(30)
    expect(await journal.intents.list()).toEqual([])
    await journal.close()
  })

  it.each([
    ['no request', undefined],
    ['no paths', { paths: [] }],
    ['a path that leads out', { paths: ['/etc/passwd'] }],
    ['the journal', { paths: ['.journal'] }],
    ['what is no text', { paths: ['a'], what: 7 }],
    ['too long a text', { paths: ['a'], what: 'x'.repeat(10_001) }],
    ['no time', { paths: ['a'], ttlMs: -1 }],
  ])('of %s is refused', async (_, request) => {
    const disk = newDisk()
    const journal = await openOn(disk)
    const error = await failure(() => journal.intents.announce(request as never))
    expect(['INVALID', 'PATH_OUTSIDE']).toContain(error.code)
    expect(await journal.intents.list()).toEqual([])
    await journal.close()
  })

  it('of one who announces without end is refused at some point, and others still may', async () => {
    const disk = newDisk()
    const journal = await openOn(disk, { durability: 'os' })
    for (let turn = 0; turn < 20; turn += 1) {
      await Promise.all(
        Array.from({ length: 50 }, (_, n) => journal.intents.announce({ paths: [`f${turn}/${n}`] }, { actor: 'mad' })),
      )
    }
    const error = await refused(disk, 'NO_SPACE', () => journal.intents.announce({ paths: ['x'] }, { actor: 'mad' }))
    expect(error.message).toContain('intents')
    await journal.intents.announce({ paths: ['x'] }, { actor: 'calm' })
    expect(await journal.intents.list()).toHaveLength(1001)
    await journal.close()
  })
})
