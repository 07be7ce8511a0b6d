import fs from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { ground, tree } from './ground.ts'

const NASTY = `
mkdir -p made/deep/er
printf 'fresh\\n' > made/deep/er/new.txt
printf '\\000\\377\\001binary' > made/blob.bin
rm -r gone
mv folder moved
mv moved/a.txt moved/b/renamed.txt
sed -i 's/one/two/' edited.txt
: > truncated.txt
chmod 600 plain.txt
chmod 755 script.sh
chmod 700 empty
ln -s ../plain.txt made/link
ln -sfn elsewhere pointer
mv Case.txt case.txt
mv 'naïve – ü.txt' 'ünï 文.txt'
rm -r becomes-file; printf 'now a file' > becomes-file
rm becomes-folder; mkdir becomes-folder; printf x > becomes-folder/inside
rm -r becomes-link; ln -s moved becomes-link
rm was-link; mkdir was-link; printf y > was-link/deep
mkdir -m 2775 setgid
printf 'line\\n' > $'new\\nline.txt'
`

async function nastyGround() {
  const place = await ground()
  place.sh(`
    mkdir -p gone/a/b folder/b empty becomes-file/x becomes-link
    printf 1 > gone/1; printf 2 > gone/a/2; printf 3 > gone/a/b/3; ln -s nowhere gone/dangling
    printf 'content a\\n' > folder/a.txt; printf 'content b\\n' > folder/b/b.txt; : > folder/zero
    printf 'one\\n' > edited.txt; printf 'lots of text\\n' > truncated.txt; printf p > plain.txt
    printf '#!/bin/sh\\n' > script.sh; ln -s plain.txt pointer
    printf C > Case.txt; printf u > 'naïve – ü.txt'
    printf f > becomes-file/x/f; printf g > becomes-folder; printf h > becomes-link/h; ln -s plain.txt was-link
    chmod 444 folder/a.txt; chmod 711 folder/b`)
  return place
}

describe('collecting', () => {
  it('takes in what a nasty script does as one transaction, and undoes it byte for byte', async () => {
    const { journal, root, sh } = await nastyGround()
    await journal.collect({ baseline: true })
    const before = tree(root)
    sh(NASTY)
    const after = tree(root)
    expect(after).not.toEqual(before)
    const { receipt, receipts } = await journal.collect({ message: 'nasty', tags: ['t'], actor: 'tester' })
    expect(receipts).toHaveLength(1)
    expect(tree(root)).toEqual(after)
    expect((await journal.status()).changed).toEqual([])
    const { tx } = receipt ?? { tx: '' }
    expect(await journal.show(tx)).toMatchObject({ message: 'nasty', tags: ['t'], actor: 'tester', kind: 'adopt' })
    await journal.undo(tx)
    expect(tree(root)).toEqual(before)
    await journal.redo(tx)
    expect(tree(root)).toEqual(after)
    await journal.undo(tx)
    expect(tree(root)).toEqual(before)
    expect((await journal.collect()).receipt).toBeNull()
    expect(await journal.verify({ workspace: true })).toMatchObject({ ok: true })
  })

  it('tells moves', async () => {
    const { journal, sh } = await nastyGround()
    await journal.collect({ baseline: true })
    sh('mv folder moved; mv Case.txt moved/other-name; mv edited.txt copy; printf "one\\n" > edited.txt')
    const { receipt } = await journal.collect()
    const { entries } = await journal.show(receipt?.tx ?? '')
    const moves = entries.flatMap((entry) => (entry.op === 'rename' ? [[entry.path, entry.to]] : []))
    expect(moves.sort()).toEqual([
      ['Case.txt', 'moved/other-name'],
      ['folder/a.txt', 'moved/a.txt'],
      ['folder/b/b.txt', 'moved/b/b.txt'],
    ])
  })

  it('takes what was there for standing: undoing the baseline, or going back before it, removes nothing', async () => {
    const { journal, root, write } = await ground()
    await journal.write('first.txt', 'by the journal')
    write('mine/precious.txt', 'a person made it')
    const before = tree(root)
    const { receipt } = await journal.collect({ baseline: true })
    await expect(journal.undo(receipt?.tx ?? '')).rejects.toMatchObject({ code: 'INVALID' })
    await journal.restore({ to: 1 })
    expect(tree(root)).toEqual(before)
    write('mine/precious.txt', 'spoiled')
    const { receipt: change } = await journal.collect()
    await journal.undo(change?.tx ?? '')
    expect(tree(root)).toEqual(before)
  })

  it('takes all for standing while the journal knows nothing', async () => {
    const { journal, root, write } = await ground()
    write('mine.txt', 'a person made it')
    const { receipt } = await journal.collect()
    await expect(journal.undo(receipt?.tx ?? '')).rejects.toMatchObject({ code: 'INVALID' })
    expect(Object.keys(tree(root))).toEqual(['mine.txt'])
  })

  it('reads nothing again that has not changed, and finds what changed without its times saying so at once', async () => {
    const { journal, root, write } = await ground()
    for (let at = 0; at < 50; at += 1) write(`f${at}`, `content ${at}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await journal.collect({ baseline: true })
    // The same size, the same times: only the change time is another.
    const file = path.join(root, 'f7')
    const { atime, mtime } = fs.statSync(file)
    fs.writeFileSync(file, 'CONTENT 7')
    fs.utimesSync(file, atime, mtime)
    const { receipt } = await journal.collect()
    expect(receipt?.files.map(({ path: name }) => name)).toEqual(['f7'])
  })

  it('finds a change of the same size made right after it was recorded', async () => {
    const { journal, write } = await ground()
    await journal.collect({ baseline: true })
    for (let round = 0; round < 20; round += 1) {
      write('racy', `round ${String(round).padStart(3)}`)
      expect((await journal.collect()).receipt?.files).toHaveLength(1)
    }
  })
})
