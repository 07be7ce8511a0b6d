const FILES = {
  journal: './journal.mjs',
  hand: './log-and-rename.mjs',
  place: './log-and-overwrite.mjs',
  floor: './bare-calls.mjs',
  plain: './plain.mjs',
  atomic: './write-file-atomic.mjs',
  database: './sqlite-only.mjs',
  sqlite: './sqlite.mjs',
  store: './lmdb-only.mjs',
  lmdb: './lmdb.mjs',
  agentfs: './agentfs.mjs',
  git: './git.mjs',
}

/** An engine: `name`, and `open(folder)`, which gives `{ batch(files), one(file), close() }`. */
export async function loadEngine(key) {
  const { name, open } = await import(FILES[key])
  return { key, name, open }
}

/** Loads the engines of these keys; one that is not installed here is left out, with a note. */
export async function loadEngines(keys, note) {
  const engines = []
  for (const key of keys) {
    try {
      engines.push(await loadEngine(key))
    } catch (error) {
      if (key === 'journal') throw error
      note(`${key} is left out: ${error.message.split('\n')[0]}`)
    }
  }
  return engines
}
