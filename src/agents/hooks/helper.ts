/** The process that has a workspace's journal at hand while a runtime works there: `node helper.js ROOT`. It ends by itself. */
import { HookHelper } from './hook-helper.ts'

const [root] = process.argv.slice(2)
// Nobody reads what it prints, and nobody waits for it.
if (root !== undefined)
  HookHelper.run(root).then(
    () => process.exit(0),
    () => process.exit(1),
  )
