import type { Receipt } from '../transaction/receipt.ts'
import { counted } from './measure.ts'
import type { Output } from './output.ts'
import { printable } from './printable.ts'
import { revisionText } from './revision-text.ts'

/** `A`dded, `M`odified, `D`eleted, or `·` for a change that is not of a file's content. */
function letter({ before, after }: { before: string | null; after: string | null }): string {
  if (before === after) return '·'
  if (before === null) return 'A'
  return after === null ? 'D' : 'M'
}

/** A receipt for a person: a line for the transaction, and one for each path. */
export function receiptText(receipt: Receipt, output: Output, verb = 'committed'): string[] {
  const { bold, green, red, yellow, dim } = output.colors
  const paint: Record<string, (text: string) => string> = { A: green, M: yellow, D: red, '·': dim }
  const lines = receipt.files.map((file) => {
    const mark = letter(file)
    return `  ${(paint[mark] ?? String)(mark)} ${printable(file.path)}`
  })
  const amount = counted(receipt.files.length, 'path')
  const head = `${verb} ${bold(receipt.tx)} (${receipt.seq}), ${amount}${lines.length > 0 ? ':' : ''}`
  return [head, ...lines, ...revisionText(receipt.revisions ?? [], output)]
}

/** Prints a receipt: JSON, or for a person. */
export function printReceipt(receipt: Receipt, output: Output, verb?: string): Promise<void> {
  return output.result(receipt, () => receiptText(receipt, output, verb))
}
