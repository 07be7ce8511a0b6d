import type { JsonForm } from './json-form.ts'
import { endOf, type JsonNode } from './json-tree.ts'

/** An item of a list, or a member of an object, as it is to stand there; `node` where it stood there before. */
export interface JsonItem {
  readonly node?: JsonNode | undefined
  readonly text: string
}

/**
 * A list or an object of strict JSON with these items. What stood next to each other and still does keeps what is between it; all else is laid out
 * as the rest of the container is. `indent`: blanks before its closing bracket, where it is laid out on several lines.
 */
export function withItems(
  text: string,
  container: JsonNode,
  items: readonly JsonItem[],
  form: JsonForm,
  indent: string,
): string {
  const children = container.children ?? []
  const [open, close] = [text[container.offset], text[endOf(container) - 1]]
  if (items.length === 0) return `${open}${close}`
  const places = new Map(children.map((child, index) => [child, index]))
  const first = children[0]
  const last = children.at(-1)
  const broken = form.unit !== null
  const step = broken ? form.newline + indent + form.unit : ''
  const lead = first === undefined ? step : text.slice(container.offset + 1, first.offset)
  const tail =
    last === undefined ? (broken ? form.newline + indent : '') : text.slice(endOf(last), endOf(container) - 1)
  const second = children[1]
  const usual =
    first !== undefined && second !== undefined
      ? text.slice(endOf(first), second.offset)
      : first !== undefined && lead.includes('\n')
        ? `,${lead}`
        : broken && first === undefined
          ? `,${step}`
          : form.comma
  const parts = [open ?? '', lead]
  for (const [index, item] of items.entries()) {
    const before = items[index - 1]?.node
    const from = before === undefined ? undefined : places.get(before)
    const to = item.node === undefined ? undefined : places.get(item.node)
    if (index > 0) {
      const neighbours = before !== undefined && item.node !== undefined && from !== undefined && to === from + 1
      parts.push(neighbours ? text.slice(endOf(before), item.node.offset) : usual)
    }
    parts.push(item.text)
  }
  parts.push(tail, close ?? '')
  return parts.join('')
}

/** Those items of a container that stay as they are. */
export function itemOf(text: string, node: JsonNode): JsonItem {
  return { node, text: text.slice(node.offset, endOf(node)) }
}
