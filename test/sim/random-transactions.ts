import { JournalError, type Transaction } from '../../src/index.ts'
import type { Random } from './random.ts'

const FILES = ['a', 'b', 'c.txt', 'd/a', 'd/b', 'd/e/a', 'd/e/f/g', 'h/a', 'link']
const FOLDERS = ['d', 'd/e', 'd/e/f', 'h', 'i', 'i/j']
const MODES = [0o600, 0o644, 0o755, 0o444]
/** Beyond what the log takes: a blob. */
const LARGE = 1024 * 1024 + 700

export interface Workload {
  /** Share of contents that become blobs. */
  readonly large: number
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)] as T
}

export function randomBytes(random: Random, workload: Workload): Uint8Array {
  if (random.chance(workload.large)) return new Uint8Array(LARGE).fill(65 + random.below(26))
  const size = pick(random, [0, 1, 3, 100, 512, 700, 1500, 5000])
  const text = `${random.uint32()} old text\n`
  return Buffer.from(text.repeat(Math.ceil(size / text.length)).slice(0, size))
}

/** One random operation. What the workspace does not allow is refused with a JournalError, which is part of the game. */
export async function randomOperation(tx: Transaction, random: Random, workload: Workload): Promise<void> {
  const file = pick(random, FILES)
  const other = pick(random, FILES)
  const folder = pick(random, FOLDERS)
  const content = randomBytes(random, workload)
  const mode = pick(random, MODES)
  const choice = random.below(20)
  if (process.env.SIM_CASE !== undefined)
    console.log(tx.id, choice, { file, other, folder, size: content.byteLength, mode })
  try {
    if (choice < 7) await tx.write(file, content, random.chance(0.3) ? { mode } : {})
    else if (choice < 9) await tx.append(file, content)
    else if (choice < 11) await tx.edit(file, [{ oldText: 'old text', newText: `new ${random.below(9)}`, all: true }])
    else if (choice < 13) await tx.remove(file)
    else if (choice < 15) await tx.rename(file, other)
    else if (choice === 15) await tx.rename(folder, pick(random, FOLDERS))
    else if (choice === 16) await tx.mkdir(folder)
    else if (choice === 17) await (random.chance(0.5) ? tx.rmdir(folder) : tx.remove(folder, { recursive: true }))
    else if (choice === 18) await tx.chmod(random.chance(0.7) ? file : folder, mode | 0o300)
    else await tx.symlink(file, pick(random, FILES))
  } catch (error) {
    if (!(error instanceof JournalError) || error.code === 'IO') throw error
  }
}
