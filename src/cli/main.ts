#!/usr/bin/env node
import { run } from './program.ts'

// No `await` here: the bundle is CommonJS.
run(process.argv.slice(2)).then((code) => process.exit(code))
