/**
 * Puts the command line, with the packages it uses, into a few files: a command starts in half the time when it has not to find and read two hundred
 * (docs/performance.md). What is loaded on demand stays in files of its own; native code stays in its packages. The library is left as it is.
 */
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import { rolldown } from 'rolldown'
import { keepCode } from './code-cache.mjs'

const PROJECT = resolve(import.meta.dirname, '..')
const CLI = join(PROJECT, 'dist/cli')
const FRESH = join(PROJECT, 'dist/cli.new')
/** They find their native parts by where they stand. */
const NATIVE = ['classic-level/binding.js', 'fs-native-extensions']
/** What commander takes for commands that are programs of their own; there are none. Node takes three milliseconds to load it. */
const LATE = '\0child-process'
const LATE_CODE = "module.exports = { spawn: (...given) => require('node:child_process').spawn(...given) }"

const bundle = await rolldown({
  // Threads, and the helper of the hooks, are begun by the names of their files.
  input: {
    program: join(CLI, 'main.js'),
    'parser-thread': join(PROJECT, 'dist/safety/validation/parser-thread.js'),
    'hash-thread': join(PROJECT, 'dist/capture/hash-thread.js'),
    helper: join(PROJECT, 'dist/agents/hooks/helper.js'),
  },
  platform: 'node',
  external: (id) => id.startsWith('node:') || NATIVE.includes(id),
  plugins: [{ name: 'native-parts', resolveId, load }],
})
// Half as much to read and to compile; and as CommonJS, which Node loads at once, where it takes turns for each ES module.
const { output } = await bundle.write({
  dir: FRESH,
  format: 'cjs',
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
  minify: true,
})
writeFileSync(join(FRESH, 'package.json'), '{ "type": "commonjs" }\n')
await bundle.close()
writeFileSync(join(FRESH, 'LICENSES.txt'), licenses(output.flatMap(({ moduleIds = [] }) => moduleIds)))
copyFileSync(join(import.meta.dirname, 'loader.cjs'), join(FRESH, 'main.js'))
const program = join(FRESH, 'program.js')
writeFileSync(program, readFileSync(program, 'utf8').replace(/^#!.*\n/, ''))
rmSync(CLI, { recursive: true })
// Its packages come with the bundle and with nothing else, so the library could not load it.
rmSync(join(PROJECT, 'dist/agents/mcp'), { recursive: true })
renameSync(FRESH, CLI)
keepCode(CLI)

function resolveId(id, from) {
  if (id === 'node:child_process' && from?.includes(`commander${sep}`)) return LATE
  if (id === './binding' && from?.includes(`classic-level${sep}`)) return { id: NATIVE[0], external: true }
  // The other form of it asks for its parts in a way that cannot be bundled.
  if (id === 'jsonc-parser') return { id: join(PROJECT, 'node_modules/jsonc-parser/lib/esm/main.js') }
  // Without its native part, which takes longer to load than it saves.
  return id === 'msgpackr' ? { id: join(PROJECT, 'node_modules/msgpackr/index.js') } : null
}

function load(id) {
  return id === LATE ? LATE_CODE : null
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
