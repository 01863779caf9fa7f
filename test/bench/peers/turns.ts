/**
 * The people: they send messages to conversations and wait, each for the end of its turn, as the log tells it to customers.
 * Beside them the order service that the tool calls.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Supervisor } from '#shared/contracts/supervisor.ts'
import { newId } from '#shared/lib/ids.ts'
import { decodeEvent } from '#shared/wire/event.ts'
import { parseSubject } from '#shared/wire/subjects.ts'

import { benchNode, principalOf } from '../node.ts'
import { servePeer } from '../peer.ts'
import { ANSWER, QUESTION } from '../turn-script.ts'

export interface TurnsConfig {
  readonly natsUrl: string
}

export interface TurnsOrder {
  readonly turns: number
  readonly inFlight: number
  readonly tenants: readonly string[]
  /** Turns of a conversation before the next one is begun. */
  readonly perConversation: number
}

export interface TurnsDone {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

export type TurnsPeer = {
  readonly run: (order: TurnsOrder) => Promise<TurnsDone>
  readonly orderService: (input: null) => string
}

const TURN_MS = 60_000

if (import.meta.main) {
  servePeer<TurnsConfig>(async ({ natsUrl }) => {
    const orders = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ order: '1042', status: 'shipped', arrives: '2026-11-23', carrier: 'DHL' }))
    })
    await new Promise<void>((listening) => orders.listen(0, '127.0.0.1', listening))
    const node = await benchNode(natsUrl, 'bench-people')
    const ends = new Map<string, (outcome: string) => void>()
    const answer = ANSWER.join('')
    node.transport.subscribe('live.t.*.ev.*.pub', (message) => {
      const event = decodeEvent(message.data)
      const subject = parseSubject(message.subject)
      if (subject.lane !== 'live') return
      if (event.type === 'message:completed' && (event.payload as { text: string }).text !== answer)
        ends.get(subject.scope)?.('a wrong answer: ' + JSON.stringify(event.payload).slice(0, 300))
      if (event.type === 'turn:ended') ends.get(subject.scope)?.((event.payload as { outcome: string }).outcome)
    })
    return {
      on: {
        orderService: () => `127.0.0.1:${(orders.address() as AddressInfo).port}`,
        run: (order: TurnsOrder) => run(order, node.system, ends),
      },
      stop: async () => {
        orders.closeAllConnections()
        orders.close()
        await node.stop()
      },
    }
  })
}

async function run(
  { turns, inFlight, tenants, perConversation }: TurnsOrder,
  system: Awaited<ReturnType<typeof benchNode>>['system'],
  ends: Map<string, (outcome: string) => void>,
): Promise<TurnsDone> {
  const times: number[] = []
  let begun = 0
  const person = async (number: number): Promise<void> => {
    for (let said = 0, conversation = ''; begun < turns; said++) {
      begun++
      const reach = system.reach(principalOf(tenants[(number + said) % tenants.length]!))
      if (said % perConversation === 0) conversation = newId()
      const started = performance.now()
      const end = Promise.withResolvers<string>()
      ends.set(conversation, end.resolve)
      const late = setTimeout(() => end.reject(new Error(`no end of a turn in ${TURN_MS} ms`)), TURN_MS)
      const message = { clientId: `m${said}`, text: QUESTION, agent: null, channel: 'bench' }
      await reach.ref(Supervisor, conversation).confirm('send', message, { within: '30s' })
      const outcome = await end.promise
      clearTimeout(late)
      ends.delete(conversation)
      if (outcome !== 'answered') throw new Error(`a turn ended: ${outcome}`)
      times.push(performance.now() - started)
    }
  }
  const started = performance.now()
  await Promise.all(Array.from({ length: inFlight }, (_, number) => person(number)))
  const seconds = (performance.now() - started) / 1_000
  times.sort((a, b) => a - b)
  return {
    perSecond: turns / seconds,
    p50: times[Math.floor(times.length / 2)] ?? 0,
    p99: times[Math.floor(times.length * 0.99)] ?? 0,
  }
}
