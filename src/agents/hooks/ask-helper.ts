import { connect } from 'node:net'
import type { HookAnswer, HookRequest } from './wire.ts'
import { MAX_MESSAGE } from './wire.ts'

/** Why there was no answer. `absent`: nobody listens. `silent`: not in time. `broken`: the connection ended before the answer. */
export type NoAnswer = 'absent' | 'silent' | 'broken'

/** Sends one request to the helper that listens at `address`. Never throws. */
export function askHelper(address: string, request: HookRequest, timeoutMs: number): Promise<HookAnswer | NoAnswer> {
  return new Promise((resolve) => {
    const socket = connect(address)
    let connected = false
    let received = ''
    const settle = (answer: HookAnswer | NoAnswer) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => settle('silent'), timeoutMs)
    socket.setEncoding('utf8')
    socket.on('connect', () => {
      connected = true
      socket.write(`${JSON.stringify(request)}\n`)
    })
    socket.on('data', (chunk: string) => {
      received += chunk
      const end = received.indexOf('\n')
      if (end !== -1) settle(answerOf(received.slice(0, end)))
      else if (received.length > MAX_MESSAGE) settle('broken')
    })
    socket.on('error', () => settle(connected ? 'broken' : 'absent'))
    socket.on('close', () => settle('broken'))
  })
}

function answerOf(line: string): HookAnswer | NoAnswer {
  try {
    const answer: unknown = JSON.parse(line)
    return typeof answer === 'object' && answer !== null ? (answer as HookAnswer) : 'broken'
  } catch {
    return 'broken'
  }
}
