import type { Sight } from '../../../transaction/guard.ts'
import type { Flaw, Reference } from '../findings.ts'
import { problemWithFile } from './file.ts'
import { type Anchors, problemWithLink } from './link.ts'
import { problemWithPythonModule } from './python.ts'
import { problemWithModule } from './script.ts'

/** References of a file that lead nowhere, in a workspace as the sight has it. */
export async function unresolved(
  sight: Sight,
  path: string,
  references: readonly Reference[],
  anchors: Anchors,
): Promise<Flaw[]> {
  const flaws: Flaw[] = []
  for (const reference of references) {
    const message = await problemWith(sight, path, reference, anchors)
    if (message === null) continue
    const { line, column, excerpt } = reference
    flaws.push({ message, line, column, excerpt })
  }
  return flaws
}

async function problemWith(
  sight: Sight,
  from: string,
  { kind, target }: Reference,
  anchors: Anchors,
): Promise<string | null> {
  switch (kind) {
    case 'module':
      return problemWithModule(sight, from, target)
    case 'python':
      return problemWithPythonModule(sight, from, target)
    case 'link':
      return problemWithLink(sight, from, target, anchors)
    case 'file':
      return problemWithFile(sight, from, target)
  }
}
