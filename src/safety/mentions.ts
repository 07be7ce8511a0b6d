import { nameOf, parentOf } from '../workspace/safe-path.ts'

/** So many words are looked for one by one; more, by looking each word of a text up. */
const FEW = 16
/** What stands for the folder that a file lies in, or one above it. */
const FOLDER_ITSELF = /["'](?:\.{1,2}\/)*\.{1,2}\/?["']/
/** Named by the name of their folder as well. */
const FOR_FOLDERS = new Set(['index', '__init__', 'package'])

/** Finds the texts that may refer to one of some paths: by a word of its name, however it is written else. It may find too many, and never too few. */
export class Mentions {
  readonly #words = new Set<string>()
  /** There is a name without a word of plain letters. */
  #any = false
  /** There is a path that stands for its folder. */
  #folders = false

  constructor(paths: readonly string[]) {
    for (const path of paths) {
      // Modules are named without their endings, and those in `src/a.d.ts` as `./a`.
      const stem = /^\.?[^.]*/.exec(nameOf(path))?.[0] ?? ''
      this.#take(stem)
      if (!FOR_FOLDERS.has(stem)) continue
      this.#folders = true
      if (parentOf(path) !== '') this.#take(nameOf(parentOf(path)))
    }
  }

  in(bytes: Uint8Array): boolean {
    if (this.#any) return true
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
    if (this.#folders && FOLDER_ITSELF.test(text)) return true
    if (this.#words.size <= FEW) return [...this.#words].some((word) => text.includes(word))
    for (const [word] of text.replaceAll(/%[0-9a-f]{2}/gi, ' ').matchAll(/[a-z0-9]+/gi)) {
      if (this.#words.has(word)) return true
    }
    return false
  }

  /** The longest word of a name: what stands around it may be written in other ways (`%20`, `&amp;`). */
  #take(name: string): void {
    const [longest] = (name.match(/[a-z0-9]+/gi) ?? []).sort((a, b) => b.length - a.length)
    if (longest === undefined || /[^\x20-\x7e]/.test(name)) this.#any = true
    else this.#words.add(longest)
  }
}
