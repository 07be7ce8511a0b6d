/**
 * Runs random transactions of all kinds without end, several at a time, until it is killed; or with `only: 'open'` recovers.
 * order: { dist, root, seed, dieAt?, only?, open? (options), lanes?, small?, shared? (the only paths) }
 */
import { Readable } from 'node:stream'
import { built, fail, mortalDisk, order, tell } from './child.mjs'
import { dice } from './dice.mjs'

/** Refusals that random operations and races between transactions earn rightly. */
const EXPECTED = ['NOT_FOUND', 'EXISTS', 'INVALID', 'CONFLICT']
const MODES = [0o644, 0o600, 0o755, 0o640, 0o444]
const FOLDERS = ['', 'a', 'a/b', 'a/b/c', 'd', 'd/e', 'f/g/h']

const { openJournal } = await built()
const journal = await openJournal(order.root, {
  actor: 'writer',
  disk: await mortalDisk(),
  ...order.open,
}).catch((error) => {
  fail('open', error)
  process.exit(1)
})
tell('open', { recovery: journal.recovery, seq: journal.head.seq })

if (order.only === 'open') {
  await journal.close()
  tell('closed')
} else {
  const random = dice(order.seed)
  const done = []
  await Promise.all(Array.from({ length: order.lanes ?? 4 }, () => lane(random.fork(), done)))
}

async function lane(random, done) {
  for (;;) {
    await step(random, done).catch((error) => {
      if (EXPECTED.includes(error?.code)) tell('refused', { code: error.code, message: error.message })
      else fail('step', error)
    })
    await new Promise(setImmediate)
  }
}

async function step(random, done) {
  const choice = random.unit()
  if (choice < 0.04) return journal.checkpoint()
  if (choice < 0.14 && done.length > 0)
    return acknowledged(await journal.undo(random.pick(done), { force: random.chance(0.3) }), done)
  if (choice < 0.2 && done.length > 0)
    return acknowledged(await journal.redo(random.pick(done), { force: random.chance(0.3) }), done)
  if (choice < 0.22 && done.length > 5) {
    const { receipt } = await journal.restore({ to: random.pick(done.slice(-5)), force: true })
    return receipt === null ? undefined : acknowledged(receipt, done)
  }
  const transaction = journal.begin({ message: 'random', tags: [String(order.seed)] })
  tell('start', { tx: transaction.id })
  const files = random.chance(0.4) ? random.between(1, 3) : random.between(1, 60)
  for (let count = 0; count < files; count += 1) {
    await operation(transaction, random).catch((error) => {
      if (!EXPECTED.includes(error?.code)) fail('operation', error)
    })
  }
  if (random.chance(0.05)) {
    await transaction.abort()
    tell('aborted', { tx: transaction.id })
  } else acknowledged(await transaction.commit(), done)
}

function acknowledged({ tx, seq, chain }, done) {
  tell('ack', { tx, seq, chain })
  done.push(tx)
}

function place(random) {
  if (order.shared !== undefined) return random.pick(order.shared)
  const folder = random.pick(FOLDERS)
  return `${folder === '' ? '' : `${folder}/`}f${random.below(12)}.txt`
}

function size(random) {
  const choice = random.unit()
  if (choice < 0.1) return 0
  if (order.small === true || choice < 0.9) return random.below(3000)
  if (choice < 0.98) return random.between(3000, 80_000)
  return random.between(200_000, 3 * 1024 * 1024)
}

async function operation(tx, random) {
  const path = place(random)
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      return tx.write(path, random.bytes(size(random)), random.chance(0.2) ? { mode: random.pick(MODES) } : {})
    case 3:
      return tx.write(path, stream(random))
    case 4:
      return tx.write(path, `line one\nunique ${random.below(1e9)}\nlast line\n`)
    case 5:
      return tx.append(path, random.bytes(random.below(400)))
    case 6:
      await tx.write(path, 'first\nsecond\nthird\n')
      await tx.edit(path, [{ oldText: 'second', newText: `edited ${random.below(1e9)}` }])
      return tx.patch(path, '--- a\n+++ b\n@@ -1,1 +1,2 @@\n first\n+patched\n')
    case 7:
      return tx.remove(path)
    case 8:
      // What somebody wrote must not come to stand where they write something else: they would overwrite it themselves.
      return tx.rename(path, order.shared === undefined ? place(random) : `moved/m${random.below(4)}.txt`)
    case 9:
      return tx.chmod(path, random.pick(MODES))
    case 10:
      return folders(tx, random)
    default: {
      if (order.shared !== undefined) return tx.write(path, random.bytes(size(random)))
      const link = `links/l${random.below(8)}`
      return random.chance(0.5) ? tx.symlink(link, `../${path}`) : tx.remove(link)
    }
  }
}

function folders(tx, random) {
  if (order.shared !== undefined) return tx.write(place(random), random.bytes(size(random)))
  const folder = random.pick(['x', 'x/y', 'x/y/z', 'w', 'a/b', 'd'])
  switch (random.below(6)) {
    case 0:
    case 1:
      return tx.mkdir(folder, random.chance(0.3) ? { mode: 0o750 } : {})
    case 2:
      return tx.rmdir(folder)
    case 3:
      return tx.remove(folder, { recursive: true })
    case 4:
      return tx.chmod(folder, random.pick([0o755, 0o700, 0o775]))
    default:
      return tx.rename(folder, random.pick(['x', 'w', 'v/u', 'a/b', 'd']))
  }
}

function stream(random) {
  const parts = Array.from({ length: random.between(1, 6) }, () => random.bytes(Math.ceil(size(random) / 3)))
  return Readable.from(parts)
}
