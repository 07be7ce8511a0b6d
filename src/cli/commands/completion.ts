import { completionScript, isShell, SHELLS } from '../completion-script.ts'
import { declare } from '../declaration.ts'
import { UsageError } from '../failure.ts'

export default declare<[shell: string]>({
  description: 'Prints a script that makes a shell complete commands, options and paths.',
  arguments: [['<shell>', SHELLS.join(', ')]],
  examples: [
    ['source <(journal completion bash)', 'bash: put this line into ~/.bashrc'],
    ['journal completion zsh > ~/.zfunc/_journal', 'zsh: a file in a folder of fpath'],
    ['journal completion fish > ~/.config/fish/completions/journal.fish', 'fish'],
  ],
  async run({ output, program }, [shell]) {
    if (!isShell(shell)) throw new UsageError(`unknown shell '${shell}'`, `Known are ${SHELLS.join(', ')}.`)
    await program.declareAll()
    const script = completionScript(shell, program.command)
    if (output.json) return output.object({ shell, script })
    await output.write(script)
  },
})
