import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createApplyPatch, type PatchOperation } from '../../../src/agents/apply-patch/index.ts'
import { historyOf, scratchJournal } from '../scratch.ts'

async function patching(files: Readonly<Record<string, string>> = {}) {
  const journal = await scratchJournal()
  for (const [name, content] of Object.entries(files)) writeFileSync(join(journal.root, name), content)
  const text = (name: string) => readFileSync(join(journal.root, name), 'utf8')
  return { journal, text, patches: createApplyPatch(journal, { actor: 'model' }) }
}

const patch = (...lines: string[]) => `*** Begin Patch\n${lines.join('\n')}\n*** End Patch`

describe('the text form', () => {
  it('changes many files as one transaction and lists them', async () => {
    const { journal, patches, text } = await patching({ 'a.txt': 'one\ntwo\n', 'gone.txt': '', 'old.txt': 'x\ny\n' })
    const outcome = await patches.apply(
      patch(
        '*** Update File: a.txt',
        '@@',
        ' one',
        '-two',
        '+2',
        '*** Delete File: gone.txt',
        '*** Add File: b/new.txt',
        '+new',
        '*** Update File: old.txt',
        '*** Move to: moved.txt',
        '@@',
        '-x',
        '+z',
      ),
      { parent: 'call-1' },
    )
    const [{ tx, actor, parent } = { tx: '' }, ...others] = await historyOf(journal)
    expect(outcome).toEqual({
      status: 'completed',
      output: 'Success. Updated the following files:\nA b/new.txt\nM a.txt\nM moved.txt\nD gone.txt\n',
      tx,
    })
    expect([others, actor, parent]).toEqual([[], 'model', 'call-1'])
    expect([text('a.txt'), text('b/new.txt'), text('moved.txt')]).toEqual(['one\n2\n', 'new\n', 'z\ny\n'])
    expect(existsSync(join(journal.root, 'gone.txt'))).toBe(false)
  })

  it('says everything that does not fit, and changes nothing', async () => {
    const { journal, patches, text } = await patching({ 'a.txt': 'one\n', 'b.txt': 'b\n' })
    const outcome = await patches.apply(
      patch(
        '*** Update File: b.txt',
        '@@',
        '-b',
        '+c',
        '*** Update File: a.txt',
        '@@',
        '-uno',
        '-due',
        '+1',
        '*** Delete File: none.txt',
        '*** Update File: missing.txt',
        '@@',
        '-x',
        '+y',
      ),
    )
    expect(outcome).toEqual({
      status: 'failed',
      output: [
        'Failed to find expected lines in a.txt:\nuno\ndue',
        'Failed to delete file none.txt',
        'Failed to read file to update missing.txt: No such file or directory (os error 2)',
      ].join('\n'),
    })
    expect([text('a.txt'), text('b.txt'), await historyOf(journal)]).toEqual(['one\n', 'b\n', []])
  })

  it.each([
    ['', "Invalid patch: The first line of the patch must be '*** Begin Patch'"],
    ['*** Begin Patch\n*** End Patch', 'No files were modified.'],
    [patch('*** Frobnicate File: a'), 'Invalid patch hunk on line 2: '],
    [patch('*** Update File: a.txt', '@@', 'xyz'), 'Invalid patch hunk on line 4: '],
    [patch('*** Add File: ../a.txt', '+x'), 'leads out of the workspace'],
    [patch('*** Add File: .journal/FORMAT', '+x'), 'leads into a journal'],
    [7 as never, 'A patch is a text.'],
  ])('%j is refused', async (text, words) => {
    const { journal, patches } = await patching({ 'a.txt': 'xyz\n' })
    const { status, output } = await patches.apply(text)
    expect([status, output]).toEqual(['failed', expect.stringContaining(words)])
    expect(await historyOf(journal)).toEqual([])
  })

  it('a closed journal is no fault of the patch', async () => {
    const { journal, patches } = await patching()
    await journal.close()
    await expect(patches.apply(patch('*** Add File: a', '+a'))).rejects.toMatchObject({ code: 'CLOSED' })
  })
})

describe('the operation form', () => {
  it('makes, changes, moves and removes', async () => {
    const { patches, text, journal } = await patching()
    const created = await patches.createFile({ type: 'create_file', path: 'a.txt', diff: '+one\n+two' })
    expect(created).toMatchObject({ status: 'completed', output: 'Success. Updated the following files:\nA a.txt\n' })
    await patches.updateFile({ type: 'update_file', path: 'a.txt', diff: '@@\n one\n-two\n+2\n', moveTo: 'b.txt' })
    expect(text('b.txt')).toBe('one\n2\n')
    expect((await patches.deleteFile({ type: 'delete_file', path: 'b.txt' })).status).toBe('completed')
    expect(existsSync(join(journal.root, 'b.txt'))).toBe(false)
  })

  it('several are one transaction', async () => {
    const { patches, text, journal } = await patching({ 'a.txt': 'a\n' })
    const operations: PatchOperation[] = [
      { type: 'create_file', path: 'new.txt', diff: '+new' },
      { type: 'update_file', path: 'a.txt', diff: '@@\n-not there\n+x' },
    ]
    const failed = await patches.operations(operations)
    expect(failed).toEqual({ status: 'failed', output: 'Failed to find expected lines in a.txt:\nnot there' })
    expect(existsSync(join(journal.root, 'new.txt'))).toBe(false)
    const done = await patches.operations([
      operations[0] as PatchOperation,
      { type: 'update_file', path: 'a.txt', diff: '@@\n-a\n+b' },
    ])
    expect([done.status, text('new.txt'), text('a.txt')]).toEqual(['completed', 'new\n', 'b\n'])
    expect((await historyOf(journal)).length).toBe(1)
  })

  it.each([
    [{ type: 'create_file', path: 'a.txt', diff: '+x\n*** Delete File: victim.txt' }],
    [{ type: 'update_file', path: 'victim.txt', diff: '*** Move to: elsewhere.txt\n@@\n-v\n+w' }],
    [{ type: 'update_file', path: 'victim.txt', diff: '@@\n-v\n+w\n*** End Patch\n*** Begin Patch' }],
    [{ type: 'delete_file', path: 'a.txt\n*** Delete File: victim.txt' }],
    [{ type: 'update_file', path: 'a.txt', diff: '@@\n-a\n+b', moveTo: 'b.txt\n*** Delete File: victim.txt' }],
    [{ type: 'create_file', path: 'a.txt', diff: 'no plus' }],
    [{ type: 'chmod_file', path: 'a.txt' }],
    [{ type: 'create_file', path: 'a.txt', diff: 7 }],
    [{ type: 'create_file', diff: '+x' }],
    [null],
  ])('%j reaches no other file', async (operation) => {
    const { patches, text, journal } = await patching({ 'victim.txt': 'v\n' })
    expect((await patches.operation(operation as never)).status).toBe('failed')
    expect([text('victim.txt'), await historyOf(journal)]).toEqual(['v\n', []])
  })
})
