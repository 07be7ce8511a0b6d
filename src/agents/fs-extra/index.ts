/** `write-journal/fs-extra`: takes the place of the package of that name. `require` gives the whole, as it does there. */
import { createFsExtra } from './fs-extra.ts'

const fsExtra = createFsExtra()

export type { AmbientOptions } from '../fs/ambient-mutator.ts'
export type { FsExtraOptions } from './fs-extra.ts'
export { createFsExtra, fsExtraOf } from './fs-extra.ts'
export type { FsExtra } from './types.ts'
export { fsExtra as 'module.exports' }
export default fsExtra
