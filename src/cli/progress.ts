import { byteCount } from './measure.ts'

/** How far some long work has come; a `total` of 0 is unknown. */
export interface ProgressReport {
  readonly phase: string
  readonly done: number
  readonly total: number
}

/** Phases that count things; the others count bytes. */
const COUNTED = new Set(['comparing', 'replaying', 'recovering'])
const PATIENCE_MS = 300
const REDRAW_MS = 100
const BAR = 24

/** One line on standard error that shows how far long work has come. Silent unless somebody is looking. */
export class Progress {
  readonly #started = Date.now()
  #drawn = 0
  #visible = false

  readonly report = (report: ProgressReport): void => {
    if (process.stderr.isTTY !== true) return
    const now = Date.now()
    if (now - this.#started < PATIENCE_MS || now - this.#drawn < REDRAW_MS) return
    this.#drawn = now
    this.#visible = true
    process.stderr.write(`\r\x1b[2K${draw(report)}`)
  }

  clear(): void {
    if (!this.#visible) return
    this.#visible = false
    process.stderr.write('\r\x1b[2K')
  }
}

function draw({ phase, done, total }: ProgressReport): string {
  const amount = (count: number) => (COUNTED.has(phase) ? String(count) : byteCount(count))
  if (total <= 0) return `${phase} ${amount(done)}`
  const share = Math.min(1, done / total)
  const full = Math.round(share * BAR)
  return `${phase} ${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${Math.floor(share * 100)} %  ${amount(done)} of ${amount(total)}`
}
