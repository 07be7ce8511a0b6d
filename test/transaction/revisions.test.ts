/** Edits, patches and merges as a transaction makes them, and as the history keeps them. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Journal, JournalError } from '../../src/index.ts'
import { Layout, raiseVersion } from '../../src/store/layout.ts'
import { newDisk, openOn, ROOT, workspace } from '../journal/fixture.ts'

const lines = (...list: string[]): string => list.map((line) => `${line}\n`).join('')
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const failure = async (work: Promise<unknown>): Promise<JournalError> => {
  try {
    await work
  } catch (error) {
    return error as JournalError
  }
  throw new Error('nothing was thrown')
}

type Disk = ReturnType<typeof newDisk>

async function prepared(files: Record<string, string | Uint8Array>): Promise<{ disk: Disk; journal: Journal }> {
  const disk = newDisk()
  const journal = await openOn(disk)
  await journal.transact(async (tx) => {
    for (const [name, content] of Object.entries(files)) await tx.write(name, content)
  })
  return { disk, journal }
}

const read = (disk: Disk, name: string): string => disk.readText(`${ROOT}/${name}`)

async function lastEntries(journal: Journal) {
  return (await journal.show(journal.head.seq)).entries
}

describe('edits', () => {
  it('tell how each text was found, where, and what was saved', async () => {
    const { journal } = await prepared({ a: lines('one', '  two', 'three'), b: 'x\n' })
    const receipt = await journal.transact(async (tx) => {
      const first = await tx.edit('a', [
        { oldText: 'one', newText: '1' },
        { oldText: 'three\n', newText: '3\n' },
      ])
      expect(first).toEqual({
        path: 'a',
        by: 'edit',
        changes: 2,
        edits: [
          { matching: 'exact', count: 1, lines: [[1, 1]] },
          { matching: 'exact', count: 1, lines: [[3, 3]] },
        ],
      })
      await tx.edit('a', [{ oldText: 'two\n3\n', newText: 'two\n4\n' }])
      await tx.edit('b', [{ oldText: 'x', newText: 'y' }])
    })
    expect(receipt.revisions).toHaveLength(3)
    expect(receipt.saved).toEqual({ reads: 2, writes: 2 })
    expect((await journal.write('c', 'x')).saved).toBeUndefined()
    await journal.close()
  })

  it('that were lenient, or named an encoding, stand in the history with that', async () => {
    const { disk, journal } = await prepared({ a: '  if (x)\n    y()\n', b: Buffer.from('gr\u00fcn', 'latin1') })
    const edits = [{ oldText: 'if (x)\n  y()\n', newText: 'if (x)\n  z()\n' }]
    await journal.edit('a', edits, { lenient: true })
    expect(read(disk, 'a')).toBe('  if (x)\n    z()\n')
    expect(await lastEntries(journal)).toMatchObject([
      { op: 'revise', by: 'edit', path: 'a', change: { edits, lenient: 'indentation' } },
    ])
    // Leniency that was not needed is not told.
    await journal.edit('a', [{ oldText: 'z', newText: 'y' }], { lenient: true })
    expect(await lastEntries(journal)).toMatchObject([{ op: 'edit', edits: [{ oldText: 'z', newText: 'y' }] }])
    await journal.edit('b', [{ oldText: 'grün', newText: 'weiß' }], { encoding: 'latin1' })
    expect(Buffer.from(disk.readFile(`${ROOT}/b`)).toString('latin1')).toBe('weiß')
    expect(await lastEntries(journal)).toMatchObject([{ op: 'revise', by: 'edit', change: { encoding: 'latin1' } }])
    expect((await journal.verify()).problems).toEqual([])
    await journal.close()
  })

  it('of one file in several operations are one writing of it, and one entry each', async () => {
    const { disk, journal } = await prepared({ a: 'a b c' })
    const receipt = await journal.transact(async (tx) => {
      for (const letter of ['a', 'b', 'c']) await tx.edit('a', [{ oldText: letter, newText: letter.toUpperCase() }])
    })
    expect(read(disk, 'a')).toBe('A B C')
    expect(receipt.files).toHaveLength(1)
    expect(await lastEntries(journal)).toHaveLength(3)
    await journal.close()
  })
})

describe('revisions in the history', () => {
  it('can be purged: the words go, the chain holds', async () => {
    const { disk, journal } = await prepared({ a: '  secret\n  one\n' })
    await journal.edit('a', [{ oldText: 'secret\none\n', newText: 'one\n' }], { lenient: true })
    const { seq } = journal.head
    await journal.purge('a')
    expect((await journal.show(seq)).entries).toMatchObject([{ op: 'revise', by: 'edit', change: null }])
    expect((await journal.verify()).problems).toEqual([])
    await journal.close()
    const again = await openOn(disk)
    expect((await again.show(seq)).entries).toMatchObject([{ op: 'revise', by: 'edit', change: null }])
    expect((await again.verify()).problems).toEqual([])
    await again.close()
  })

  it('are undone, shown, compared and exported like any other change', async () => {
    const { disk, journal } = await prepared({ a: '  x\n  y\n' })
    const { tx } = await journal.edit('a', [{ oldText: 'x\ny\n', newText: 'x\nz\n' }], { lenient: true })
    const differences = []
    for await (const { patch } of journal.diff({ tx })) differences.push(patch)
    expect(differences.join('')).toContain('-  y\n+  z\n')
    const exported = []
    for await (const item of journal.export()) if (item.tx === tx) exported.push(item)
    expect(exported).toMatchObject([{ type: 'transaction', entries: [{ op: 'revise', by: 'edit' }] }])
    await journal.undo(tx)
    expect(read(disk, 'a')).toBe('  x\n  y\n')
    await journal.redo(tx)
    expect(read(disk, 'a')).toBe('  x\n  z\n')
    await journal.close()
  })

  it('make a journal of an older format one of version 4, before anything of them is written', async () => {
    const { disk, journal } = await prepared({ a: '  x\n  y\n' })
    await journal.close()
    const format = `${ROOT}/.journal/FORMAT`
    const older = JSON.parse(disk.readText(format))
    disk.writeFile(format, `${JSON.stringify({ ...older, version: 3 })}\n`)
    const opened = await openOn(disk)
    await opened.edit('a', [{ oldText: 'x', newText: 'w' }])
    expect(JSON.parse(disk.readText(format))).toMatchObject({ version: 3 })
    await opened.edit('a', [{ oldText: 'w\ny\n', newText: 'w\nz\n' }], { lenient: true })
    expect(JSON.parse(disk.readText(format))).toMatchObject({ version: 4 })
    expect((await opened.verify()).problems).toEqual([])
    await opened.close()
  })

  // Two first revisions at the same time, and a drop beside them, would write FORMAT at the same time.
  it('make it one however many come at once, and nothing makes it an older one again', async () => {
    const { disk, journal } = await prepared({ a: '  x\n  y\n', b: '  x\n  y\n', c: '  x\n  y\n' })
    await journal.close()
    const format = `${ROOT}/.journal/FORMAT`
    disk.writeFile(format, `${JSON.stringify({ ...JSON.parse(disk.readText(format)), version: 2 })}\n`)
    const opened = await openOn(disk)
    const layout = new Layout(ROOT)
    const edit = (name: string) => opened.edit(name, [{ oldText: 'x\ny\n', newText: 'x\nz\n' }], { lenient: true })
    await Promise.all([edit('a'), raiseVersion(disk, layout, 3), edit('b'), raiseVersion(disk, layout, 3), edit('c')])
    expect(JSON.parse(disk.readText(format))).toMatchObject({ version: 4 })
    expect(disk.lstat(`${format}.new`)).toBeNull()
    expect((await opened.verify()).problems).toEqual([])
    await opened.close()
  })
})

describe('a patch of many files', () => {
  const files = { 'a.txt': lines('a', 'b', 'c'), 'gone.txt': 'x\n', 'old.txt': lines('1', '2'), 'run.sh': 'echo\n' }
  const git = lines(
    'diff --git a/a.txt b/a.txt',
    '--- a/a.txt',
    '+++ b/a.txt',
    '@@ -1,3 +1,3 @@',
    ' a',
    '-b',
    '+B',
    ' c',
    'diff --git a/new/x.txt b/new/x.txt',
    'new file mode 100644',
    '--- /dev/null',
    '+++ b/new/x.txt',
    '@@ -0,0 +1 @@',
    '+x',
    'diff --git a/gone.txt b/gone.txt',
    'deleted file mode 100644',
    '--- a/gone.txt',
    '+++ /dev/null',
    '@@ -1 +0,0 @@',
    '-x',
    'diff --git a/old.txt b/moved/new.txt',
    'similarity index 50%',
    'rename from old.txt',
    'rename to moved/new.txt',
    '--- a/old.txt',
    '+++ b/moved/new.txt',
    '@@ -1,2 +1,2 @@',
    ' 1',
    '-2',
    '+two',
    'diff --git a/run.sh b/run.sh',
    'old mode 100644',
    'new mode 100755',
  )

  it('is one transaction', async () => {
    const { disk, journal } = await prepared(files)
    const receipt = await journal.applyPatch(git, { message: 'all at once' })
    expect(read(disk, 'a.txt')).toBe(lines('a', 'B', 'c'))
    expect(read(disk, 'new/x.txt')).toBe('x\n')
    expect(read(disk, 'moved/new.txt')).toBe(lines('1', 'two'))
    for (const name of ['gone.txt', 'old.txt']) expect(disk.lstat(`${ROOT}/${name}`)).toBeNull()
    expect((disk.lstat(`${ROOT}/run.sh`)?.mode ?? 0) & 0o111).toBe(0o111)
    expect(receipt.revisions?.map(({ path, change, from }) => [change, path, from])).toEqual([
      ['modified', 'a.txt', undefined],
      ['added', 'new/x.txt', undefined],
      ['deleted', 'gone.txt', undefined],
      ['renamed', 'moved/new.txt', 'old.txt'],
      ['modified', 'run.sh', undefined],
    ])
    expect((await lastEntries(journal)).map(({ op }) => op)).toEqual([
      'patch',
      'mkdir',
      'write',
      'remove',
      'mkdir',
      'rename',
      'patch',
      'chmod',
    ])
    await journal.undo(receipt.tx)
    expect(read(disk, 'a.txt')).toBe(files['a.txt'])
    expect(read(disk, 'old.txt')).toBe(files['old.txt'])
    await journal.close()
  })

  it('changes nothing when anything of it does not fit, and names all that does not', async () => {
    const { disk, journal } = await prepared({ ...files, 'a.txt': lines('a', 'x', 'c'), 'moved/new.txt': 'there\n' })
    const before = workspace(disk)
    const error = await failure(journal.applyPatch(git))
    expect(error).toMatchObject({
      code: 'CONFLICT',
      details: {
        files: [
          { path: 'a.txt', code: 'CONFLICT', patchLine: 4, hunks: [{ hunk: 1, line: 1, found: 'a\nx\nc' }] },
          { path: 'old.txt', code: 'EXISTS' },
        ],
      },
    })
    expect(error.message).toBe('the patch does not fit: a.txt, old.txt (2 of 5 files)')
    expect(read(disk, 'gone.txt')).toBe('x\n')
    expect(disk.lstat(`${ROOT}/new`)).toBeNull()
    expect(workspace(disk)).toEqual(before)
    await journal.close()
  })

  it('leaves a transaction as it was before it, when it fails', async () => {
    const { disk, journal } = await prepared(files)
    await journal.transact(async (tx) => {
      await tx.write('first', '1')
      expect((await failure(tx.applyPatch(git.replace('-b\n', '-z\n')))).code).toBe('CONFLICT')
      await tx.write('second', '2')
    })
    expect((await lastEntries(journal)).map(({ path }) => path)).toEqual(['first', 'second'])
    expect(read(disk, 'a.txt')).toBe(files['a.txt'])
    await journal.close()
  })

  it.each([
    ['--- a/../out\n+++ b/../out\n@@ -0,0 +1 @@\n+x\n'],
    ['--- /dev/null\n+++ b/../out\n@@ -0,0 +1 @@\n+x\n'],
    ['--- /dev/null\n+++ /etc/passwd\n@@ -0,0 +1 @@\n+x\n'],
    ['--- /dev/null\n+++ b/.journal/FORMAT\n@@ -0,0 +1 @@\n+x\n'],
    ['diff --git a/a.txt b/../out\nsimilarity index 100%\nrename from a.txt\nrename to ../out\n'],
    ['*** Begin Patch\n*** Add File: ../out\n+x\n*** End Patch\n'],
    ['*** Begin Patch\n*** Update File: a.txt\n*** Move to: /tmp/out\n@@\n-a\n+b\n*** End Patch\n'],
    ['*** Begin Patch\n*** Delete File: ../../etc/passwd\n*** End Patch\n'],
  ])('never leads out of the workspace: %j', async (patch) => {
    const { journal } = await prepared(files)
    expect((await failure(journal.applyPatch(patch))).code).toBe('PATH_OUTSIDE')
    await journal.close()
  })

  it('of the apply_patch format adds over what is there, moves over it, and deletes', async () => {
    const { disk, journal } = await prepared(files)
    const receipt = await journal.applyPatch(
      lines(
        '*** Begin Patch',
        '*** Add File: run.sh',
        '+new',
        '*** Update File: a.txt',
        '*** Move to: old.txt',
        '@@',
        '-b',
        '+B',
        '*** Delete File: gone.txt',
        '*** End Patch',
      ),
    )
    expect(read(disk, 'run.sh')).toBe('new\n')
    expect(read(disk, 'old.txt')).toBe(lines('a', 'B', 'c'))
    for (const name of ['a.txt', 'gone.txt']) expect(disk.lstat(`${ROOT}/${name}`)).toBeNull()
    expect(receipt.revisions?.map(({ change }) => change)).toEqual(['modified', 'renamed', 'deleted'])
    expect((await lastEntries(journal)).at(2)).toMatchObject({ op: 'revise', by: 'apply_patch', path: 'old.txt' })
    await journal.close()
  })

  it('that fits no file says why, file by file', async () => {
    const { journal } = await prepared(files)
    const error = await failure(
      journal.applyPatch(
        lines(
          '*** Begin Patch',
          '*** Delete File: none',
          '*** Update File: a.txt',
          '@@',
          '-zzz',
          '+y',
          '*** End Patch',
        ),
      ),
    )
    expect(error.details?.files).toMatchObject([
      { path: 'none', code: 'NOT_FOUND' },
      { path: 'a.txt', code: 'CONFLICT', hunks: [{ hunk: 1, expected: 'zzz' }] },
    ])
    await journal.close()
  })

  it('is refused with the line when it is malformed, and for options that are none', async () => {
    const { journal } = await prepared(files)
    expect(await failure(journal.applyPatch('--- a\n+++ b\n@@ -1,9 +1 @@\n-a\n'))).toMatchObject({
      code: 'INVALID',
      details: { line: 3 },
    })
    expect((await failure(journal.applyPatch(git, { strip: -1 }))).code).toBe('INVALID')
    expect((await failure(journal.applyPatch(git, { format: 'rcs' as never }))).code).toBe('INVALID')
    expect((await failure(journal.applyPatch(7 as never))).code).toBe('INVALID')
    await journal.close()
  })
})

describe('a change whose base has moved', () => {
  const base = lines('a', 'b', 'c', 'd', 'e')
  const expect_ = sha256(base)

  it.each<[string, (journal: Journal) => Promise<unknown>]>([
    ['a write', (journal) => journal.write('f', base.replace('a', 'A'), { expect: expect_, merge: true })],
    ['an edit', (journal) => journal.edit('f', [{ oldText: 'a', newText: 'A' }], { expect: expect_, merge: true })],
    ['a patch', (journal) => journal.patch('f', '@@ -1,2 +1,2 @@\n-a\n+A\n b\n', { expect: expect_, merge: true })],
  ])('is merged when it does not overlap: %s', async (_, change) => {
    const { disk, journal } = await prepared({ f: base })
    await journal.write('f', base.replace('e', 'E'))
    await change(journal)
    expect(read(disk, 'f')).toBe(lines('A', 'b', 'c', 'd', 'E'))
    expect(await lastEntries(journal)).toMatchObject([{ op: 'revise', by: 'merge', change: { base: expect_ } }])
    expect((await journal.verify()).problems).toEqual([])
    await journal.close()
  })

  it('is refused with both sides where it overlaps', async () => {
    const { disk, journal } = await prepared({ f: base })
    await journal.write('f', base.replace('b', 'theirs'))
    const error = await failure(journal.write('f', base.replace('b', 'ours'), { expect: expect_, merge: true }))
    expect(error).toMatchObject({
      code: 'CONFLICT',
      details: { sides: [{ lines: [2, 2], base: 'b\n', ours: 'ours\n', theirs: 'theirs\n' }] },
    })
    expect(read(disk, 'f')).toBe(base.replace('b', 'theirs'))
    await journal.close()
  })

  it('needs its base: named, and in the journal', async () => {
    const { journal } = await prepared({ f: base })
    expect((await failure(journal.edit('f', [{ oldText: 'a', newText: 'b' }], { merge: true }))).code).toBe('INVALID')
    expect((await failure(journal.write('f', 'x', { expect: null, merge: true }))).code).toBe('INVALID')
    const unknown = { expect: sha256('other'), merge: true }
    expect((await failure(journal.edit('f', [{ oldText: 'a', newText: 'b' }], unknown))).code).toBe('CONFLICT')
    await journal.close()
  })

  it('is made as it stands when the base has not moved', async () => {
    const { journal } = await prepared({ f: base })
    await journal.edit('f', [{ oldText: 'a', newText: 'A' }], { expect: expect_, merge: true })
    expect(await lastEntries(journal)).toMatchObject([{ op: 'edit' }])
    await journal.close()
  })

  it('finds an edit that somebody made behind the journal, too', async () => {
    const { disk, journal } = await prepared({ f: base })
    disk.writeFile(`${ROOT}/f`, base.replace('e', 'person'))
    await journal.edit('f', [{ oldText: 'a', newText: 'A' }], { expect: expect_, merge: true })
    expect(read(disk, 'f')).toBe(lines('A', 'b', 'c', 'd', 'person'))
    await journal.close()
  })
})

describe('what a file has of its own', () => {
  type Form = { readonly encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | 'latin1'; readonly bom: boolean }
  const forms: Form[] = [
    { encoding: 'utf-8', bom: false },
    { encoding: 'utf-8', bom: true },
    { encoding: 'utf-16le', bom: true },
    { encoding: 'utf-16be', bom: true },
    { encoding: 'latin1', bom: false },
  ]
  const encoded = (text: string, { encoding, bom }: Form): Buffer => {
    const whole = bom ? `\ufeff${text}` : text
    if (encoding === 'utf-16be') return Buffer.from(whole, 'utf16le').swap16()
    return Buffer.from(whole, encoding === 'utf-16le' ? 'utf16le' : encoding === 'latin1' ? 'latin1' : 'utf8')
  }
  const line = fc.tuple(fc.constantFrom('', 'a', '\tb  ', 'grün', '  c\t', 'x'), fc.constantFrom('\n', '\r\n'))
  const MARK = 'the marked line'

  it('stays with every operation: encoding, mark, line ends, tabs, blanks, no last line end', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 8 }),
        fc.constantFrom('\n', '\r\n', ''),
        fc.array(line, { maxLength: 8 }),
        fc.boolean(),
        fc.constantFrom(...forms),
        fc.constantFrom('edit', 'lenient', 'patch', 'apply', 'apply_patch', 'merge'),
        async (before, end, after, ended, form, how) => {
          const rest = end === '' ? [] : after
          const lastEnded = rest.length === 0 || ended
          const behind = rest
            .map(([text, own], index) => text + (index === rest.length - 1 && !lastEnded ? '' : own))
            .join('')
          const whole = before.map(([text, own]) => text + own).join('')
          const text = (mark: string) => whole + mark + end + behind
          const { disk, journal } = await prepared({ 'a.txt': encoded(text(MARK), form) })
          const options = form.encoding === 'latin1' ? ({ encoding: 'latin1' } as const) : {}
          // Only operations on one file can be told what encoding it has.
          fc.pre(form.encoding !== 'latin1' || !how.startsWith('apply'))
          // What is next to a change overlaps it.
          fc.pre(how !== 'merge' || before.length > 1)
          const at = before.length + 1
          const hunk = `@@ -${at} +${at} @@\n-${MARK}\n+changed\n`
          const expected = text('changed')
          let wanted = expected
          if (how === 'edit') await journal.edit('a.txt', [{ oldText: MARK, newText: 'changed' }], options)
          if (how === 'lenient') {
            const edits = [{ oldText: `  ${MARK}  `, newText: '  changed' }]
            await journal.edit('a.txt', edits, { ...options, lenient: true })
          }
          if (how === 'patch') await journal.patch('a.txt', hunk, options)
          if (how === 'apply') await journal.applyPatch(`--- a/a.txt\n+++ b/a.txt\n${hunk}`)
          if (how === 'apply_patch') {
            await journal.applyPatch(`*** Begin Patch\n*** Update File: a.txt\n@@\n-${MARK}\n+changed\n*** End Patch\n`)
            // As the format has it.
            if (!expected.endsWith('\n')) wanted += /\r\n[^\n]*$/.test(expected) ? '\r\n' : '\n'
          }
          if (how === 'merge') {
            const base = createHash('sha256')
              .update(encoded(text(MARK), form))
              .digest('hex')
            await journal.write('a.txt', encoded(`first\n${text(MARK)}`, form))
            await journal.edit('a.txt', [{ oldText: MARK, newText: 'changed' }], {
              ...options,
              expect: base,
              merge: true,
            })
            wanted = `first\n${expected}`
          }
          expect(Buffer.from(disk.readFile(`${ROOT}/a.txt`))).toEqual(encoded(wanted, form))
          await journal.close()
        },
      ),
      { numRuns: 150 },
    ))

  it.each<[string, (journal: Journal) => Promise<unknown>]>([
    ['an edit', (journal) => journal.edit('bin', [{ oldText: 'a', newText: 'b' }])],
    ['a patch', (journal) => journal.patch('bin', '@@ -1 +1 @@\n-a\n+b\n')],
    ['a patch of many files', (journal) => journal.applyPatch('--- a/bin\n+++ b/bin\n@@ -1 +1 @@\n-a\n+b\n')],
    [
      'apply_patch',
      (journal) => journal.applyPatch('*** Begin Patch\n*** Update File: bin\n@@\n-a\n+b\n*** End Patch\n'),
    ],
    ['a merge', (journal) => journal.write('bin', 'b', { expect: sha256('a\n'), merge: true })],
  ])('binary content is refused: %s', async (_, change) => {
    const { disk, journal } = await prepared({ bin: 'a\n' })
    await journal.write('bin', Uint8Array.of(0x61, 0, 0xff))
    const error = await failure(change(journal))
    expect(['INVALID', 'CONFLICT']).toContain(error.code)
    expect(`${error.message} ${error.hint}`).toMatch(/is not UTF-8 text/)
    expect(disk.readFile(`${ROOT}/bin`)).toEqual(Uint8Array.of(0x61, 0, 0xff))
    await journal.close()
  })
})
