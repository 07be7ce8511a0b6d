/** What a scribbler makes of its file: the text after so many transactions is always the same. */
const lineOf = ({ width }, line, mark) =>
  // Lines differ everywhere: to find one among others that repeat the same few bytes takes seconds.
  `${String(line).padStart(6, '0')} ${mark} `.padEnd(width - 1, `${line}:${mark} `).concat('\n')

export function firstText(order) {
  return Array.from({ length: order.lines }, (_, line) => lineOf(order, line, 0)).join('')
}

const touched = ({ lines }, number) => [0, 1, 2, 3].map((index) => (number * 7 + index * 11) % lines)

/** The mark that a line has before a transaction. */
function markOf(order, line, number) {
  for (let before = number - 1; before > 0; before -= 1)
    if (before % 3 !== 0 && touched(order, before).includes(line)) return before
  return 0
}

export function editsOf(order, number) {
  return touched(order, number).map((line) => ({
    oldText: lineOf(order, line, markOf(order, line, number)).trimEnd(),
    newText: lineOf(order, line, number).trimEnd(),
  }))
}

export const additionOf = (number) => `added by ${number} `.repeat(400).concat('\n')

/** After `count` transactions, the first of which wrote it. */
export function textAfter(order, count) {
  const lines = Array.from({ length: order.lines }, (_, line) => lineOf(order, line, markOf(order, line, count)))
  for (let number = 3; number < count; number += 3) lines.push(additionOf(number))
  return lines.join('')
}
