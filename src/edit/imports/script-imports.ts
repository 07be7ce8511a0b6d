import { JournalError, shown } from '../../errors.ts'
import { indentAt, invalidLine, lineAt, lineEnd, lineStart, newlineOf, nextLine, startsLine } from '../place.ts'
import { type Splice, spliced } from '../splice.ts'
import type { ImportChange } from './import-change.ts'
import { type ScriptForm, scriptForm, specifierText, statementText } from './script-form.ts'
import {
  readScript,
  readStatements,
  type ScriptBinding,
  type ScriptImport,
  type ScriptSource,
} from './script-source.ts'

/**
 * A JavaScript or TypeScript file with imports added and removed, in its own style. What is imported already is not imported twice.
 * @throws JournalError `INVALID` with the line: a file that cannot be read, a name that is taken
 */
export async function changedScript(text: string, changes: readonly ImportChange[], path: string): Promise<string> {
  let source = await readScript(text, path)
  const { mistakes } = source
  const apply = async (splices: readonly Splice[]): Promise<void> => {
    if (splices.length > 0) source = await readScript(spliced(source.text, splices), path)
  }
  for (const change of changes) {
    if ('remove' in change && !/^import\b/.test(change.remove.trim())) {
      const module = change.remove.trim().replace(/^(['"])(.*)\1$/, '$2')
      const count = source.imports.filter(({ from }) => from === module).length
      if (count === 0) throw missing(path, `nothing is imported from ${shown(module)}`)
      for (let left = count; left > 0; left -= 1) {
        const found = source.imports.find(({ from }) => from === module)
        if (found !== undefined) await apply(withoutStatement(source, found))
      }
      continue
    }
    const said = await readStatements('add' in change ? change.add : change.remove, path)
    for (const wanted of said.imports) {
      for (const binding of wanted.bindings) {
        await apply(
          'add' in change ? added(source, said, wanted, binding, path) : removed(source, wanted, binding, path),
        )
      }
    }
  }
  const [fresh] = source.mistakes.filter(({ message }) => mistakes.every((mistake) => mistake.message !== message))
  if (fresh === undefined) return source.text
  throw invalidLine(path, fresh.line, `with that import: ${fresh.message}`, 'Choose another name for it.')
}

function missing(path: string, what: string): JournalError {
  return new JournalError('INVALID', `${path}: ${what}`, {
    hint: 'Read its imports again. Leave the change out where it may be done already.',
    path,
  })
}

function sameModule(one: ScriptImport, other: ScriptImport): boolean {
  return one.from === other.from && one.attributes === other.attributes
}

function added(
  source: ScriptSource,
  said: ScriptSource,
  wanted: ScriptImport,
  binding: ScriptBinding,
  path: string,
): Splice[] {
  if (path.endsWith('.cjs')) {
    throw new JournalError('INVALID', `${path} is a CommonJS file, which has no import statements`, {
      hint: 'Add a require as text.',
      path,
    })
  }
  const own = source.imports.filter((one) => sameModule(one, wanted))
  const bound = source.imports.flatMap((one) => one.bindings.map((item) => ({ one, item })))
  if (binding.kind === 'effect') {
    if (own.some(({ type }) => !type)) return []
  } else {
    const taken = bound.find(({ item }) => item.local === binding.local)
    if (taken !== undefined) {
      const same = sameModule(taken.one, wanted) && taken.item.kind === binding.kind && taken.item.name === binding.name
      if (!same) {
        const line = lineAt(source.text, taken.one.node.start ?? 0)
        throw invalidLine(
          path,
          line,
          `${binding.local} is imported from ${shown(taken.one.from)}`,
          'Give it another name: a as b.',
        )
      }
      if (binding.type || !taken.item.type) return []
      return asValue(source, taken.one, taken.item)
    }
    const declared = source.declared.get(binding.local)
    if (declared !== undefined) {
      const line = lineAt(source.text, declared)
      throw invalidLine(path, line, `${binding.local} has already been declared`, 'Give it another name: a as b.')
    }
    if (binding.type && !source.typed) {
      throw new JournalError('INVALID', `${path} is JavaScript, which has no imports of types`, {
        hint: 'Leave type out.',
        path,
      })
    }
  }
  const form = scriptForm(source, said)
  const home = homeOf(source, own, wanted, binding)
  if (home !== undefined) return besideOthers(source, home, binding, form)
  return newStatement(source, wanted, statementText(binding, wanted.from, wanted.attributes, form, !wanted.type))
}

/** A name that was imported as a type alone is needed as a value. */
function asValue(source: ScriptSource, one: ScriptImport, binding: ScriptBinding): Splice[] {
  const { text } = source
  const { node } = one
  const from = node.start ?? 0
  if (one.type) {
    // The others of the statement stay types: each says so by itself.
    const keyword = /^import(\s+)type\b/.exec(text.slice(from, node.end ?? 0))
    if (keyword === null) return []
    const others = node.specifiers.filter((specifier) => specifier.local.name !== binding.local)
    const marks = others
      .filter(({ type }) => type === 'ImportSpecifier')
      .map(({ start }) => ({ from: start ?? 0, to: start ?? 0, text: 'type ' }))
    return [{ from: from + 'import'.length, to: from + keyword[0].length, text: '' }, ...marks]
  }
  const specifier = node.specifiers.find(({ local }) => local.name === binding.local)
  const start = specifier?.start ?? 0
  const mark = /^type\s+/.exec(text.slice(start))
  return mark === null ? [] : [{ from: start, to: start + mark[0].length, text: '' }]
}

/** The statement that a name can join. */
function homeOf(
  source: ScriptSource,
  own: readonly ScriptImport[],
  wanted: ScriptImport,
  binding: ScriptBinding,
): ScriptImport | undefined {
  const has = (one: ScriptImport, kind: ScriptBinding['kind']): boolean =>
    one.bindings.some((item) => item.kind === kind)
  const values = own.filter(({ type, node }) => !type && (node.phase ?? null) === null)
  const plain = values.filter((one) => !has(one, 'effect') && !has(one, 'namespace'))
  if (binding.kind === 'name' && binding.type) {
    const types = own.find((one) => one.type && !has(one, 'default') && !has(one, 'namespace'))
    if (types !== undefined) return types
    const inline = !wanted.type || source.imports.some((one) => !one.type && one.bindings.some(({ type }) => type))
    return inline ? plain.find((one) => has(one, 'name')) : undefined
  }
  if (binding.kind === 'name') return plain.find((one) => has(one, 'name')) ?? plain.find((one) => has(one, 'default'))
  if (binding.kind === 'default' && !binding.type) {
    return plain.find((one) => has(one, 'name') && !has(one, 'default'))
  }
  return undefined
}

function besideOthers(source: ScriptSource, home: ScriptImport, binding: ScriptBinding, form: ScriptForm): Splice[] {
  const { text } = source
  const { node } = home
  const names = node.specifiers.filter(({ type }) => type === 'ImportSpecifier')
  const written = specifierText(binding, form, binding.type && !home.type)
  const [first] = names
  const last = names.at(-1)
  if (binding.kind === 'default') {
    const brace = text.indexOf('{', node.start ?? 0)
    return [{ from: brace, to: brace, text: `${binding.local}, ` }]
  }
  if (first === undefined || last === undefined) {
    const at = node.specifiers.at(-1)?.end ?? 0
    return [{ from: at, to: at, text: `, {${form.padding}${written}${form.padding}}` }]
  }
  const keys = names.map((item) => (item.type === 'ImportSpecifier' ? nameOf(item.imported) : ''))
  const sorted = keys.length > 1 && keys.every((key, index) => index === 0 || compare(keys[index - 1] ?? '', key) <= 0)
  const after = sorted ? names[keys.findIndex((key) => compare(key, binding.name) > 0)] : undefined
  const broken = startsLine(text, first.start ?? 0)
  const between = broken ? newlineOf(text) + indentAt(text, last.start ?? 0) : ' '
  if (after !== undefined) return [{ from: after.start ?? 0, to: after.start ?? 0, text: `${written},${between}` }]
  const end = last.end ?? 0
  const comma = /^\s*,/.exec(text.slice(end, node.end ?? 0))?.[0].length
  if (!broken) {
    const at = end + (comma ?? 0)
    return [{ from: at, to: at, text: comma === undefined ? `, ${written}` : ` ${written},` }]
  }
  // After a comment beside the last name.
  const at = Math.min(lineEnd(text, end + (comma ?? 0)), text.indexOf('}', end))
  const added = { from: at, to: at, text: between + written + (comma === undefined ? '' : ',') }
  return comma === undefined ? [{ from: end, to: end, text: ',' }, added] : [added]
}

function nameOf(imported: { type: string; name?: string; value?: string }): string {
  return imported.name ?? imported.value ?? ''
}

function compare(a: string, b: string): number {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()]
  return x < y ? -1 : x > y ? 1 : 0
}

/** Node's own modules, packages, then files by their path. */
function rankOf(from: string): number {
  if (from.startsWith('node:')) return 0
  return /^[./#]|^[@~]\//.test(from) ? 2 : 1
}

function newStatement(source: ScriptSource, wanted: ScriptImport, statement: string): Splice[] {
  const { text, file, imports } = source
  const newline = newlineOf(text)
  const rank = rankOf(wanted.from)
  const before =
    imports.findLast((one) => rankOf(one.from) === rank) ?? imports.findLast((one) => rankOf(one.from) < rank)
  const [first] = imports
  if (before !== undefined || first !== undefined) {
    const anchor = before ?? first
    const node = anchor?.node
    const start = node?.start ?? 0
    if (before === undefined && startsLine(text, start) && (node?.leadingComments ?? []).length === 0) {
      return [{ from: start, to: start, text: statement + newline }]
    }
    const end = (before ?? imports.at(-1))?.node.end ?? 0
    const at = restIsComment(text, end) ? lineEnd(text, end) : end
    return [{ from: at, to: at, text: newline + statement }]
  }
  const directive = file.program.directives.at(-1)
  if (directive !== undefined) {
    const end = directive.end ?? 0
    const at = restIsComment(text, end) ? lineEnd(text, end) : end
    return [{ from: at, to: at, text: newline.repeat(2) + statement }]
  }
  const at = afterHeader(source)
  const node = file.program.body[0]
  if (at === text.length && text !== '' && !text.endsWith('\n'))
    return [{ from: at, to: at, text: newline + statement }]
  return [{ from: at, to: at, text: statement + newline + (node === undefined ? '' : newline) }]
}

function restIsComment(text: string, offset: number): boolean {
  return /^[ \t]*(?:\/\/.*|\/\*(?:(?!\*\/).)*\*\/[ \t]*)?$/.test(text.slice(offset, lineEnd(text, offset)))
}

const HEADER = /licen[cs]e|copyright|@file|@ts-|eslint|@flow|@jsx|@vitest|@jest|biome|prettier|SPDX|^!/i

/** Behind an interpreter line, and comments that speak of the whole file: those before a blank line, and licences. */
function afterHeader({ text, file }: ScriptSource): number {
  const { body, interpreter } = file.program
  const first = body[0]?.start ?? text.length
  let at = interpreter?.end === undefined || interpreter.end === null ? 0 : nextLine(text, interpreter.end)
  for (const comment of file.comments ?? []) {
    const end = comment.end ?? 0
    if (end > first) break
    const after = text.slice(end, first)
    if (
      /^[ \t]*\r?\n[ \t]*\r?\n/.test(after) ||
      HEADER.test(comment.value) ||
      (after.trim() === '' && body.length === 0)
    ) {
      at = nextLine(text, end)
    }
  }
  while (at < first && text.slice(at, lineEnd(text, at)).trim() === '' && at < text.length) at = nextLine(text, at)
  return body.length === 0 ? at : Math.min(at, lineStart(text, first))
}

function removed(source: ScriptSource, wanted: ScriptImport, binding: ScriptBinding, path: string): Splice[] {
  for (const one of source.imports.filter((other) => sameModule(other, wanted))) {
    const index = one.bindings.findIndex(
      (item) =>
        item.kind === binding.kind &&
        item.name === binding.name &&
        item.local === binding.local &&
        (item.type || !binding.type),
    )
    if (index >= 0) return one.bindings.length === 1 ? withoutStatement(source, one) : withoutName(source, one, index)
  }
  throw missing(
    path,
    `${binding.local || 'nothing'} is ${binding.local ? 'not ' : ''}imported from ${shown(wanted.from)}`,
  )
}

function withoutName({ text }: ScriptSource, { node }: ScriptImport, index: number): Splice[] {
  const specifiers = node.specifiers
  const specifier = specifiers[index]
  const [start, end] = [specifier?.start ?? 0, specifier?.end ?? 0]
  const names = specifiers.filter(({ type }) => type === 'ImportSpecifier')
  if (specifier?.type === 'ImportDefaultSpecifier') {
    const next = /^\s*,\s*/.exec(text.slice(end))?.[0].length ?? 0
    return [{ from: start, to: end + next, text: '' }]
  }
  const previous = specifiers[index - 1]
  if (specifier?.type === 'ImportNamespaceSpecifier' || names.length === 1) {
    const close = names.length === 1 ? text.indexOf('}', end) + 1 : end
    return [{ from: previous?.end ?? start, to: close, text: '' }]
  }
  const comma = /^\s*,/.exec(text.slice(end))?.[0].length ?? 0
  if (startsLine(text, start) && restIsComment(text, end + comma)) {
    return [{ from: lineStart(text, start), to: nextLine(text, end + comma), text: '' }]
  }
  const next = specifiers[index + 1]
  if (next !== undefined) return [{ from: start, to: next.start ?? end, text: '' }]
  return [{ from: previous?.end ?? start, to: end, text: '' }]
}

/** A statement goes with its line and the comment beside it, and with the blank line after it where it was the only one. */
function withoutStatement({ text, imports }: ScriptSource, { node }: ScriptImport): Splice[] {
  const [start, end] = [node.start ?? 0, node.end ?? 0]
  if (!startsLine(text, start) || !restIsComment(text, end)) return [{ from: start, to: end, text: '' }]
  const from = lineStart(text, start)
  let to = nextLine(text, end)
  const open = from === 0 || text.slice(lineStart(text, from - 1), from).trim() === ''
  if (imports.length === 1 && open) {
    while (to < text.length && text.slice(to, lineEnd(text, to)).trim() === '') to = nextLine(text, to)
  }
  return [{ from, to, text: '' }]
}
