/**
 * Draws what the batches took, as an SVG: `node bench/plot.mjs RESULT.json PICTURE.svg`, with what `npm run bench -- --json RESULT.json` wrote.
 * A panel a shape; bars on a logarithmic scale, the fastest on top.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { figure } from './measure.mjs'

const [from, to] = process.argv.slice(2)
if (to === undefined) {
  process.stderr.write('Usage: node bench/plot.mjs RESULT.json PICTURE.svg\n')
  process.exit(2)
}
const { machine, time, results } = JSON.parse(readFileSync(from, 'utf8'))
const PANEL = { width: 330, label: 168, row: 17, head: 30, gap: 16 }
const COLUMNS = 2
const shapes = Object.entries(results.batches)
const rows = Math.max(...shapes.map(([, engines]) => Object.keys(engines).length))
const height = PANEL.head + rows * PANEL.row + PANEL.gap
const width = COLUMNS * (PANEL.label + PANEL.width) + PANEL.gap
const lines = Math.ceil(shapes.length / COLUMNS)
const text = (x, y, words, more = '') => `<text x="${x}" y="${y}" ${more}>${words.replaceAll('&', '&amp;')}</text>`

const panels = shapes.map(([shape, engines], at) => {
  const left = (at % COLUMNS) * (PANEL.label + PANEL.width) + PANEL.label
  const top = Math.floor(at / COLUMNS) * height + PANEL.head
  const sorted = Object.entries(engines).sort(([, a], [, b]) => a.median - b.median)
  const least = sorted[0][1].median / 1.5
  const scale = (PANEL.width - 80) / Math.log(sorted.at(-1)[1].median / least)
  const bars = sorted.map(([name, { median }], row) => {
    const y = top + row * PANEL.row
    const length = Math.log(median / least) * scale
    const own = name === 'write-journal'
    return [
      text(left - 6, y + 12, name, `text-anchor="end"${own ? ' font-weight="bold"' : ''}`),
      `<rect x="${left}" y="${y + 2}" width="${length.toFixed(1)}" height="${PANEL.row - 5}" fill="${own ? '#d1495b' : '#7a93ac'}"/>`,
      text((left + length + 5).toFixed(1), y + 12, `${figure(median)} ms`),
    ].join('\n')
  })
  return [text(left, top - 8, `${shape}, rewritten`, 'font-weight="bold"'), ...bars].join('\n')
})
const caption = `Median of a durable batch, logarithmic scale. ${machine}; ${time.slice(0, 10)}`
writeFileSync(
  to,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${lines * height + 24}" font-family="sans-serif" font-size="12" fill="#223">
<rect width="100%" height="100%" fill="white"/>
${panels.join('\n')}
${text(8, lines * height + 14, caption, 'font-size="11"')}
</svg>
`,
)
