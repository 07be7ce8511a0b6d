import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, it } from 'vitest'
import { hashAlone } from '../../src/capture/hashing.ts'
import { NodeDisk } from '../../src/disk/node-disk.ts'
import { DIST } from '../crash/built.ts'
import { scratch } from './ground.ts'

it('finds in several threads what one finds, in the same order', async () => {
  const { hashTogether } = (await import(
    pathToFileURL(`${DIST}/capture/hash-threads.js`).href
  )) as typeof import('../../src/capture/hash-threads.ts')
  const { NodeDisk: BuiltDisk } = (await import(
    pathToFileURL(`${DIST}/disk/node-disk.js`).href
  )) as typeof import('../../src/disk/node-disk.ts')
  const root = scratch()
  const files = Array.from({ length: 1500 }, (_, at) => ({ path: `f${at}`, size: at * 7 }))
  for (const { path: name, size } of files) fs.writeFileSync(path.join(root, name), Buffer.alloc(size, size % 251))
  fs.rmSync(path.join(root, 'f700'))
  fs.rmSync(path.join(root, 'f800'))
  fs.symlinkSync('f801', path.join(root, 'f800'))
  const found = await hashTogether(new BuiltDisk(), root, files)
  expect(found).toEqual(await hashAlone(new NodeDisk(), root, files))
  expect([found[700], found[800]]).toEqual(['gone', 'gone'])
  expect(await hashTogether(new BuiltDisk(), root, files.slice(0, 3))).toEqual(found.slice(0, 3))
}, 30_000)
