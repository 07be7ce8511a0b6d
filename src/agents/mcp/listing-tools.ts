import { join, relative } from 'node:path'
import { minimatch } from 'minimatch'
import { z } from 'zod'
import type { FileView } from './file-view.ts'
import { SAID, said } from './reading-tools.ts'
import type { Call, Session } from './session.ts'
import { type AnyTool, READS, tool } from './tool.ts'

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const
const INSIDE = 'Only works within allowed directories.'
const EXCLUDED = z.array(z.string()).optional().default([])

function formatSize(bytes: number): string {
  if (bytes < 1024) return `${Math.max(0, bytes)} B`
  const power = Math.min(Math.floor(Math.log(bytes) / Math.log(1024)), UNITS.length - 1)
  return `${(bytes / 1024 ** power).toFixed(2)} ${UNITS[power]}`
}

function marked(isDirectory: boolean): string {
  return isDirectory ? '[DIR]' : '[FILE]'
}

interface Node {
  readonly name: string
  readonly type: 'directory' | 'file'
  readonly children?: readonly Node[]
}

/** A pattern with a star stands for whole paths; one without also for a name anywhere. */
function excludes(pattern: string, path: string): boolean {
  const forms = pattern.includes('*') ? [pattern] : [pattern, `**/${pattern}`, `**/${pattern}/**`]
  return forms.some((form) => minimatch(path, form, { dot: true }))
}

/** Goes through folders for one call, and counts what it saw. */
class Walk {
  readonly #session: Session
  readonly #view: FileView
  readonly #call: Call
  #seen = 0

  constructor(session: Session, view: FileView, call: Call) {
    this.#session = session
    this.#view = view
    this.#call = call
  }

  async tree(root: string, given: string, excluded: readonly string[]): Promise<Node[]> {
    const folder = await this.#session.folders.resolve(given)
    const nodes: Node[] = []
    for (const { name, isDirectory } of await this.#view.entries(folder)) {
      await this.#step(given)
      const path = join(given, name)
      if (excluded.some((pattern) => excludes(pattern, relative(root, path)))) continue
      if (isDirectory) nodes.push({ name, type: 'directory', children: await this.tree(root, path, excluded) })
      else nodes.push({ name, type: 'file' })
    }
    return nodes
  }

  async search(root: string, folder: string, pattern: string, excluded: readonly string[]): Promise<string[]> {
    const found: string[] = []
    for (const { name, isDirectory } of await this.#view.entries(folder)) {
      await this.#step(folder)
      const path = join(folder, name)
      const below = relative(root, path)
      if (!isDirectory && !(await this.#session.folders.admits(path))) continue
      if (excluded.some((each) => minimatch(below, each, { dot: true }))) continue
      if (minimatch(below, pattern, { dot: true })) found.push(path)
      if (!isDirectory) continue
      // A folder that cannot be read, or is gone by now, hides nothing else.
      const inner = await this.search(root, path, pattern, excluded).catch((error: unknown) => {
        if (this.#call.signal.aborted) throw error
        return []
      })
      for (const each of inner) found.push(each)
    }
    return found
  }

  #step(where: string): Promise<void> {
    this.#seen += 1
    return this.#call.progress(this.#seen, where)
  }
}

/** The tools of the reference server that list what is there. */
export const LISTING_TOOLS: readonly AnyTool[] = [
  tool({
    name: 'list_directory',
    title: 'List Directory',
    description: `List what is in a directory, each entry marked [FILE] or [DIR]. ${INSIDE}`,
    input: { path: z.string() },
    output: SAID,
    hints: READS,
    async run(session, { path }) {
      const entries = await (await session.view()).entries(await session.folders.resolve(path))
      return said(entries.map(({ name, isDirectory }) => `${marked(isDirectory)} ${name}`).join('\n'))
    },
  }),
  tool({
    name: 'list_directory_with_sizes',
    title: 'List Directory with Sizes',
    description: `List what is in a directory, each entry marked [FILE] or [DIR], with the sizes of files and their sum. ${INSIDE}`,
    input: {
      path: z.string(),
      sortBy: z.enum(['name', 'size']).optional().default('name').describe('Sort entries by name or size'),
    },
    output: SAID,
    hints: READS,
    async run(session, { path, sortBy }) {
      const folder = await session.folders.resolve(path)
      const view = await session.view()
      const entries: { name: string; isDirectory: boolean; size: number }[] = []
      for (const { name, isDirectory } of await view.entries(folder)) {
        const facts = await view.facts(join(folder, name)).catch(() => null)
        entries.push({ name, isDirectory, size: facts?.size ?? 0 })
      }
      entries.sort((a, b) => (sortBy === 'size' ? b.size - a.size : a.name.localeCompare(b.name)))
      const files = entries.filter(({ isDirectory }) => !isDirectory)
      const lines = entries.map(({ name, isDirectory, size }) => {
        return `${marked(isDirectory)} ${name.padEnd(30)} ${isDirectory ? '' : formatSize(size).padStart(10)}`
      })
      const total = files.reduce((sum, { size }) => sum + size, 0)
      const counts = `Total: ${files.length} files, ${entries.length - files.length} directories`
      return said([...lines, '', counts, `Combined size: ${formatSize(total)}`].join('\n'))
    },
  }),
  tool({
    name: 'directory_tree',
    title: 'Directory Tree',
    description: `The whole tree below a directory as JSON: 'name', 'type' (file or directory), and for directories 'children'. ${INSIDE}`,
    input: { path: z.string(), excludePatterns: EXCLUDED },
    output: SAID,
    hints: READS,
    async run(session, { path, excludePatterns }, call) {
      const walk = new Walk(session, await session.view(), call)
      return said(JSON.stringify(await walk.tree(path, path, excludePatterns), null, 2))
    },
  }),
  tool({
    name: 'search_files',
    title: 'Search Files',
    description: `Find files and directories by a glob pattern relative to the directory: '*.ext' in it, '**/*.ext' also below it. Returns full paths. ${INSIDE}`,
    input: { path: z.string(), pattern: z.string(), excludePatterns: EXCLUDED },
    output: SAID,
    hints: READS,
    async run(session, { path, pattern, excludePatterns }, call) {
      const real = await session.folders.resolve(path)
      const found = await new Walk(session, await session.view(), call).search(real, real, pattern, excludePatterns)
      return said(found.length > 0 ? found.join('\n') : 'No matches found')
    },
  }),
  tool({
    name: 'get_file_info',
    title: 'Get File Info',
    description: `Size, times, permissions and type of a file or directory. ${INSIDE}`,
    input: { path: z.string() },
    output: SAID,
    hints: READS,
    async run(session, { path }) {
      const facts = await (await session.view()).facts(await session.folders.resolve(path))
      const { size, created, modified, accessed, isDirectory, isFile, permissions } = facts
      const named = { size, created, modified, accessed, isDirectory, isFile, permissions }
      return said(
        Object.entries(named)
          .map(([key, value]) => `${key}: ${value}`)
          .join('\n'),
      )
    },
  }),
  tool({
    name: 'list_allowed_directories',
    title: 'List Allowed Directories',
    description:
      'The directories that this server may use, with everything below them. Ask for them before naming paths.',
    input: {},
    output: SAID,
    hints: READS,
    async run(session) {
      return said(`Allowed directories:\n${session.folders.list.join('\n')}`)
    },
  }),
]
