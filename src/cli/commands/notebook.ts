import { createReadStream } from 'node:fs'
import { text as textOf } from 'node:stream/consumers'
import type { CellEdit, CellName, CellType } from '../../edit/cell-edit.ts'
import type { Encoding } from '../../edit/text.ts'
import { asJournalError, JournalError } from '../../errors.ts'
import type { TextOptions } from '../../transaction/operation-options.ts'
import { conditionOf, declare, encodingName, expectation, oneOf, whole } from '../declaration.ts'
import { UsageError } from '../failure.ts'
import { present } from '../present.ts'
import { printReceipt } from '../receipt-text.ts'
import { printRehearsal } from '../revision-text.ts'
import type { MetaOptions, Session } from '../session.ts'
import { standardInput } from '../standard-input.ts'

interface Options extends MetaOptions {
  readonly cells?: string
  readonly cell?: string
  readonly at?: number
  readonly source?: string
  readonly type?: CellType
  readonly insert?: boolean
  readonly delete?: boolean
  readonly encoding?: Encoding
  readonly expect?: string
  readonly dryRun?: boolean
}

export default declare<[path: string], Options>({
  description:
    'Replaces, inserts and deletes cells of a Jupyter notebook as one transaction. Other cells stay byte for byte. A code cell that gets another source loses its outputs.',
  arguments: [['<path>', 'the notebook']],
  options: [
    ['--cells <file>', 'a list of cell edits in JSON; `-` for standard input'],
    ['--cell <id>', 'the cell with this id'],
    ['--at <number>', 'the cell at this place, from 0', whole],
    ['--source <text>', 'what the cell says; `-` for standard input'],
    ['--type <type>', 'code, markdown or raw: of a new cell, or what a cell becomes', oneOf('code', 'markdown', 'raw')],
    ['--insert', 'a new cell, after the one named, or at the start'],
    ['--delete', 'delete the cell'],
    ['--encoding <name>', 'of a file that is not UTF-8: utf-16le, utf-16be, latin1', encodingName],
    ['--expect <hash>', 'only if the content there now has this SHA-256', expectation],
    ['--dry-run', 'only say what would be changed'],
  ],
  commits: true,
  examples: [
    ['journal notebook plot.ipynb --at 2 --source "plot(data)"', 'another source for the third cell'],
    ['journal notebook plot.ipynb --insert --type markdown --source "# Plots"', 'a new first cell'],
    ['journal notebook plot.ipynb --cells edits.json', 'many at once'],
  ],
  async run(session, [path], options) {
    const cells = options.cells === undefined ? [await editOf(session, options)] : await listOf(session, options)
    const how = { ...conditionOf(options), ...present<TextOptions>({ encoding: options.encoding }) }
    await session.write(async (journal) => {
      if (options.dryRun) {
        const rehearsal = journal.begin(session.meta(options))
        await printRehearsal([await rehearsal.notebook(session.path(path), cells, how)], session.output)
        return rehearsal.abort()
      }
      const receipt = await journal.notebook(session.path(path), cells, { ...session.meta(options), ...how })
      await printReceipt(receipt, session.output)
    })
  },
})

async function editOf(session: Session, options: Options): Promise<CellEdit> {
  const { type, source, insert, at } = options
  if (options.cell !== undefined && at !== undefined)
    throw new UsageError('--cell and --at both name a cell', 'Give one of them.')
  const cell: CellName | undefined = options.cell ?? at
  if (options.delete) {
    if (insert || cell === undefined) throw new UsageError('--delete needs a cell', 'Name it with --cell or --at.')
    return { edit: 'delete', cell }
  }
  if (source === undefined) throw new UsageError('the cell has no source', 'Give --source, --delete or --cells.')
  const said = source === '-' ? await textOf(await standardInput(session)) : source
  if (insert) {
    if (type === undefined) throw new UsageError('a new cell needs a type', 'Give --type code, markdown or raw.')
    return { edit: 'insert', type, source: said, ...(cell === undefined ? {} : { after: cell }) }
  }
  if (cell === undefined) throw new UsageError('which cell?', 'Name it with --cell or --at, or make one with --insert.')
  return { cell, source: said, ...(type === undefined ? {} : { type }) }
}

async function listOf(session: Session, { cells = '-', cell, at, source }: Options): Promise<CellEdit[]> {
  if ((cell ?? at ?? source) !== undefined)
    throw new UsageError('--cells says it all', 'Leave --cell, --at and --source out.')
  const said = await textOf(cells === '-' ? await standardInput(session) : createReadStream(cells)).catch(
    (error: unknown) => {
      throw asJournalError(error, `reading ${cells}`, cells)
    },
  )
  try {
    return JSON.parse(said) as CellEdit[]
  } catch (cause) {
    throw new JournalError('INVALID', `${cells === '-' ? 'standard input' : cells} is not JSON`, {
      hint: 'Give a list: [{"cell":"id","source":"…"}].',
      cause,
    })
  }
}
