/**
 * People without a gateway: they tell conversations through the runtime and wait, each for the end of its turn, as the log
 * tells it to customers. Beside them the order service that the tool calls.
 */
import { Supervisor } from '#shared/contracts/supervisor.ts'
import { newId } from '#shared/lib/ids.ts'
import { decodeEvent } from '#shared/wire/event.ts'
import { parseSubject } from '#shared/wire/subjects.ts'

import { benchNode, principalOf } from '../node.ts'
import { startOrders } from '../order-service.ts'
import { servePeer } from '../peer.ts'
import { sendTurns } from '../people.ts'
import type { TurnsDone, TurnsOrder, Visit } from '../people.ts'
import { ANSWER, QUESTION } from '../turn-script.ts'

export interface TurnsConfig {
  readonly natsUrl: string
}

export type TurnsPeer = {
  readonly run: (order: TurnsOrder) => Promise<TurnsDone>
  readonly orderService: (input: null) => string
}

if (import.meta.main) {
  servePeer<TurnsConfig>(async ({ natsUrl }) => {
    const orders = await startOrders()
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
    const visit = async (tenant: string): Promise<Visit> => {
      const conversation = newId()
      const supervisor = node.system.reach(principalOf(tenant)).ref(Supervisor, conversation)
      return {
        turn: async (clientId) => {
          const end = Promise.withResolvers<string>()
          ends.set(conversation, end.resolve)
          await supervisor.confirm(
            'send',
            { clientId, text: QUESTION, agent: null, channel: 'bench' },
            { within: '30s' },
          )
          return { outcome: await end.promise, firstTextMs: null }
        },
        leave: () => void ends.delete(conversation),
      }
    }
    return {
      on: { orderService: () => orders.host, run: (order: TurnsOrder) => sendTurns(order, visit) },
      stop: async () => {
        orders.stop()
        await node.stop()
      },
    }
  })
}
