/** Streams so many bytes into one file through the journal, and tells its parent what memory that took. */
import { readFileSync, writeFileSync } from 'node:fs'
import { openJournal } from '../../dist/index.js'

const [root, size, source] = process.argv.slice(2)
const CHUNK = 64 * 1024

const journal = await openJournal(root, { actor: 'bench' })
await journal.write('warm-up.bin', chunks(1 << 20))
await new Promise((resolve) => setTimeout(resolve, 300))

const idle = process.memoryUsage.rss()
const peak = watchPeak()
const begun = performance.now()
if (source === 'alone') for await (const _ of chunks(Number(size), true));
else await journal.write('large.bin', chunks(Number(size)))
const milliseconds = performance.now() - begun
const held = peak()
await journal.close()
process.send({ idle, peak: held.bytes, how: held.how, milliseconds }, () => process.disconnect())

/** `fresh`: a new buffer each time, as Node's own streams have it; they wait for the garbage collector. Else always the same one. */
async function* chunks(total, fresh = source === 'fresh') {
  const same = Buffer.alloc(CHUNK)
  for (let sent = 0; sent < total; sent += CHUNK) {
    const chunk = fresh ? Buffer.alloc(CHUNK) : same
    chunk.fill(sent / CHUNK)
    chunk.writeUInt32LE(sent / CHUNK)
    yield chunk.subarray(0, Math.min(CHUNK, total - sent))
  }
}

/**
 * The kernel's own high-water mark where it can be set back (Linux), samples every 5 ms elsewhere. `resourceUsage().maxRSS` would
 * not do: it begins with what the parent held when it started this process.
 */
function watchPeak() {
  try {
    writeFileSync('/proc/self/clear_refs', '5')
    return () => {
      const line = readFileSync('/proc/self/status', 'utf8').match(/VmHWM:\s+(\d+) kB/)
      return { bytes: Number(line[1]) * 1024, how: 'high-water mark' }
    }
  } catch {
    let most = 0
    const sample = setInterval(() => {
      most = Math.max(most, process.memoryUsage.rss())
    }, 5)
    return () => {
      clearInterval(sample)
      return { bytes: Math.max(most, process.memoryUsage.rss()), how: 'sampled' }
    }
  }
}
