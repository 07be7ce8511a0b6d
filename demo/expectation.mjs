/**
 * What lodash-es must look like after the refactoring, worked out on a map in memory, without the journal and without
 * the code that carries the refactoring out: the demo compares every file with it, byte for byte.
 *
 * The refactoring: private modules (`_baseGet.js`) move to `internal/` and lose their underscore, every import follows;
 * `isArrayLike` becomes `isListLike` everywhere; the `*.default.js` bundles go; two notes are added; LICENSE becomes read-only.
 */
export const NOTES = {
  'internal/README.md': '# Internal modules\n\nNothing in this folder is part of the public interface.\n',
  'MIGRATION.md':
    '# Migrating\n\n- `import _ from` is gone; import functions by name.\n- `isArrayLike` is now called `isListLike`.\n',
}

export function expectation(original, folderMode) {
  const after = new Map()
  after.set('internal/', { kind: 'folder', bytes: null, mode: folderMode })
  for (const [path, file] of original) {
    if (path.endsWith('.default.js')) continue
    if (!path.endsWith('.js')) {
      after.set(path, path === 'LICENSE' ? { ...file, mode: 0o444 } : file)
      continue
    }
    const from = moduleOf(path)
    const lines = file.bytes.toString('utf8').split('\n')
    const kept = lines.filter((line) => !/^export \{ default \} from '\.\/\w+\.default\.js';$/.test(line))
    const text = kept.map((line) => respell(line, from.internal)).join('\n')
    after.set(from.path, { ...file, bytes: Buffer.from(text) })
  }
  for (const [path, text] of Object.entries(NOTES)) {
    after.set(path, { kind: 'file', bytes: Buffer.from(text), mode: 0o644 })
  }
  return after
}

/** Where a module of the old tree stands in the new one. */
function moduleOf(path) {
  const internal = path.startsWith('_')
  const name = (internal ? path.slice(1) : path).replace(/\bisArrayLike\b/, 'isListLike')
  return { internal, path: internal ? `internal/${name}` : name }
}

function respell(line, fromInternal) {
  const moved = line.replace(/ from '\.\/([\w.]+)';$/, (_, name) => {
    const target = moduleOf(name)
    const up = fromInternal && !target.internal ? '../' : './'
    return ` from '${up}${fromInternal && target.internal ? target.path.slice('internal/'.length) : target.path}';`
  })
  return moved.replace(/\bisArrayLike\b/g, 'isListLike')
}
