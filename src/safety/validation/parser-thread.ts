/** A thread that parses: what takes too long, or too much memory, is ended together with it. */
import { parentPort } from 'node:worker_threads'
import { type ParseRequest, parse } from './parse.ts'
import { MissingGrammars } from './parsers/grammar.ts'
import type { ParseAnswer } from './parsing.ts'

async function answer(request: ParseRequest): Promise<ParseAnswer> {
  try {
    return { findings: await parse(request) }
  } catch (error) {
    const { message } = error instanceof Error ? error : new Error(String(error))
    return { failure: { message, missing: error instanceof MissingGrammars } }
  }
}

parentPort?.on('message', (request: ParseRequest) => {
  void answer(request).then((found) => parentPort?.postMessage(found))
})
