import { isBuiltin } from 'node:module'
import type { Sight } from '../../../transaction/guard.ts'
import { ancestorsOf, joinPath, parentOf } from '../../../workspace/safe-path.ts'
import { joined, textAt } from './relative.ts'

const ENDINGS = ['.ts', '.tsx', '.d.ts', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json', '.node']
/** What a compiled name stands for in the sources. */
const SOURCES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\.js$/, ['.ts', '.tsx', '.d.ts', '.jsx']],
  [/\.jsx$/, ['.tsx']],
  [/\.mjs$/, ['.mts', '.d.mts']],
  [/\.cjs$/, ['.cts', '.d.cts']],
]
const MANIFEST_BYTES = 1024 * 1024

/** Null: the module is there, or nobody can tell from the workspace alone. */
export async function problemWithModule(sight: Sight, from: string, target: string): Promise<string | null> {
  if (/^\.\.?(\/|$)/.test(target)) {
    const path = joined(parentOf(from), target)
    // What lies outside of the workspace is not the journal's.
    if (path === null) return null
    const bare = path.replace(/[?#].*$/, '')
    if (isThere(sight, path) || (bare !== path && isThere(sight, bare))) return null
    return `there is no module ${target}`
  }
  // An alias of a bundler, an address, a subpath import.
  if (/^([#@~/]\/|[#~/]|[a-z][a-z0-9+.-]*:)/i.test(target)) return /^node:/.test(target) ? builtin(target) : null
  if (isBuiltin(target)) return null
  return problemWithPackage(sight, from, target)
}

function builtin(target: string): string | null {
  return isBuiltin(target) ? null : `Node has no module ${target}`
}

function isThere(sight: Sight, path: string): boolean {
  const found = sight.look(path)
  if (found?.kind === 'file') return true
  for (const ending of ENDINGS) if (sight.look(`${path}${ending}`)?.kind === 'file') return true
  for (const [compiled, endings] of SOURCES) {
    if (!compiled.test(path)) continue
    for (const ending of endings) if (sight.look(path.replace(compiled, ending))?.kind === 'file') return true
  }
  if (found?.kind !== 'dir') return false
  return (
    sight.look(joinPath(path, 'package.json')) !== null ||
    ENDINGS.some((ending) => sight.look(joinPath(path, `index${ending}`))?.kind === 'file')
  )
}

async function problemWithPackage(sight: Sight, from: string, target: string): Promise<string | null> {
  const [scope = '', second = ''] = target.split('/')
  const name = scope.startsWith('@') ? `${scope}/${second}` : scope
  let known = false
  for (const folder of [...ancestorsOf(from), '']) {
    const modules = joinPath(folder, 'node_modules')
    if (sight.look(joinPath(modules, name)) !== null || sight.look(joinPath(modules, `@types/${name}`)) !== null)
      return null
    const manifest = await textAt(sight, joinPath(folder, 'package.json'), MANIFEST_BYTES)
    if (manifest !== null) {
      known = true
      if (declares(manifest, name)) return null
    }
    // Its paths may lead anywhere.
    for (const config of ['tsconfig.json', 'jsconfig.json']) {
      const text = await textAt(sight, joinPath(folder, config), MANIFEST_BYTES)
      if (text !== null && /"(paths|baseUrl|extends)"/.test(text)) return null
    }
  }
  return known ? `the package ${name} is neither installed nor a dependency in a package.json` : null
}

/** In any list of dependencies, as itself, or as a workspace of it: its name stands there. */
function declares(manifest: string, name: string): boolean {
  try {
    const json = JSON.parse(manifest) as Record<string, unknown>
    if (json.name === name || json.workspaces !== undefined) return true
    const lists = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies', 'imports']
    return lists.some((list) => Object.hasOwn((json[list] ?? {}) as object, name))
  } catch {
    return true
  }
}
