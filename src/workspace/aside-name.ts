import { nameOf } from './safe-path.ts'

/** Of the target's name, in a sibling's; the rest is for the transaction's id. */
const SIBLING_BYTES = 150
/** How the name of a file ends that was taken away from its path, which then has nothing for a moment. */
export const GONE = '.gone'
/** The same for one that is being moved. */
export const TAKEN = '.from'

/** Name of a temporary file beside its target, for the rare target that is on another file system than the journal. */
export function siblingName(path: string, id: string, index: number, suffix: string): string {
  let name = nameOf(path)
  while (Buffer.byteLength(name) > SIBLING_BYTES) name = name.slice(0, -1)
  return `.${name.toWellFormed()}.${id}.${index}${suffix}.wj`
}
