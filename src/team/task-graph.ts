import { JournalError } from '../errors.ts'

/** `first` comes before `next`. `hard`: it was said so, or the work of one would be lost; others only make for an order that reads well. */
export interface TaskEdge {
  readonly first: number
  readonly next: number
  readonly hard: boolean
}

export interface TaskLevels {
  /** Numbers of tasks that may be done at the same time, level after level. */
  readonly levels: readonly (readonly number[])[]
  /** Tasks that each come before the others: they are taken as one. */
  readonly cycles: readonly (readonly number[])[]
}

/**
 * Levels of a graph: a task stands one level above the highest that it comes after. Those of a cycle stand on one level; where some of its edges are hard, these are
 * kept, and the others are not.
 * @throws JournalError `INVALID` when hard edges are a circle
 */
export function levelsOf(count: number, edges: readonly TaskEdge[], nameOf: (task: number) => string): TaskLevels {
  const component = components(count, edges)
  const within = edges.filter(({ first, next }) => component[first] === component[next])
  const torn = new Set(within.filter(({ hard }) => hard).map(({ first }) => component[first]))
  // A unit is what stands on one level: a task, or a cycle.
  const unitOf = (task: number): number => (torn.has(component[task]) ? count + task : (component[task] as number))
  const kept = edges.filter(({ first, next, hard }) => component[first] !== component[next] || (hard && first !== next))
  const circle = edges.find(({ first, next, hard }) => hard && first === next)
  if (circle !== undefined) throw circleError([circle.first], nameOf)
  const before = new Map<number, Set<number>>()
  const behind = new Map<number, number[]>()
  const units = new Set(Array.from({ length: count }, (_, task) => unitOf(task)))
  for (const { first, next } of kept) {
    const [from, to] = [unitOf(first), unitOf(next)]
    const known = before.get(to) ?? new Set()
    if (known.has(from)) continue
    before.set(to, known.add(from))
    behind.set(from, [...(behind.get(from) ?? []), to])
  }
  const level = new Map<number, number>()
  const waiting = new Map([...units].map((unit) => [unit, before.get(unit)?.size ?? 0]))
  const ready = [...units].filter((unit) => waiting.get(unit) === 0)
  for (const unit of ready) level.set(unit, 0)
  for (let unit = ready.pop(); unit !== undefined; unit = ready.pop()) {
    for (const next of behind.get(unit) ?? []) {
      level.set(next, Math.max(level.get(next) ?? 0, (level.get(unit) as number) + 1))
      const left = (waiting.get(next) as number) - 1
      waiting.set(next, left)
      if (left === 0) ready.push(next)
    }
  }
  const stuck = Array.from({ length: count }, (_, task) => task).filter((task) => (waiting.get(unitOf(task)) ?? 0) > 0)
  if (stuck.length > 0) throw circleError(stuck, nameOf)
  const levels: number[][] = []
  const cycles = new Map<number, number[]>()
  for (let task = 0; task < count; task += 1) {
    const at = level.get(unitOf(task)) as number
    while (levels.length <= at) levels.push([])
    levels[at]?.push(task)
    const own = component[task] as number
    cycles.set(own, [...(cycles.get(own) ?? []), task])
  }
  return { levels, cycles: [...cycles.values()].filter(({ length }) => length > 1) }
}

function circleError(tasks: readonly number[], nameOf: (task: number) => string): JournalError {
  const names = tasks.map(nameOf)
  return new JournalError('INVALID', `these tasks wait for each other: ${names.slice(0, 10).join(', ')}`, {
    hint: 'Take an `after` away, or put what belongs together into one task.',
    details: { tasks: names },
  })
}

/** Strongly connected components, by Tarjan's algorithm, without recursion: the number of one by task. */
function components(count: number, edges: readonly TaskEdge[]): number[] {
  const behind: number[][] = Array.from({ length: count }, () => [])
  for (const { first, next } of edges) behind[first]?.push(next)
  const found = new Array<number>(count).fill(-1)
  const order = new Array<number>(count).fill(-1)
  const low = new Array<number>(count).fill(0)
  const stack: number[] = []
  const onStack = new Array<boolean>(count).fill(false)
  let clock = 0
  let made = 0
  for (let root = 0; root < count; root += 1) {
    if (order[root] !== -1) continue
    const path: { task: number; at: number }[] = [{ task: root, at: 0 }]
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { task } = top
      if (top.at === 0) {
        order[task] = clock
        low[task] = clock
        clock += 1
        stack.push(task)
        onStack[task] = true
      }
      const child = behind[task]?.[top.at]
      top.at += 1
      if (child !== undefined) {
        if (order[child] === -1) path.push({ task: child, at: 0 })
        else if (onStack[child] === true) low[task] = Math.min(low[task] as number, order[child] as number)
        continue
      }
      path.pop()
      const above = path.at(-1)
      if (above !== undefined) low[above.task] = Math.min(low[above.task] as number, low[task] as number)
      if (low[task] !== order[task]) continue
      for (let member = stack.pop(); member !== undefined; member = stack.pop()) {
        onStack[member] = false
        found[member] = made
        if (member === task) break
      }
      made += 1
    }
  }
  return found
}
