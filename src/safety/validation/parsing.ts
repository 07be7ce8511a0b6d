import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { JournalError } from '../../errors.ts'
import type { Findings } from './findings.ts'
import { GRAMMAR_TYPES, type ParseRequest, parse } from './parse.ts'

/** What the thread sends back. */
export type ParseAnswer =
  | { readonly findings: Findings }
  | { readonly failure: { readonly message: string; readonly missing: boolean } }

export interface ParsingLimits {
  /** Milliseconds that one text may take. */
  readonly timeoutMs: number
  /** Bytes of heap that parsing may take. */
  readonly memoryBytes: number
}

interface Job {
  readonly path: string
  readonly request: ParseRequest
  readonly signal: AbortSignal | undefined
  readonly resolve: (findings: Findings) => void
  readonly reject: (error: unknown) => void
}

const THREAD = new URL('./parser-thread.js', import.meta.url)
/** After a larger text for a grammar, the thread is begun anew. */
const KEPT_BYTES = 256 * 1024
const NOT_CHECKED = 'Nothing was changed.'

/**
 * Parses texts one after another in a thread of its own, begun with the first of them: callers go on meanwhile, and a text that makes a parser run for
 * ever, or eat all memory, costs no more than its time. Where the file of the thread is not to be found (in a bundle, or in the sources), texts are
 * parsed in the caller's thread, and cannot be interrupted.
 */
export class Parsing {
  readonly #limits: ParsingLimits
  readonly #queue: Job[] = []
  #busy = false
  #worker: Worker | null = null

  constructor(limits: ParsingLimits) {
    this.#limits = limits
  }

  /** @throws JournalError `VALIDATOR` when the parser fails, runs too long, or is not installed; `ABORTED` */
  run(path: string, request: ParseRequest, signal?: AbortSignal): Promise<Findings> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ path, request, signal, resolve, reject })
      void this.#work()
    })
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
    this.#worker = null
  }

  async #work(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      await this.#one(job).then(job.resolve, job.reject)
    }
    this.#busy = false
  }

  async #one({ path, request, signal }: Job): Promise<Findings> {
    const found = isThreaded() ? await this.#inThread(path, request, signal) : await here(request)
    if ('findings' in found) {
      // The memory of WebAssembly never shrinks.
      if (GRAMMAR_TYPES.has(request.dialect.type) && request.bytes.byteLength > KEPT_BYTES) await this.close()
      return found.findings
    }
    const { message, missing } = found.failure
    if (missing) throw missingGrammars(path, request)
    // What a parser that failed left behind in its thread is not to be relied on.
    await this.close()
    throw failed(path, request, `failed: ${message}`)
  }

  #inThread(path: string, request: ParseRequest, signal: AbortSignal | undefined): Promise<ParseAnswer> {
    const { timeoutMs, memoryBytes } = this.#limits
    const worker = this.#worker ?? begun(memoryBytes)
    this.#worker = worker
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', cancel)
        worker.off('message', answered)
        worker.off('error', broken)
        worker.off('exit', ended)
        worker.unref()
      }
      const end = (error: unknown): void => {
        stop()
        if (this.#worker === worker) this.#worker = null
        worker.on('error', () => undefined)
        void worker.terminate()
        reject(error)
      }
      const answered = (answer: ParseAnswer): void => {
        stop()
        resolve(answer)
      }
      const broken = (error: Error): void => {
        const memory = (error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY'
        end(failed(path, request, memory ? `needs more memory than ${memoryBytes} bytes` : `failed: ${error.message}`))
      }
      const ended = (code: number): void => end(failed(path, request, `ended with code ${code}`))
      const cancel = (): void => {
        end(new JournalError('ABORTED', 'the operation was cancelled', { hint: NOT_CHECKED, cause: signal?.reason }))
      }
      const expire = (): void => end(failed(path, request, `did not end within ${timeoutMs} ms`))
      const timer = setTimeout(expire, timeoutMs)
      if (signal?.aborted) return cancel()
      signal?.addEventListener('abort', cancel, { once: true })
      worker.on('message', answered)
      worker.on('error', broken)
      worker.on('exit', ended)
      // As long as somebody waits for it, the process stays.
      worker.ref()
      worker.postMessage(request)
    })
  }
}

let threaded: boolean | null = null

function isThreaded(): boolean {
  threaded ??= THREAD.protocol === 'file:' && existsSync(fileURLToPath(THREAD))
  return threaded
}

function begun(memoryBytes: number): Worker {
  const maxOldGenerationSizeMb = Math.ceil(memoryBytes / 1024 / 1024)
  return new Worker(THREAD, { resourceLimits: { maxOldGenerationSizeMb }, execArgv: [], stdin: false })
}

async function here(request: ParseRequest): Promise<ParseAnswer> {
  try {
    return { findings: await parse(request) }
  } catch (error) {
    const { MissingGrammars } = await import('./parsers/grammar.ts')
    const message = error instanceof Error ? error.message : String(error)
    return { failure: { message, missing: error instanceof MissingGrammars } }
  }
}

function failed(path: string, { dialect }: ParseRequest, how: string): JournalError {
  return new JournalError('VALIDATOR', `the parser of ${dialect.type}, looking at ${path}, ${how}`, {
    hint: `${NOT_CHECKED} Give it more time or memory, or leave this file or its type out of the validation.`,
    path,
    details: { validator: dialect.type },
  })
}

function missingGrammars(path: string, { dialect }: ParseRequest): JournalError {
  return new JournalError('VALIDATOR', `${path} cannot be checked: the grammar of ${dialect.type} is not installed`, {
    hint: `${NOT_CHECKED} Install it with 'npm install @vscode/tree-sitter-wasm', or leave the type out: types: { ${dialect.type}: 'off' }.`,
    path,
    details: { validator: dialect.type },
  })
}
