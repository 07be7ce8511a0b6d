/**
 * Two agents, each a process, and a person work in one folder at the same time.
 *
 *     node examples/two-agents.mjs
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openJournal } from 'write-journal'

const ROUNDS = 10

/** Adds a line to a list that all share, and writes a file of its own, in one transaction; again, when somebody was faster. */
async function round(journal, name, number) {
  for (;;) {
    try {
      return await journal.transact({ message: `round ${number}` }, async (tx) => {
        const list = Buffer.from(await tx.read('list.md')).toString()
        await tx.write('list.md', `${list}- ${name} ${number}\n`)
        await tx.write(`${name}/${number}.txt`, `${number} by ${name}\n`)
      })
    } catch (error) {
      if (error.code !== 'CONFLICT') throw error
    }
  }
}

async function agent(root, name) {
  const journal = await openJournal(root, { actor: name })
  for (let number = 1; number <= ROUNDS; number += 1) await round(journal, name, number)
  await journal.close()
}

function start(root, name) {
  return spawn(process.execPath, [fileURLToPath(import.meta.url), 'agent', root, name], { stdio: 'inherit' })
}

async function collected(items) {
  const all = []
  for await (const item of items) all.push(item)
  return all
}

async function demonstration() {
  const root = mkdtempSync(join(tmpdir(), 'two-agents-'))
  try {
    writeFileSync(join(root, 'list.md'), '# What was done\n')
    writeFileSync(join(root, 'notes.md'), 'by hand\n')
    await (await openJournal(root)).close()

    const agents = ['alice', 'bob'].map((name) => start(root, name))
    // The person knows nothing of journals, and edits a file as ever.
    const editing = setInterval(() => appendFileSync(join(root, 'notes.md'), 'more by hand\n'), 20)
    const ended = await Promise.all(agents.map(async (child) => (await once(child, 'exit'))[0]))
    clearInterval(editing)
    console.log('both agents ended with', ended.join(' and '))

    const journal = await openJournal(root, { actor: 'person' })
    const lines = readFileSync(join(root, 'list.md'), 'utf8').trim().split('\n').slice(1)
    for (const name of ['alice', 'bob']) {
      const own = lines.filter((line) => line.startsWith(`- ${name} `))
      const commits = await collected(journal.history({ actor: name }))
      console.log(`${name}: ${own.length} lines in the list, ${commits.length} transactions, none lost`)
    }
    await journal.adopt(undefined, { message: 'notes' })
    const { ok } = await journal.verify({ workspace: true })
    console.log(
      `the person's notes are whole: ${/^by hand\n(more by hand\n)*$/.test(readFileSync(join(root, 'notes.md'), 'utf8'))}`,
    )
    console.log(`the folder is what the history says: ${ok}`)
    await journal.close()
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

const [, , role, root, name] = process.argv
if (role === 'agent') await agent(root, name)
else await demonstration()
