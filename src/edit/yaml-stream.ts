import type * as Yaml from 'yaml'

/** Collections inside of each other. What people write has a tenth of it. */
export const DEEPEST_YAML = 400

type Options = Yaml.ParseOptions & Yaml.DocumentOptions & Yaml.SchemaOptions

/** Documents of a stream, or the offset at which it is nested too deeply. */
export type YamlStream = { readonly documents: readonly Yaml.Document.Parsed[] } | { readonly deepAt: number }

/**
 * `parseAllDocuments`, but for texts nested deeper than `DEEPEST_YAML`. What makes documents of tokens calls itself for every level, and when the stack ends while
 * the engine compiles a regular expression, it ends the process: no `catch` and no thread holds that. What makes tokens of a text does not call itself, so
 * the levels are counted between the two.
 */
export function yamlStream({ Composer, Parser }: typeof Yaml, text: string, options: Options): YamlStream {
  const composer = new Composer(options)
  const documents: Yaml.Document.Parsed[] = []
  for (const token of new Parser().parse(text)) {
    const deepAt = tooDeepAt(token)
    if (deepAt !== null) return { deepAt }
    documents.push(...(composer.next(token) as Iterable<Yaml.Document.Parsed>))
  }
  documents.push(...(composer.end() as Iterable<Yaml.Document.Parsed>))
  return { documents }
}

function tooDeepAt(document: Yaml.CST.Token): number | null {
  const pending: [token: Yaml.CST.Token, level: number][] = [[document, 0]]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [token, level] = next
    if (token.type === 'document' && token.value !== undefined) pending.push([token.value, level])
    if (!('items' in token)) continue
    if (level === DEEPEST_YAML) return token.offset
    for (const { key, value } of token.items) {
      if (key !== undefined && key !== null) pending.push([key, level + 1])
      if (value !== undefined) pending.push([value, level + 1])
    }
  }
  return null
}
