#!/usr/bin/env node
'use strict'
// The command's entry. What the parts were compiled to is kept beside them, for the version of V8 that built the package: compiling them takes a fifth of
// the time of a short command (docs/performance.md). Another version compiles them as usual.
const { existsSync, readFileSync } = require('node:fs')
const Module = require('node:module')
const { basename, dirname, join } = require('node:path')

const folder = join(__dirname, 'code', `${process.versions.v8}-${process.platform}-${process.arch}`)
if (existsSync(folder)) {
  const { Script, constants } = require('node:vm')
  const compile = Module.prototype._compile
  Module.prototype._compile = function (content, filename, ...rest) {
    const kept = join(folder, `${basename(filename)}.code`)
    if (dirname(filename) !== __dirname || !existsSync(kept)) return compile.call(this, content, filename, ...rest)
    const script = new Script(Module.wrap(content), {
      filename,
      cachedData: readFileSync(kept),
      importModuleDynamically: constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    })
    const require = Module.createRequire(filename)
    return script.runInThisContext().call(this.exports, this.exports, require, this, filename, dirname(filename))
  }
}
require('./program.js')
