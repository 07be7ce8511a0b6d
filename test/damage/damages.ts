import type { Frame } from '../../src/log/log-reader.ts'
import { offsetOf, type Position, positionOf, segmentOf } from '../../src/log/position.ts'
import { locateRoot, openStore } from '../../src/store/opening.ts'
import { openOn, ROOT } from '../journal/fixture.ts'
import { SimDisk } from '../sim/sim-disk.ts'
import { bytesOf, files, JOURNAL, SEGMENT, segmentName } from './built.ts'

/** Something that happens to the files of a journal, and is no flipped byte. */
export interface Damage {
  readonly name: string
  readonly to: (disk: SimDisk) => void
  /** It takes the end off, or zeroes it, so neatly that only what stands elsewhere can tell. */
  readonly neat?: boolean
}

/** Where the frames behind the last checkpoint begin: of those, nothing but the log itself tells. */
export function unwitnessed(disk: SimDisk): Position {
  const frames = framesOf(disk)
  const last = frames.findLastIndex(({ kind }) => kind === 'checkpoint')
  return frames[last + 1]?.position ?? Number.POSITIVE_INFINITY
}

export function framesOf(disk: SimDisk): Frame[] {
  return [...openStore(disk, locateRoot(disk, ROOT)).reader.read()]
}

/** A frame with header and padding, as bytes of its segment. */
interface Slice {
  readonly segment: number
  readonly from: number
  readonly to: number
  readonly kind: string
}

function slicesOf(disk: SimDisk): Slice[] {
  return framesOf(disk).map(({ position, length, kind }) => {
    const from = offsetOf(position)
    return { segment: segmentOf(position), from, to: from + 56 + Math.ceil(length / 8) * 8, kind }
  })
}

function put(disk: SimDisk, name: string, bytes: Uint8Array): void {
  disk.writeFile(`${JOURNAL}/${name}`, bytes)
}

function take(disk: SimDisk, { segment, from, to }: Slice): Uint8Array {
  return bytesOf(disk, segmentName(segment)).slice(from, to)
}

function splice(disk: SimDisk, { segment, from, to }: Slice, bytes: Uint8Array): void {
  const whole = bytesOf(disk, segmentName(segment))
  put(disk, segmentName(segment), Buffer.concat([whole.subarray(0, from), bytes, whole.subarray(to)]))
}

/** Overwritten in place, the rest stays where it is. */
function over(disk: SimDisk, { segment, from, to }: Slice, bytes: Uint8Array): void {
  const whole = bytesOf(disk, segmentName(segment))
  const end = Math.max(whole.byteLength, from + bytes.byteLength)
  const fresh = new Uint8Array(end)
  fresh.set(whole)
  fresh.fill(0, from, to)
  fresh.set(bytes, from)
  put(disk, segmentName(segment), fresh)
}

function frameDamages(disk: SimDisk): Damage[] {
  const slices = slicesOf(disk)
  const damages: Damage[] = []
  const behind = unwitnessed(disk)
  let neat = false
  const add = (name: string, to: Damage['to']) => damages.push({ name, to, neat })
  for (const [index, slice] of slices.entries()) {
    neat = positionOf(slice.segment, slice.from) >= behind
    const name = `${slice.kind} frame ${index} at ${slice.segment}:${slice.from}`
    const next = slices[index + 1]
    const far = slices[(index * 7 + 3) % slices.length] as Slice
    add(`${name} zeroed`, (bad) => over(bad, slice, new Uint8Array(slice.to - slice.from)))
    add(`${name} removed, the rest moved up`, (bad) => splice(bad, slice, new Uint8Array(0)))
    add(`${name} twice in a row`, (bad) => splice(bad, slice, Buffer.concat([take(bad, slice), take(bad, slice)])))
    add(`${name} copied over frame ${slices.indexOf(far)}`, (bad) => over(bad, far, take(bad, slice)))
    add(`${name} copied behind the end`, (bad) => {
      const last = slices.at(-1) as Slice
      over(bad, { ...last, from: last.to, to: last.to }, take(bad, slice))
    })
    add(`all cut off at ${name}`, (bad) => {
      for (const other of files(bad)) {
        const number = Number(/^log\/(\d+)/.exec(other)?.[1] ?? 0)
        if (number > slice.segment || (number === slice.segment && slice.from === 0)) bad.unlink(`${JOURNAL}/${other}`)
      }
      if (slice.from > 0)
        put(bad, segmentName(slice.segment), bytesOf(bad, segmentName(slice.segment)).slice(0, slice.from))
    })
    add(`the segment cut off at ${name}`, (bad) => {
      put(bad, segmentName(slice.segment), bytesOf(bad, segmentName(slice.segment)).slice(0, slice.from))
    })
    if (next === undefined || next.segment !== slice.segment) continue
    add(`${name} exchanged with the next`, (bad) => {
      const both = { ...slice, to: next.to }
      splice(bad, both, Buffer.concat([take(bad, next), take(bad, slice)]))
    })
  }
  return damages
}

