import type { DataStep, Inode, NameSet, NameStep } from './inode.ts'
import { SECTOR } from './inode.ts'
import type { Random } from './random.ts'

/**
 * ordered: changes of names and metadata reach the disk in the order in which they were made, as with a journaling file system;
 * contents by sector, in any order. any: each folder's changes of names, and everything else, in any order. none: nothing that was
 * not synced reaches the disk.
 */
export type PowerCut = 'ordered' | 'any' | 'none'

export interface PowerCutOptions {
  /** Lets an `any` cut lose both names of a file that was moved from folder to folder. No known file system does. */
  readonly neither?: boolean
}

/**
 * Leaves of an inode graph what a power cut leaves of it, in place.
 * @param through all changes of names and metadata up to this one are durable in the ordered model.
 * @param last the newest change.
 * @returns all inodes that still have a name.
 */
export function cutPower(
  root: Inode,
  inodes: Iterable<Inode>,
  model: PowerCut,
  through: number,
  last: number,
  random: Random,
  options: PowerCutOptions,
): Set<Inode> {
  const all = [...inodes].sort((a, b) => a.ino - b.ino)
  const seqs = model === 'ordered' ? pendingSeqs(all, through) : []
  const bias = model === 'none' ? 0 : random.bias()
  const pick = random.below(seqs.length + 1)
  const cut = bias === 0 ? through : bias === 1 ? last : (seqs[pick - 1] ?? through)
  const survives =
    model === 'ordered'
      ? (step: { seq: number; state: string }) => step.state === 'synced' || step.seq <= cut
      : (step: { state: string }) => step.state === 'synced' || random.chance(bias)

  const kept = new Set<NameStep>()
  for (const inode of all) for (const step of inode.nameSteps) if (survives(step)) kept.add(step)
  if (model === 'any' && options.neither !== true) keepOneName(all, kept, random)
  for (const inode of all) {
    if (inode.nameSteps.length > 0) cutNames(inode, kept)
    if (inode.metaSteps.length > 0) cutMeta(inode, survives)
    if (inode.dataSteps.length > 0) cutData(inode, random, model === 'none')
    inode.syncedMtimeUs = inode.mtimeUs
    inode.opens = 0
    inode.lockedBy = 0
  }
  return reach(root)
}

function pendingSeqs(inodes: readonly Inode[], through: number): number[] {
  const seqs = new Set<number>()
  for (const inode of inodes) {
    for (const step of inode.nameSteps) if (step.seq > through) seqs.add(step.seq)
    for (const step of inode.metaSteps) if (step.seq > through) seqs.add(step.seq)
  }
  return [...seqs].sort((a, b) => a - b)
}

/** Where a file was moved and its old name is gone, the new one is there. */
function keepOneName(inodes: readonly Inode[], kept: Set<NameStep>, random: Random): void {
  const sources = new Map<number, NameStep>()
  for (const inode of inodes)
    for (const step of inode.nameSteps) if (step.side === 'source') sources.set(step.seq, step)
  for (const inode of inodes)
    for (const step of inode.nameSteps) {
      if (step.side !== 'target' || kept.has(step)) continue
      const source = sources.get(step.seq)
      // A source that is in no list any more is durable.
      if (source === undefined || (kept.has(source) && (source.state === 'synced' || random.chance(0.5))))
        kept.add(step)
      else kept.delete(source)
    }
}

function cutNames(folder: Inode, kept: ReadonlySet<NameStep>): void {
  const { entries, nameSteps } = folder
  const set = (key: string, name: NameSet['after']) => {
    if (name === null) entries.delete(key)
    else entries.set(key, name)
  }
  for (let i = nameSteps.length - 1; i >= 0; i--) {
    const { sets } = nameSteps[i] as NameStep
    for (let j = sets.length - 1; j >= 0; j--) set((sets[j] as NameSet).key, (sets[j] as NameSet).before)
  }
  for (const step of nameSteps) if (kept.has(step)) for (const { key, after } of step.sets) set(key, after)
  folder.nameSteps = []
}

function cutMeta(inode: Inode, survives: (step: { seq: number; state: string }) => boolean): void {
  let meta = inode.metaSteps[0]?.before ?? inode.meta
  for (const step of inode.metaSteps) if (survives(step)) meta = step.after
  inode.meta = meta
  inode.metaSteps = []
}

function cutData(file: Inode, random: Random, nothing: boolean): void {
  const steps = file.dataSteps
  const bytes = file.bytes.slice()
  const written: Uint8Array[] = []
  let size = file.size
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i] as DataStep
    written[i] = bytes.slice(step.position, step.position + step.length)
    if (step.oldSize < size) bytes.fill(0, step.oldSize, size)
    bytes.set(step.old, step.position)
    size = step.oldSize
  }
  const sectorBias = nothing ? 0 : random.bias()
  const sizeBias = nothing ? 0 : random.bias()
  // The file as the system's memory had it: a sector that is written out has all that was written to it before.
  const cached = bytes.slice()
  let cachedSize = size
  for (const [i, step] of steps.entries()) {
    const durable = step.state === 'synced'
    if (step.newSize < cachedSize) cached.fill(0, step.newSize, cachedSize)
    cached.set(written[i] as Uint8Array, step.position)
    cachedSize = step.newSize
    if (durable || random.chance(sizeBias)) {
      // A write only ever grows a file; a truncation, of which one that was lost may have come before, sets its size.
      const newSize = step.length === 0 ? step.newSize : Math.max(size, step.position + step.length)
      if (newSize < size) bytes.fill(0, newSize, size)
      size = newSize
    }
    const end = Math.min(step.position + step.length, size)
    copySectors(cached, bytes, step.position, end, () => durable || random.chance(sectorBias))
  }
  bytes.fill(0, size)
  file.bytes = bytes
  file.shared = false
  file.size = size
  file.allocated = Math.min(file.allocated, size)
  file.dataSteps = []
  if (random.chance(0.5)) file.mtimeUs = file.syncedMtimeUs
}

/** Copies those sectors of `from` that `keep` says and that hold bytes from `start` to `end`. */
function copySectors(from: Uint8Array, to: Uint8Array, start: number, end: number, keep: () => boolean): void {
  for (let at = Math.floor(start / SECTOR) * SECTOR; at < end; at += SECTOR)
    if (keep()) to.set(from.subarray(at, Math.min(at + SECTOR, end)), at)
}

/** Counts names and sets parents anew. A folder that is found under a second name has only the first. */
function reach(root: Inode): Set<Inode> {
  const reached = new Set<Inode>([root])
  root.names = 1
  root.parent = root
  // A Set's iteration goes on to what is added meanwhile.
  for (const folder of reached) {
    for (const [key, { inode }] of folder.entries) {
      if (reached.has(inode)) {
        if (inode.kind === 'dir') folder.entries.delete(key)
        else inode.names++
        continue
      }
      reached.add(inode)
      inode.names = 1
      if (inode.kind === 'dir') inode.parent = folder
    }
  }
  return reached
}
