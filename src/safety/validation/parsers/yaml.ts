import type { Finder } from '../findings.ts'

/** Every document of a stream. */
export async function parseYaml(finder: Finder, wantReferences: boolean): Promise<void> {
  const { parseAllDocuments, visit } = await import('yaml')
  const { text } = finder
  const documents = parseAllDocuments(text, { prettyErrors: false, logLevel: 'silent' })
  if (!Array.isArray(documents)) return
  const referring = wantReferences && text.includes('$ref')
  const aliased = text.includes('*')
  for (const document of documents) {
    // It reports the end of the stack as if it were a fault of the text, and many more behind it.
    const deep = document.errors.find(({ message }) => /call stack/i.test(message))
    if (deep !== undefined) throw new RangeError(deep.message)
    for (const { pos, message } of document.errors) finder.flaw(pos[0], message)
    if (!referring && !aliased) continue
    visit(document, {
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
