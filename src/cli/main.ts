#!/usr/bin/env node
import { isatty } from 'node:tty'

const [command, ...more] = process.argv.slice(2)

/** Hooks are called before and after every tool: they get by without the command line. */
const isHook = command === 'hook' && (more.length === 0 || (more.length === 1 && more[0] === '--init'))

// No `await` here: the bundle is CommonJS.
if (isHook && !isatty(0)) {
  import('../agents/hooks/hook.ts')
    .then(({ answerHook }) => answerHook({ init: more.length === 1 }))
    .then(() => process.exit(0))
} else {
  import('./program.ts').then(({ run }) => run(process.argv.slice(2))).then((code) => process.exit(code))
}