/** `older`: the same journal some transactions before; `other`: another one. */
function fileDamages(disk: SimDisk, older: SimDisk, other: SimDisk): Damage[] {
  const damages: Damage[] = []
  const add = (name: string, to: Damage['to']) => damages.push({ name, to })
  const names = files(disk)
  const blobs = names.filter((name) => name.startsWith('blobs/'))
  for (const name of names) {
    const full = `${JOURNAL}/${name}`
    add(`${name} removed`, (bad) => bad.unlink(full))
    add(`${name} emptied`, (bad) => bad.writeFile(full, ''))
    add(`${name} is a folder`, (bad) => {
      bad.unlink(full)
      bad.mkdirp(full)
    })
    add(`${name} is a link to nowhere`, (bad) => {
      bad.unlink(full)
      bad.writeLink(full, 'nowhere')
    })
    add(`${name} may not be read`, (bad) => bad.chmod(full, 0))
    add(`${name} with bytes behind it`, (bad) => {
      bad.writeFile(full, Buffer.concat([bad.readFile(full), Buffer.alloc(100, 'rubbish')]))
    })
    add(`${name} is rubbish`, (bad) => bad.writeFile(full, Buffer.alloc(bad.readFile(full).byteLength, 'rubbish!')))
    for (const [whose, from] of [
      ['an older copy', older],
      ["another journal's", other],
    ] as const) {
      if (from.exists(full)) add(`${name} is ${whose}`, (bad) => bad.writeFile(full, from.readFile(full)))
    }
  }
  for (const [index, name] of blobs.entries()) {
    const next = blobs[(index + 1) % blobs.length] as string
    add(`${name} exchanged with another`, (bad) => {
      const [one, two] = [bytesOf(bad, name), bytesOf(bad, next)]
      put(bad, name, two)
      put(bad, next, one)
    })
  }
  for (const folder of ['log', 'blobs', 'staging', 'broken', 'index']) {
    const full = `${JOURNAL}/${folder}`
    if (!disk.exists(full)) continue
    add(`${folder}/ is a file`, (bad) => {
      removeAll(bad, full)
      bad.writeFile(full, 'a file')
    })
    add(`${folder}/ is missing`, (bad) => removeAll(bad, full))
    add(`${folder}/ may not be entered`, (bad) => bad.chmod(full, 0))
  }
  const segments = names.filter((name) => name.startsWith('log/')).length
  for (let segment = 1; segment <= segments; segment += 1) {
    for (const target of [1, segment + 1, segments + 1, segments + 3, 999_999_999_999]) {
      if (target === segment) continue
      add(`segment ${segment} copied as ${target}`, (bad) =>
        put(bad, segmentName(target), bytesOf(bad, segmentName(segment))),
      )
    }
  }
  add('the log as it was before', (bad) => {
    for (const name of files(bad)) if (name.startsWith('log/')) bad.unlink(`${JOURNAL}/${name}`)
    for (const name of files(older)) if (name.startsWith('log/')) put(bad, name, bytesOf(older, name))
  })
  add("another journal's log", (bad) => {
    for (const name of files(bad)) if (name.startsWith('log/')) bad.unlink(`${JOURNAL}/${name}`)
    for (const name of files(other)) if (name.startsWith('log/')) put(bad, name, bytesOf(other, name))
  })
  add('all segments removed', (bad) => {
    for (const name of files(bad)) if (name.startsWith('log/')) bad.unlink(`${JOURNAL}/${name}`)
  })
  return damages
}

export function removeAll(disk: SimDisk, folder: string): void {
  disk.chmod(folder, 0o700)
  for (const { name, kind } of disk.readDirectory(folder)) {
    if (kind === 'dir') removeAll(disk, `${folder}/${name}`)
    else disk.unlink(`${folder}/${name}`)
  }
  disk.removeDirectory(folder)
}

/** Every damage that is no flipped byte and no shortened file. */
export async function damagesOf(disk: SimDisk, older: SimDisk): Promise<Damage[]> {
  const other = SimDisk.create({ seed: 99 })
  other.mkdirp(ROOT)
  const journal = await openOn(other, { segmentSize: SEGMENT })
  for (let n = 0; n < 30; n += 1) await journal.write(`other/${n}.txt`, `${n}`.repeat(700))
  await journal.close()
  return [...frameDamages(disk), ...fileDamages(disk, older, other)]
}
