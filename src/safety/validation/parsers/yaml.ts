import { DEEPEST_YAML, yamlStream } from '../../../edit/yaml-stream.ts'
import type { Finder } from '../findings.ts'

/** Every document of a stream. */
export async function parseYaml(finder: Finder, wantReferences: boolean): Promise<void> {
  const yaml = await import('yaml')
  const { text } = finder
  const stream = yamlStream(yaml, text, { prettyErrors: false, logLevel: 'silent' })
  if ('deepAt' in stream) return finder.flaw(stream.deepAt, `it is nested more than ${DEEPEST_YAML} levels deep`)
  const referring = wantReferences && text.includes('$ref')
  const aliased = text.includes('*')
  for (const document of stream.documents) {
    for (const { pos, message } of document.errors) finder.flaw(pos[0], message)
    if (!referring && !aliased) continue
    yaml.visit(document, {
      Alias: (_, alias) => {
        if (alias.resolve(document) === undefined)
          finder.flaw(alias.range?.[0] ?? 0, `there is no anchor &${alias.source}`)
      },
      Pair: (_, { key, value }) => {
        const name = (key as { value?: unknown } | null)?.value
        const { value: target, range } = (value ?? {}) as { value?: unknown; range?: readonly number[] }
        if (name === '$ref' && typeof target === 'string' && /^\.\.?\//.test(target))
          finder.reference('file', target, range?.[0] ?? 0)
      },
    })
  }
}
