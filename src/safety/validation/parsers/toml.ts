import type { Finder } from '../findings.ts'

/** Stops at the first error. */
export async function parseToml(finder: Finder): Promise<void> {
  const { ParseError, parseTOML } = await import('toml-eslint-parser')
  try {
    parseTOML(finder.text)
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    finder.flaw(error.index, error.message)
  }
}
