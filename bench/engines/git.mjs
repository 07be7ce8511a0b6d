import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export const name = 'git add + commit'

/** The files written, staged and committed by the git that is installed. */
export async function open(folder) {
  const git = (...args) => execFileSync('git', ['-C', folder, ...args], { stdio: 'ignore' })
  git('init', '-q')
  git('config', 'user.name', 'bench')
  git('config', 'user.email', 'bench@example.org')
  git('config', 'gc.auto', '0')
  async function batch(files) {
    for (const { path, content } of files) await writeFile(join(folder, path), content)
    git('add', '-A')
    git('commit', '-q', '-m', 'bench')
  }
  return { batch, one: (file) => batch([file]), async close() {} }
}
