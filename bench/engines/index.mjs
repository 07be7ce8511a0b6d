const FILES = {
  journal: './journal.mjs',
  atomic: './write-file-atomic.mjs',
  plain: './plain.mjs',
  sqlite: './sqlite.mjs',
  lmdb: './lmdb.mjs',
}

/** Loads the engines of these keys; one that is not installed here is left out, with a note. */
export async function loadEngines(keys, note) {
  const engines = []
  for (const key of keys) {
    try {
      const engine = await import(FILES[key])
      engines.push({ key, name: engine.name, open: engine.open })
    } catch (error) {
      if (key === 'journal') throw error
      note(`${key} is left out: ${error.message.split('\n')[0]}`)
    }
  }
  return engines
}
