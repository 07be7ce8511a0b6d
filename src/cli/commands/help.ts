import type { Command } from 'commander'
import { declare } from '../declaration.ts'
import { UsageError } from '../failure.ts'

/** What `help --json` prints for a command. */
function commandObject(command: Command): Record<string, unknown> {
  return {
    name: command.name(),
    summary: command.summary(),
    description: command.description(),
    usage: `journal ${command.name()} ${command.usage()}`,
    arguments: command.registeredArguments.map((argument) => {
      return {
        name: argument.name(),
        description: argument.description,
        required: argument.required,
        many: argument.variadic,
      }
    }),
    options: command.options.map(({ flags, description, mandatory }) => ({ flags, description, required: mandatory })),
  }
}

export default declare<[name: string | undefined]>({
  description: 'Explains a command, or lists them all.',
  arguments: [['[command]', 'the command to explain']],
  examples: [
    ['journal help commit', 'how to use commit'],
    ['journal help --json', 'every command with its options, for a program'],
  ],
  async run({ output, program }, [name]) {
    const { command: top } = program
    const command = name === undefined ? top : top.commands.find((candidate) => candidate.name() === name)
    if (command === undefined) throw new UsageError(`unknown command '${name}'`, 'Run `journal help` for the commands.')
    if (output.json) {
      await program.declareAll()
      return output.object(name === undefined ? { commands: top.commands.map(commandObject) } : commandObject(command))
    }
    await program.declare(command)
    command.outputHelp()
  },
})
