import type { BuildReport } from '../../agents/builder/build-module.ts'
import type { ModuleSpec } from '../../agents/builder/module-spec.ts'
import { declare } from '../declaration.ts'
import { counted } from '../measure.ts'
import { printable } from '../printable.ts'
import { receiptText } from '../receipt-text.ts'
import type { MetaOptions } from '../session.ts'
import { structuredFile } from '../structured-file.ts'

interface Options extends MetaOptions {
  readonly overwrite?: boolean
  readonly dryRun?: boolean
}

function dryRunLines({ files, check }: BuildReport): string[] {
  const reasons = (check?.checks ?? []).flatMap((each) => each.reasons).map(({ message }) => `  ${printable(message)}`)
  const verdict = check?.ok === false ? 'would be refused' : 'would write'
  const lines = files.map(({ path, bytes, from, overwritten }) => {
    return `  ${overwritten ? 'M' : 'A'} ${printable(path)}  ${bytes} bytes, ${printable(from)}`
  })
  return [`${verdict} ${counted(files.length, 'file')}:`, ...lines, ...reasons]
}

export default declare<[spec: string], Options>({
  description:
    'Writes a module of files from a spec (JSON or YAML), as one transaction: all of them, with a right syntax, or none. Files that are there already are refused, all of them named.',
  arguments: [['<spec>', 'the spec; `-` for standard input']],
  options: [
    ['--overwrite', 'write over files that are there'],
    ['--dry-run', 'only say what would be written, and whether it would pass'],
  ],
  commits: true,
  examples: [
    ['journal build shapes.yaml --dry-run', 'what would it write?'],
    ['journal build shapes.yaml -m "shapes"', 'write it'],
  ],
  async run(session, [file], { overwrite = false, dryRun = false, ...options }) {
    session.requireWorkspace()
    const spec = (await structuredFile(session, file)) as ModuleSpec
    const { buildModule } = await import('../../agents/builder/build-module.ts')
    await session.write(async (journal) => {
      const report = await buildModule(journal, spec, { ...session.meta(options), overwrite, dryRun })
      const { receipt, check } = report
      await session.output.result(report, () =>
        receipt === null ? dryRunLines(report) : receiptText(receipt, session.output),
      )
      if (check?.ok === false) session.exitCode = 1
    })
  },
})
