import { JournalError, shown } from '../../errors.ts'
import { indentAt, invalidLine, lineAt, lineEnd, lineStart, newlineOf, nextLine, startsLine } from '../place.ts'
import { type Splice, spliced } from '../splice.ts'
import type { ImportChange } from './import-change.ts'
import { type PythonBinding, type PythonImport, type PythonSource, readPython } from './python-source.ts'

/**
 * A Python file with imports added and removed, in its own style. What is imported already is not imported twice.
 * @throws JournalError `INVALID` with the line: a file that cannot be read, a name that is taken
 */
export function changedPython(text: string, changes: readonly ImportChange[], path: string): string {
  let source = readPython(text, path)
  const apply = (splices: readonly Splice[]): void => {
    if (splices.length > 0) source = readPython(spliced(source.text, splices), path)
  }
  for (const change of changes) {
    if ('remove' in change && !/^(?:import|from)\s/.test(change.remove.trim())) {
      for (const one of modulesIn(source, change.remove.trim(), path)) apply(one(source))
      continue
    }
    for (const wanted of statementsIn('add' in change ? change.add : change.remove, path)) {
      for (const binding of wanted.bindings) {
        apply('add' in change ? added(source, wanted, binding, path) : removed(source, wanted, binding, path))
      }
    }
  }
  return source.text
}

function statementsIn(said: string, path: string): readonly PythonImport[] {
  const trimmed = said.trim()
  let read: PythonSource | undefined
  try {
    read = readPython(trimmed, path)
  } catch (error) {
    if (!(error instanceof JournalError)) throw error
  }
  if (read !== undefined && read.imports.length > 0 && read.imports.length === read.statements.length)
    return read.imports
  throw new JournalError('INVALID', `${JSON.stringify(said.slice(0, 200))} is no import statement`, {
    hint: 'Write it as it would stand in the file: from module import name.',
    path,
  })
}

/** Removals, one after another, of all that is imported from a module. */
function modulesIn(source: PythonSource, module: string, path: string): ((now: PythonSource) => Splice[])[] {
  const isOf = (one: PythonImport, binding: PythonBinding): boolean =>
    one.module === null ? binding.name === module : one.module === module
  const found = source.imports
    .filter(({ level }) => level !== 'inner')
    .flatMap((one) => one.bindings.filter((binding) => isOf(one, binding)).map((binding) => ({ one, binding })))
  if (found.length === 0) throw missing(path, `nothing is imported from ${shown(module)}`)
  return found.map(
    ({ one, binding }) =>
      (now) =>
        removed(now, one, binding, path),
  )
}

function missing(path: string, what: string): JournalError {
  return new JournalError('INVALID', `${path}: ${what}`, {
    hint: 'Read its imports again. Leave the change out where it may be done already.',
    path,
  })
}

function sameBinding(one: PythonBinding, other: PythonBinding): boolean {
  return one.name === other.name && one.local === other.local
}

function statementText(module: string | null, { name, local, renamed }: PythonBinding): string {
  const said = renamed ? `${name} as ${local}` : name
  return module === null ? `import ${said}` : `from ${module} import ${said}`
}

function added(source: PythonSource, wanted: PythonImport, binding: PythonBinding, path: string): Splice[] {
  const seen = source.imports.filter(({ level }) => level !== 'inner')
  for (const one of seen) {
    for (const item of one.bindings) {
      if (one.module === wanted.module && sameBinding(item, binding)) return []
      const together = one.module === null && wanted.module === null && !item.renamed && !binding.renamed
      if (item.local === binding.local && item.name !== '*' && !together) {
        const from = one.module ?? item.name
        throw invalidLine(
          path,
          lineAt(source.text, item.from),
          `${item.local} is imported from ${shown(from)}`,
          'Give it another name: a as b.',
        )
      }
    }
  }
  const home = seen.find(
    (one) =>
      one.level === 'top' && one.module !== null && one.module === wanted.module && one.bindings[0]?.name !== '*',
  )
  if (home !== undefined && binding.name !== '*') return besideOthers(source, home, binding)
  return newStatement(source, wanted.module ?? binding.name, statementText(wanted.module, binding))
}

