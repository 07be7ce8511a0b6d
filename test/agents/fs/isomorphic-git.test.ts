import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import git from 'isomorphic-git'
import { expect, it } from 'vitest'
import { createFs } from '../../../src/agents/fs/index.ts'
import { historyOf, scratchJournal } from '../scratch.ts'

it('isomorphic-git does a whole session, all of it in the history', async () => {
  const journal = await scratchJournal()
  const fs = createFs(journal, { meta: { actor: 'git' } })
  const dir = journal.root
  const author = { name: 'Anna', email: 'anna@example.org' }
  const read = (name: string) => readFileSync(join(dir, name), 'utf8')
  const commit = async (message: string, files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) {
      await fs.promises.writeFile(join(dir, name), text)
      await git.add({ fs, dir, filepath: name })
    }
    return git.commit({ fs, dir, message, author })
  }

  await git.init({ fs, dir, defaultBranch: 'main' })
  await commit('first', { 'a.txt': 'a\n', 'b.txt': 'b\n' })
  await git.branch({ fs, dir, ref: 'side', checkout: true })
  await commit('on the side', { 'a.txt': 'side\n', 'side.txt': 'side\n' })
  await git.checkout({ fs, dir, ref: 'main' })
  expect([read('a.txt'), existsSync(join(dir, 'side.txt'))]).toEqual(['a\n', false])
  await commit('on main', { 'b.txt': 'main\n' })
  await git.merge({ fs, dir, ours: 'main', theirs: 'side', author })
  await git.checkout({ fs, dir, ref: 'main' })
  expect([read('a.txt'), read('b.txt'), read('side.txt')]).toEqual(['side\n', 'main\n', 'side\n'])

  const log = await git.log({ fs, dir })
  expect([...new Set(log.map(({ commit: { message } }) => message.trim()))].sort()).toEqual(
    ["Merge branch 'side' into main", 'first', 'on main', 'on the side'].sort(),
  )
  expect(await git.status({ fs, dir, filepath: 'a.txt' })).toBe('unmodified')
  writeFileSync(join(dir, 'a.txt'), 'edited\n')
  expect(await git.status({ fs, dir, filepath: 'a.txt' })).toBe('*modified')
  await git.remove({ fs, dir, filepath: 'side.txt' })
  await git.tag({ fs, dir, ref: 'v1' })
  await git.setConfig({ fs, dir, path: 'user.name', value: 'Anna' })
  const matrix = await git.statusMatrix({ fs, dir })
  expect(matrix.map(([name]) => name)).toEqual(['a.txt', 'b.txt', 'side.txt'])

  const commits = await historyOf(journal)
  const written = new Set(commits.flatMap(({ entries }) => entries.map(({ path }) => path)))
  for (const path of ['a.txt', 'side.txt', '.git/HEAD', '.git/index', '.git/refs/heads/side', '.git/refs/tags/v1']) {
    expect(written, path).toContain(path)
  }
  expect(new Set(commits.map(({ actor }) => actor))).toEqual(new Set(['git']))
  const { changed } = await journal.status()
  expect(changed.map(({ path }) => path)).toEqual(['a.txt'])
  expect((await journal.verify({ workspace: false })).ok).toBe(true)
})
