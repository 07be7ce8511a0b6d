import { lstatSync, readdirSync } from 'node:fs'

/** Files and their bytes, below a folder. */
function below(folder) {
  let [files, bytes] = [0, 0]
  for (const name of readdirSync(folder)) {
    const stat = lstatSync(`${folder}/${name}`, { throwIfNoEntry: false })
    if (stat === undefined) continue
    const part = stat.isDirectory() ? below(`${folder}/${name}`) : { files: 1, bytes: stat.size }
    files += part.files
    bytes += part.bytes
  }
  return { files, bytes }
}

/** What a journal takes, by its folders. */
export function spaceOf(root) {
  const parts = {}
  for (const folder of ['log', 'index', 'blobs', 'staging', 'broken'])
    parts[folder] = below(`${root}/.journal/${folder}`)
  return parts
}
