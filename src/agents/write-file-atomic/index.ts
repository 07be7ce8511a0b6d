/** `write-journal/write-file-atomic`: takes the place of the package of that name. `require` gives the function itself, as it does there. */
import { createWriteFile } from './write-file.ts'

const writeFile = createWriteFile()

export type { AmbientOptions } from '../fs/ambient-mutator.ts'
export type { WriteFileAtomic, WriteFileOptions } from './write-file.ts'
export { createWriteFile } from './write-file.ts'
export { writeFile as 'module.exports' }
export default Object.assign(writeFile, { createWriteFile })
