import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { JOURNAL_FOLDER } from '../../entry/path.ts'
import { declare } from '../declaration.ts'
import { hasJournal } from '../workspace-root.ts'

/** True when the folder is in a git work tree that would list the journal as untracked. */
function wantsIgnoring(root: string): boolean {
  for (let folder = root; ; folder = path.dirname(folder)) {
    if (ignores(path.join(folder, '.gitignore'))) return false
    if (existsSync(path.join(folder, '.git'))) return true
    if (path.dirname(folder) === folder) return false
  }
}

function ignores(file: string): boolean {
  if (!existsSync(file)) return false
  return /^(\/|\*\*\/)?\.journal(\/?|\/\*\*?)\s*$/m.test(readFileSync(file, 'utf8'))
}

export default declare<[], { rebind?: boolean }>({
  description:
    'Makes a journal in the current folder, or in --root, and makes that folder a workspace. Does nothing where there is one already.',
  options: [['--rebind', 'accept a journal that was copied here from another folder']],
  examples: [
    ['journal init', 'make this folder a workspace'],
    ['journal init --root ~/project --rebind', 'after copying a project together with its journal'],
  ],
  async run(session, _args, { rebind }) {
    const { output, globals } = session
    const root = path.resolve(globals.root ?? '.')
    const created = !hasJournal(root)
    await session.open(root, { create: true, ...(rebind ? { rebind } : {}) }, async (journal) => {
      const { seq } = journal.head
      await output.result({ journal: journal.id, root: journal.root, created, seq }, () => [
        created
          ? `Made a journal in ${path.join(journal.root, JOURNAL_FOLDER)}`
          : `There is a journal in ${path.join(journal.root, JOURNAL_FOLDER)} already, with ${seq} transactions`,
      ])
    })
    if (wantsIgnoring(root)) output.note('hint: this is a git work tree: add `.journal/` to .gitignore.')
  },
})
