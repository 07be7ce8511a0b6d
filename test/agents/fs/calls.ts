/** Random calls of file system functions, to be made on two file systems that should answer alike. */
import nodeFs from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import type { NodeFs } from '../../../src/agents/fs/index.ts'

/** A call, made with a folder that all its paths are below; what it gives must not tell where that is. */
export interface Call {
  readonly name: string
  readonly run: (fs: NodeFs, at: (name: string) => string) => unknown
}

const NAMES = ['a', 'b', 'd', 'd/a', 'd/e', 'd/e/f', 'a/x', 'l', 'l/a', 'missing/x']
const MODES = [0o600, 0o644, 0o755]
const name = fc.constantFrom(...NAMES)
const text = fc.string({ maxLength: 12 })
const mode = fc.constantFrom(...MODES)

function call(label: string, run: Call['run']): Call {
  return { name: label, run }
}

const one = (label: string, run: (fs: NodeFs, at: string) => unknown): fc.Arbitrary<Call> =>
  name.map((given) => call(`${label} ${given}`, (fs, at) => run(fs, at(given))))
const two = (label: string, run: (fs: NodeFs, at: string, to: string) => unknown): fc.Arbitrary<Call> =>
  fc.tuple(name, name).map(([from, to]) => call(`${label} ${from} ${to}`, (fs, at) => run(fs, at(from), at(to))))
const some = <T>(label: string, extra: fc.Arbitrary<T>, run: (fs: NodeFs, at: string, extra: T) => unknown) =>
  fc
    .tuple(name, extra)
    .map(([given, value]) => call(`${label} ${given} ${JSON.stringify(value)}`, (fs, at) => run(fs, at(given), value)))

/** What goes through an open file: one step after the other, then it is closed. */
const STEPS = ['write', 'writeAt', 'truncate', 'read', 'sync', 'chmod', 'stat'] as const

async function session(fs: NodeFs, file: string, flags: string, steps: readonly (typeof STEPS)[number][]) {
  const handle = await fs.promises.open(file, flags, 0o640)
  const found: unknown[] = []
  try {
    for (const step of steps) {
      if (step === 'write') found.push((await handle.write('xyz')).bytesWritten)
      else if (step === 'writeAt') found.push((await handle.write(Buffer.from('Q'), 0, 1, 2)).bytesWritten)
      else if (step === 'truncate') await handle.truncate(1)
      else if (step === 'sync') await handle.sync()
      else if (step === 'chmod') await handle.chmod(0o604)
      else if (step === 'stat') found.push((await handle.stat()).size)
      else {
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(8), 0, 8, 0)
        found.push(buffer.subarray(0, bytesRead).toString())
      }
    }
  } finally {
    await handle.close()
  }
  return found
}

/** Node makes, or removes, what is in the way before it says that a folder is no file; a facade does neither. */
const isFolder = (at: string): boolean => nodeFs.statSync(at, { throwIfNoEntry: false })?.isDirectory() === true

/** Of several things that are wrong with a copy, Node says the one that it happens to find first. */
const isPlain = (at: string, to: string): boolean =>
  nodeFs.existsSync(at) && nodeFs.lstatSync(path.dirname(to), { throwIfNoEntry: false })?.isDirectory() === true

const FLAGS = ['r+', 'w', 'wx', 'w+', 'a', 'a+', 'ax', 'r']

