import type { ScriptBinding, ScriptSource } from './script-source.ts'

/** How a source file writes its imports; of what it does not show, as the caller wrote it. */
export interface ScriptForm {
  readonly quote: string
  readonly end: string
  /** Inside of braces. */
  readonly padding: string
}

export function scriptForm(source: ScriptSource, said: ScriptSource): ScriptForm {
  const { text, file, imports } = source
  const quotes = imports.map(({ node }) => text[node.source.start ?? 0])
  const strings =
    quotes.length > 0 ? quotes : [...text.matchAll(/(['"])(?:(?!\1)[^\\\n])*\1/g)].map(([, quote]) => quote)
  const nodes =
    imports.length > 0 ? imports.map(({ node }) => node) : [...file.program.directives, ...file.program.body]
  const ends = nodes
    .filter(({ type }) => imports.length > 0 || /^(?:Directive|ExpressionStatement|VariableDeclaration)$/.test(type))
    .map(({ end }) => text[(end ?? 1) - 1])
  const own = said.imports[0]?.node
  const braces = imports
    .map(({ node }) => text.slice(node.start ?? 0, node.end ?? 0))
    .filter((one) => /\{[^\n}]*\}/.test(one))
  return {
    quote: mostOf(strings, "'", '"') ?? said.text[own?.source.start ?? 0] ?? "'",
    end: (
      ends.length > 0
        ? ends.filter((end) => end === ';').length * 2 >= ends.length
        : said.text.trimEnd().endsWith(';')
    )
      ? ';'
      : '',
    padding: braces.length > 0 && braces.every((one) => !/\{\s/.test(one)) ? '' : ' ',
  }
}

function mostOf(items: readonly (string | undefined)[], one: string, other: string): string | undefined {
  const [ones, others] = [one, other].map((kind) => items.filter((item) => item === kind).length)
  if (ones === others) return ones === 0 ? undefined : one
  return (ones ?? 0) > (others ?? 0) ? one : other
}

/** A name as it stands between braces. */
export function specifierText(binding: ScriptBinding, form: ScriptForm, typed: boolean): string {
  const name = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u.test(binding.name)
    ? binding.name
    : form.quote + binding.name + form.quote
  return `${typed ? 'type ' : ''}${binding.name === binding.local ? name : `${name} as ${binding.local}`}`
}

/** A statement that binds one name. */
export function statementText(
  binding: ScriptBinding,
  from: string,
  attributes: string,
  form: ScriptForm,
  inlineType: boolean,
): string {
  const module = form.quote + from.replaceAll('\\', '\\\\').replaceAll(form.quote, `\\${form.quote}`) + form.quote
  const rest = `${module}${attributes === '' ? '' : ` with { ${attributes} }`}${form.end}`
  if (binding.kind === 'effect') return `import ${rest}`
  const type = binding.type && !inlineType ? 'type ' : ''
  const { padding } = form
  const clause =
    binding.kind === 'default'
      ? binding.local
      : binding.kind === 'namespace'
        ? `* as ${binding.local}`
        : `{${padding}${specifierText(binding, form, binding.type && inlineType)}${padding}}`
  return `import ${type}${clause} from ${rest}`
}
