import type { OpenOptions } from '../../options.ts'
import type { ValidationLevel } from '../../safety/validation/level.ts'
import { declare } from '../declaration.ts'
import { present } from '../present.ts'

interface Options {
  readonly tag?: readonly string[]
  readonly parent?: string
  readonly validate?: ValidationLevel
}

export default declare<[directories: string[]], Options>({
  description:
    'Serves agents over the Model Context Protocol on standard input and output: all tools of the reference filesystem server, with every write journaled, and transactions, history and undo besides. Each directory has a journal of its own, made with the first write. Without directories, those that the client names as its roots. Runs until the client ends.',
  arguments: [['[directories...]', 'what clients may read and write; roots of the client take their place']],
  commits: true,
  actor: 'who writes; default: the name of the client',
  examples: [
    ['journal mcp ~/projects/shop', 'as the command of a server in the configuration of a client'],
    ['journal mcp . --validate basic', 'let only files with a right syntax through'],
  ],
  async run(session, [...directories], options) {
    const { serve } = await import('../../agents/mcp/serve.ts')
    const { actor, root } = session.globals
    const journal = present<OpenOptions>({ validation: options.validate })
    const folders = directories.flat()
    await serve(
      {
        ...present<{ actor?: string; tags?: readonly string[]; parent?: string }>({
          actor,
          tags: options.tag,
          parent: options.parent,
        }),
        version: session.program.command.version() ?? '',
        folders: folders.length === 0 && root !== undefined ? [root] : folders,
        journal,
        log: (line) => process.stderr.write(`${line}\n`),
      },
      session.signal,
    )
  },
})