function besideOthers({ text }: PythonSource, home: PythonImport, binding: PythonBinding): Splice[] {
  const said = binding.renamed ? `${binding.name} as ${binding.local}` : binding.name
  const names = home.bindings.map(({ name }) => name)
  const sorted =
    names.length > 1 && names.every((name, index) => index === 0 || order(names[index - 1] ?? '', name) <= 0)
  const after = sorted ? home.bindings.find(({ name }) => order(name, binding.name) > 0) : undefined
  const last = home.bindings.at(-1) as PythonBinding
  const broken = startsLine(text, last.from)
  const between = broken && home.close !== undefined ? newlineOf(text) + indentAt(text, last.from) : ' '
  const free = after !== undefined && (startsLine(text, after.from) || !broken)
  if (after !== undefined && free && !(broken && home.close === undefined)) {
    return [{ from: after.from, to: after.from, text: `${said},${between}` }]
  }
  const comma = /^\s*,/.exec(text.slice(last.to, home.close ?? last.to))?.[0].length
  if (!broken || home.close === undefined) {
    const at = last.to + (comma ?? 0)
    return [{ from: at, to: at, text: comma === undefined ? `, ${said}` : ` ${said},` }]
  }
  const at = Math.min(lineEnd(text, last.to + (comma ?? 0)), startsLine(text, home.close) ? text.length : home.close)
  const line = { from: at, to: at, text: between + said + (comma === undefined ? '' : ',') }
  return comma === undefined ? [{ from: last.to, to: last.to, text: ',' }, line] : [line]
}

function order(a: string, b: string): number {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()]
  return x < y ? -1 : x > y ? 1 : 0
}

/** `__future__`, then other modules, then those of the package itself. */
function rankOf(module: string | null): number {
  if (module === '__future__') return 0
  return module?.startsWith('.') ? 2 : 1
}

function newStatement(source: PythonSource, module: string, statement: string): Splice[] {
  const { text } = source
  const newline = newlineOf(text)
  const head = headImports(source)
  const rank = rankOf(module)
  const ofModule = (one: PythonImport): string => one.module ?? one.bindings[0]?.name ?? ''
  const family = head.findLast(
    (one) => rankOf(one.module) === 1 && rank === 1 && ofModule(one).split('.')[0] === module.split('.')[0],
  )
  const before =
    family ?? head.findLast((one) => rankOf(one.module) === rank) ?? head.findLast((one) => rankOf(one.module) < rank)
  if (before !== undefined) {
    const at = lineEnd(text, before.to)
    const gap = rankOf(before.module) === rank ? newline : newline.repeat(2)
    return [{ from: at, to: at, text: gap + statement }]
  }
  const [first] = head
  if (first !== undefined) {
    const gap = newline.repeat(rankOf(first.module) === rank ? 1 : 2)
    return [{ from: first.from, to: first.from, text: statement + gap }]
  }
  const at = afterHeader(source)
  const rest = text.slice(at)
  const before1 = at > 0 && text[at - 1] !== '\n' ? newline : ''
  const blank =
    at > 0 && source.statements[0] !== undefined && source.statements[0].to <= at && !/\n\r?\n$/.test(text.slice(0, at))
      ? newline
      : ''
  const after = rest.trim() === '' ? '' : newline
  return [
    { from: at, to: at, text: before1 + blank + statement + (before1 === '' || rest !== '' ? newline : '') + after },
  ]
}

/** Imports at the top level before the first function or class. */
function headImports({ text, statements, imports }: PythonSource): readonly PythonImport[] {
  const code = statements.find(({ from }) => /^(?:(?:async\s+)?def|class)\b|^@/.test(text.slice(from, from + 20)))
  return imports.filter(({ level, from, shared }) => level === 'top' && !shared && from < (code?.from ?? text.length))
}

