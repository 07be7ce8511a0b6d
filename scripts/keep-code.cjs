'use strict'
// Loaded before the command (`node -r`) when the package is built: keeps what its parts were compiled to, lazily compiled functions included, in the folder
// that KEEP_CODE names. See loader.cjs.
const { existsSync, readFileSync, writeFileSync } = require('node:fs')
const Module = require('node:module')
const { basename, dirname, join } = require('node:path')
const { Script, constants } = require('node:vm')

const folder = process.env.KEEP_CODE
const parts = join(folder, '..', '..')
const scripts = new Map()
const compile = Module.prototype._compile
Module.prototype._compile = function (content, filename, ...rest) {
  if (dirname(filename) !== parts) return compile.call(this, content, filename, ...rest)
  const kept = join(folder, `${basename(filename)}.code`)
  const script = new Script(Module.wrap(content), {
    filename,
    ...(existsSync(kept) ? { cachedData: readFileSync(kept) } : {}),
    importModuleDynamically: constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
  scripts.set(kept, script)
  const require = Module.createRequire(filename)
  return script.runInThisContext().call(this.exports, this.exports, require, this, filename, dirname(filename))
}
process.on('exit', () => {
  for (const [kept, script] of scripts) writeFileSync(kept, script.createCachedData())
})
