/**
 * Puts the command line, with the packages it uses, into a few files: a command starts in half the time when it has not to find and read two hundred
 * (docs/performance.md). What is loaded on demand stays in files of its own; native code stays in its packages. The library is left as it is.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { rolldown } from 'rolldown'

const PROJECT = resolve(import.meta.dirname, '..')
const CLI = join(PROJECT, 'dist/cli')
const FRESH = join(PROJECT, 'dist/cli.new')
/** They find their native parts by where they stand. */
const NATIVE = ['classic-level/binding.js', 'fs-native-extensions']

const bundle = await rolldown({
  // The thread that parses is begun by its file's name.
  input: { main: join(CLI, 'main.js'), 'parser-thread': join(PROJECT, 'dist/safety/validation/parser-thread.js') },
  platform: 'node',
  external: (id) => id.startsWith('node:') || NATIVE.includes(id),
  plugins: [{ name: 'native-parts', resolveId }],
})
const { output } = await bundle.write({
  dir: FRESH,
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
})
await bundle.close()
writeFileSync(join(FRESH, 'LICENSES.txt'), licenses(output.flatMap(({ moduleIds = [] }) => moduleIds)))
rmSync(CLI, { recursive: true })
renameSync(FRESH, CLI)

function resolveId(id, from) {
  if (id === './binding' && from?.includes(`classic-level${sep}`)) return { id: NATIVE[0], external: true }
  // Its usual form finds its parts when it runs, where a bundle has none.
  if (id === 'jsonc-parser') return { id: join(PROJECT, 'node_modules/jsonc-parser/lib/esm/main.js') }
  // Without its native part, which takes longer to load than it saves.
  return id === 'msgpackr' ? { id: join(PROJECT, 'node_modules/msgpackr/index.js') } : null
}

/** The licences of the packages that came along. */
function licenses(modules) {
  const packages = new Set(modules.filter((id) => id.includes(`${sep}node_modules${sep}`)).map(packageOf))
  return [...packages]
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
      const text = file === undefined ? license : readFileSync(join(folder, file), 'utf8').trim()
      return `${name} ${version}\n\n${text}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}

function packageOf(module) {
  let folder = dirname(module)
  while (
    !existsSync(join(folder, 'package.json')) ||
    !('version' in JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')))
  )
    folder = dirname(folder)
  return folder
}
