/**
 * Runs the same work again and again, each time with a fault at a later call, until a run meets none. Each run has a
 * workspace of its own, which is left for the test to look at.
 * order: { dist, home, page, scene: 'opening' | 'committing' | 'recovering' | 'dying', first, step, template? }
 * The working folder is `home`: what is read by a relative path passes the shim by.
 */
import fs from 'node:fs'
import { built, order, tell } from '../crash/child.mjs'

const { openJournal } = await built()
const ROOT = `${order.home}/work`
const BIG = 1536 * 1024
const page = fs.openSync(order.page, 'r+')

function arm(at) {
  const words = Buffer.alloc(16)
  words.writeBigUInt64LE(BigInt(at), 8)
  fs.writeSync(page, Buffer.alloc(4), 0, 4, 28)
  fs.writeSync(page, words, 0, 16, 0)
}

function struck() {
  const bytes = Buffer.alloc(512)
  fs.readSync(page, bytes, 0, 512, 0)
  return { struck: bytes.readUInt32LE(28), what: bytes.toString('utf8', 32, bytes.indexOf(0, 32)) }
}

/** Everything in the workspace but the journal, as text. */
function tree() {
  const lines = []
  const visit = (folder) => {
    for (const name of fs.readdirSync(`work${folder}`).sort()) {
      const path = `${folder}/${name}`
      if (path === '/.journal') continue
      const stat = fs.lstatSync(`work${path}`)
      const mode = stat.isSymbolicLink() ? fs.readlinkSync(`work${path}`) : stat.mode.toString(8)
      lines.push(`${path} ${mode} ${stat.isFile() ? fs.readFileSync(`work${path}`).toString('base64') : ''}`)
      if (stat.isDirectory()) visit(path)
    }
  }
  visit('')
  return lines.join('\n')
}

/** Files below `home` that this process still has open, but for the page. */
function open() {
  return fs.readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = fs.readlinkSync(`/proc/self/fd/${fd}`)
      return path.startsWith(`${order.home}/work`) ? [path.slice(order.home.length)] : []
    } catch {
      return []
    }
  })
}

function refused(where, error, more = {}) {
  tell('refused', {
    where,
    name: error?.name,
    code: error?.code,
    message: error?.message,
    stack: error?.stack,
    ...more,
  })
}

/** `alone`: nothing else may change the workspace meanwhile. */
async function attempt(where, action, alone = true) {
  const before = tree()
  try {
    const receipt = await action()
    if (receipt?.tx !== undefined) tell('ack', { tx: receipt.tx, seq: receipt.seq, chain: receipt.chain })
    return receipt
  } catch (error) {
    refused(where, error, { changed: alone && tree() !== before })
    return undefined
  }
}

async function base(journal) {
  await journal.transact(async (tx) => {
    await tx.write('a.txt', 'first\nsecond\n')
    await tx.write('b.txt', 'b\n'.repeat(2000))
    await tx.write('sub/c.txt', 'c')
    await tx.write('sub/gone.txt', 'gone')
    await tx.write('big.bin', Buffer.alloc(BIG, 'old'))
    await tx.mkdir('empty')
  })
}

/** Transactions of every kind. */
async function work(journal) {
  const first = await attempt('write', () =>
    journal.transact(async (tx) => {
      await tx.write('a.txt', 'replaced\n')
      await tx.write('new/deep/d.txt', 'd'.repeat(5000))
      await tx.write('b.txt', 'x', { mode: 0o600 })
      await tx.symlink('link', 'a.txt')
      await tx.chmod('sub/c.txt', 0o755)
    }),
  )
  await attempt('move', () =>
    journal.transact(async (tx) => {
      await tx.rename('sub/c.txt', 'moved.txt')
      await tx.remove('sub/gone.txt')
      await tx.rmdir('sub')
      await tx.rmdir('empty')
      await tx.append('b.txt', 'appended')
    }),
  )
  await attempt('big', () => journal.write('big.bin', Buffer.alloc(BIG, 'new')))
  await attempt('checkpoint', () => journal.checkpoint())
  if (first !== undefined) await attempt('undo', () => journal.undo(first.tx, { force: true }))
  const both = [journal.write('p', '1'), journal.write('q/r', '2')]
  await Promise.all(both.map((write) => attempt('together', () => write, false)))
}

async function run(at) {
  fs.rmSync(ROOT, { recursive: true, force: true })
  if (order.template === undefined) fs.mkdirSync(ROOT)
  else fs.cpSync(order.template, ROOT, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
  let journal
  if (order.scene === 'committing' || order.scene === 'dying') {
    journal = await openJournal(ROOT)
    await base(journal)
  }
  arm(at)
  try {
    journal ??= await openJournal(ROOT)
    if (order.scene === 'committing' || order.scene === 'dying') await work(journal)
    else await attempt('write', () => journal.write('after.txt', 'after'))
  } catch (error) {
    refused('open', error)
  }
  await journal?.close().catch((error) => refused('close', error))
  const { struck: strikes, what } = struck()
  arm(0)
  return { strikes, what }
}

process.chdir(order.home)
for (let at = order.first; ; at += order.step) {
  const { strikes, what } = await run(at)
  const root = `${order.home}/ran-${at}`
  const left = open()
  fs.renameSync(ROOT, root)
  tell('ran', { at, root, strikes, what, open: left })
  if (strikes === 0) break
}
