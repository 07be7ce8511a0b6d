/** The thread that has a journal open for callers that do not wait, or wait without turning the event loop. */
import { join } from 'node:path'
import { workerData } from 'node:worker_threads'
import { NodeDisk } from '../../disk/node-disk.ts'
import { JournalError } from '../../errors.ts'
import type { Journal } from '../../journal.ts'
import { openJournal } from '../../open-journal.ts'
import { WriterLock } from '../../store/writer-lock.ts'
import { JournalMutator } from './journal-mutator.ts'
import { asRefusal } from './node-error.ts'
import type { Answer, Request, ThreadData } from './thread-messages.ts'

const { root, options, port, signal } = workerData as ThreadData
const LOCK_TIMEOUT_MS = 30_000
const LOCK_PAUSE_MS = 20

let journal: Promise<Journal> | null = null
let closing: Promise<unknown> = Promise.resolve()
let running = 0
let idle: NodeJS.Timeout | null = null

port.on('message', (request: Request) => {
  if (idle !== null) clearTimeout(idle)
  idle = null
  running += 1
  void answerTo(request).then((answer) => {
    running -= 1
    port.postMessage(answer)
    Atomics.add(signal, 0, 1)
    Atomics.notify(signal, 0)
    if (request.idleMs !== null && running === 0)
      idle = setTimeout(() => void close().catch(() => undefined), request.idleMs)
  })
})

async function answerTo({ id, task, meta }: Request): Promise<Answer> {
  try {
    if (task.op === 'close') return { id, value: await close() }
    const opened = await open()
    return { id, value: task.op === 'open' ? opened.root : await new JournalMutator(opened, meta).perform(task) }
  } catch (error) {
    return { id, fault: asRefusal(error, task.op).fault }
  }
}

function open(): Promise<Journal> {
  if (journal === null) {
    const opening = closing.then(patiently)
    journal = opening
    opening.catch(() => {
      if (journal === opening) journal = null
    })
  }
  return journal
}

async function close(): Promise<undefined> {
  const opened = journal
  journal = null
  if (opened !== null) closing = opened.then((found) => found.close())
  // Who comes next does not fail for what failed here.
  const ended = closing
  closing = closing.catch(() => undefined)
  await ended
  return undefined
}

/** Waits for another process that writes; this one it would wait for in vain. */
async function patiently(): Promise<Journal> {
  const until = Date.now() + (options.lockTimeoutMs ?? LOCK_TIMEOUT_MS)
  for (;;) {
    const holder = WriterLock.holder(new NodeDisk(), join(root, '.journal', 'LOCK'))
    if (holder?.pid === process.pid) {
      throw new JournalError('LOCKED', `this process has the journal of ${root} open itself`, {
        hint: 'Close it first; or write through the open journal: createFs(journal) of write-journal/fs.',
      })
    }
    try {
      return await openJournal(root, options)
    } catch (error) {
      if (!(error instanceof JournalError) || error.code !== 'LOCKED' || Date.now() > until) throw error
      await new Promise((resolve) => setTimeout(resolve, LOCK_PAUSE_MS))
    }
  }
}
