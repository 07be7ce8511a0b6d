let turn = 1
let turning = false

/**
 * Number of the current turn of the event loop, of those in which somebody asked. Within one turn this process does nothing else, so what was looked at
 * in it is as good as looked at now.
 */
export function eventTurn(): number {
  if (!turning) {
    turning = true
    setImmediate(() => {
      turn += 1
      turning = false
    })
  }
  return turn
}