/** Behind an interpreter line, an encoding, the comments that speak of the whole file, and its docstring. */
function afterHeader({ text, statements }: PythonSource): number {
  const [first] = statements
  if (
    first !== undefined &&
    first.indent === 0 &&
    /^(?:[rRuU]?["'])/.test(text.slice(first.from, first.from + 2)) &&
    !first.shared
  ) {
    return past(text, first.to)
  }
  const limit = first?.from ?? text.length
  let header = 0
  let line = 0
  for (let number = 1; line < limit; number += 1) {
    const words = text.slice(line, lineEnd(text, line)).trim()
    const next = nextLine(text, line)
    const early = number <= 2 && (/^#!/.test(words) || /^#.*coding[:=]/.test(words))
    if (
      early ||
      (words === '' && line > 0) ||
      /^#.*(?:licen[cs]e|copyright|SPDX|ruff|flake8|pylint|mypy|type:)/i.test(words)
    )
      header = next
    if (next === line || next === text.length) break
    line = next
  }
  return first === undefined ? text.length : Math.min(header, lineStart(text, limit))
}

/** Behind the blank lines after a statement, where there are any. */
function past(text: string, offset: number): number {
  let at = nextLine(text, offset)
  while (at < text.length && text.slice(at, lineEnd(text, at)).trim() === '') at = nextLine(text, at)
  return at
}

function removed(source: PythonSource, wanted: PythonImport, binding: PythonBinding, path: string): Splice[] {
  const { text } = source
  const found = source.imports
    .filter(({ level, module }) => level !== 'inner' && module === wanted.module)
    .flatMap((one) => one.bindings.filter((item) => sameBinding(item, binding)).map((item) => ({ one, item })))
  const at = found.find(({ one }) => one.level === 'top') ?? found[0]
  if (at === undefined) {
    throw missing(
      path,
      `${binding.local} is not imported${wanted.module === null ? '' : ` from ${shown(wanted.module)}`}`,
    )
  }
  const { one, item } = at
  if (one.level !== 'top') {
    const what = `${binding.local} is imported in a block`
    throw invalidLine(path, lineAt(text, item.from), what, 'Change it as text: the block may have nothing else.')
  }
  return one.bindings.length === 1 ? withoutStatement(source, one) : withoutName(text, one, item)
}

function withoutName(text: string, one: PythonImport, item: PythonBinding): Splice[] {
  const index = one.bindings.indexOf(item)
  const [previous, next] = [one.bindings[index - 1], one.bindings[index + 1]]
  const comma = /^\s*,/.exec(text.slice(item.to, one.to))?.[0].length ?? 0
  const rest = text.slice(item.to + comma, lineEnd(text, item.to + comma)).trim()
  if (one.close !== undefined && startsLine(text, item.from) && (rest === '' || rest.startsWith('#'))) {
    return [{ from: lineStart(text, item.from), to: nextLine(text, item.to + comma), text: '' }]
  }
  if (next !== undefined) return [{ from: item.from, to: next.from, text: '' }]
  return [{ from: previous?.to ?? item.from, to: item.to, text: '' }]
}

/** A statement goes with its lines and the comment beside it, and with the blank lines after it where it was the only one. */
function withoutStatement({ text, imports }: PythonSource, one: PythonImport): Splice[] {
  if (one.shared) {
    const after = /^[ \t]*;[ \t]*/.exec(text.slice(one.to))?.[0].length
    if (after !== undefined) return [{ from: one.from, to: one.to + after, text: '' }]
    const before = /[ \t]*;[ \t]*$/.exec(text.slice(0, one.from))?.[0].length ?? 0
    return [{ from: one.from - before, to: one.to, text: '' }]
  }
  const from = lineStart(text, one.from)
  const open = from === 0 || text.slice(lineStart(text, from - 1), from).trim() === ''
  const to = imports.length === 1 && open ? past(text, one.to) : nextLine(text, one.to)
  return [{ from, to, text: '' }]
}