export const anyCall: fc.Arbitrary<Call> = fc.oneof(
  some('writeFile', text, (fs, at, value) => fs.promises.writeFile(at, value)),
  some('writeFile mode', mode, (fs, at, value) => fs.promises.writeFile(at, 'm', { mode: value })),
  some('writeFile flag', fc.constantFrom(...FLAGS), (fs, at, flag) => fs.promises.writeFile(at, 'F', { flag })),
  some('appendFile', text, (fs, at, value) => fs.promises.appendFile(at, value)),
  some('truncate', fc.nat(9), (fs, at, length) => fs.promises.truncate(at, length)),
  some('chmod', mode, (fs, at, value) => fs.promises.chmod(at, value)),
  some('mkdir', mode, (fs, at, value) => fs.promises.mkdir(at, value)),
  one('mkdir -p', async (fs, at) => {
    const made = await fs.promises.mkdir(at, { recursive: true })
    return made === undefined ? undefined : path.relative(at, made)
  }),
  one('unlink', (fs, at) => fs.promises.unlink(at)),
  one('rmdir', (fs, at) => fs.promises.rmdir(at)),
  one('rm', (fs, at) => fs.promises.rm(at)),
  one('rm -f', (fs, at) => fs.promises.rm(at, { force: true })),
  one('rm -rf', (fs, at) => fs.promises.rm(at, { recursive: true, force: true })),
  two('rename', (fs, at, to) => fs.promises.rename(at, to)),
  two('copyFile', (fs, at, to) => isFolder(at) || fs.promises.copyFile(at, to)),
  two('copyFile excl', (fs, at, to) => isFolder(at) || fs.promises.copyFile(at, to, nodeFs.constants.COPYFILE_EXCL)),
  two('cp -r', (fs, at, to) => !isPlain(at, to) || fs.promises.cp(at, to, { recursive: true })),
  two(
    'cp no force',
    (fs, at, to) => isFolder(at) || !isPlain(at, to) || fs.promises.cp(at, to, { force: false, errorOnExist: true }),
  ),
  some('symlink', fc.constantFrom('a', 'd', 'nowhere', 'd/e'), (fs, at, target) => fs.promises.symlink(target, at)),
  one('readFile', async (fs, at) => (await fs.promises.readFile(at)).toString()),
  one('readdir', async (fs, at) => (await fs.promises.readdir(at)).sort()),
  one('access', (fs, at) => fs.promises.access(at)),
  one('lstat', async (fs, at) => {
    const stats = await fs.promises.lstat(at)
    return [stats.isDirectory(), stats.isFile(), stats.isSymbolicLink(), stats.isFile() ? stats.size : 0]
  }),
  some(
    'open',
    fc.tuple(fc.constantFrom(...FLAGS), fc.array(fc.constantFrom(...STEPS), { maxLength: 5 })),
    (fs, at, [flags, steps]) => session(fs, at, flags, steps),
  ),
  some(
    'createWriteStream',
    fc.tuple(fc.constantFrom('w', 'a', 'wx'), text),
    (fs, at, [flags, value]) =>
      new Promise((resolve, reject) => {
        const stream = fs.createWriteStream(at, { flags })
        stream.on('error', reject).on('close', () => resolve(stream.bytesWritten))
        stream.write(value)
        stream.end('end')
      }),
  ),
)

/** What came of a call: a value, or the code of its error. */
export async function outcomeOf({ run }: Call, fs: NodeFs, root: string): Promise<unknown> {
  try {
    return { value: await run(fs, (name) => path.join(root, name)) }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    return { code }
  }
}

/** Everything below a folder but a journal: kinds, permissions, contents. */
export function treeOf(root: string, below = '', top = root): Record<string, string> {
  const tree: Record<string, string> = {}
  for (const name of nodeFs.readdirSync(path.join(root, below)).sort()) {
    if (name === '.journal') continue
    const at = path.join(below, name)
    const whole = path.join(root, at)
    const stats = nodeFs.lstatSync(whole)
    const bits = (stats.mode & 0o7777).toString(8)
    if (stats.isSymbolicLink()) tree[at] = `-> ${nodeFs.readlinkSync(whole).replace(top, '<root>')}`
    else if (stats.isFile()) tree[at] = `${bits} ${nodeFs.readFileSync(whole, 'latin1')}`
    else Object.assign(tree, { [at]: `${bits} folder` }, treeOf(root, at, top))
  }
  return tree
}
