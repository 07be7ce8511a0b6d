import pc from 'picocolors'

const colours = pc.createColors(process.stdout.isTTY === true && process.env.NO_COLOR === undefined)
const WIDTH = 92
let step = 0

export const { bold, dim, green, red, yellow, cyan } = colours

export function title(text) {
  console.log(`\n${bold(text)}`)
}

/** Begins the next numbered step. */
export function chapter(text) {
  step += 1
  console.log(`\n${bold(cyan(String(step).padStart(2)))}  ${bold(text)}`)
}

export function say(text = '') {
  console.log(text === '' ? '' : `    ${text}`)
}

/** A line of somebody else's text, cut to the width of the page. */
export function quote(text, paint = dim) {
  const line = text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text
  console.log(`      ${paint(line)}`)
}

/** Prints what holds; throws when it does not, with up to five reasons. */
export function prove(holds, text, reasons = []) {
  if (holds) {
    say(`${green('✓')} ${text}`)
    return
  }
  say(`${red('✗')} ${text}`)
  for (const reason of reasons.slice(0, 5)) quote(reason, red)
  if (reasons.length > 5) quote(`and ${reasons.length - 5} more`, red)
  throw new Error(`Does not hold: ${text}`)
}

/** Runs `work` and gives its result with the time it took, as text. */
export async function timed(work) {
  const begun = performance.now()
  const result = await work()
  return [result, duration(performance.now() - begun)]
}

export function duration(ms) {
  if (ms < 10) return `${ms.toFixed(1)} ms`
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(2)} s`
}

export function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`
  return bytes < 1 << 20 ? `${(bytes / 1024).toFixed(0)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`
}
