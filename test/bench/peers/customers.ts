/**
 * People at a gateway: each conversation is a Socket.IO client of its own that connects with a token, opens it, sends
 * messages and reads what comes. Beside them the order service that the tool calls.
 */
import { io } from 'socket.io-client'
import type { Socket } from 'socket.io-client'

import type { ClientToServer, ServerToClient } from '#shared/contracts/client.ts'

import { startOrders } from '../order-service.ts'
import { servePeer } from '../peer.ts'
import { sendTurns } from '../people.ts'
import type { TurnSeen, TurnsDone, TurnsOrder, Visit } from '../people.ts'
import { ANSWER, QUESTION } from '../turn-script.ts'

export interface CustomersOrder extends TurnsOrder {
  readonly gatewayUrl: string
  /** By tenant. */
  readonly tokens: Readonly<Record<string, string>>
}

export type CustomersPeer = {
  readonly run: (order: CustomersOrder) => Promise<TurnsDone>
  readonly orderService: (input: null) => string
}

type Client = Socket<ServerToClient, ClientToServer>

if (import.meta.main) {
  servePeer<object>(async () => {
    const orders = await startOrders()
    return {
      on: {
        orderService: () => orders.host,
        run: (order: CustomersOrder) =>
          sendTurns(order, (tenant) => openConversation(order.gatewayUrl, order.tokens[tenant] ?? '')),
      },
      stop: async () => orders.stop(),
    }
  })
}

async function openConversation(url: string, token: string): Promise<Visit> {
  const client: Client = io(url, { transports: ['websocket'], auth: { token }, forceNew: true, reconnection: false })
  await new Promise<void>((resolve, reject) => {
    client.once('connect', resolve)
    client.once('connect_error', reject)
  })
  const opened = await client.emitWithAck('conversation:open', {})
  if (!opened.ok) throw new Error(`not opened: ${opened.error.code}`)
  const { conversationId } = opened
  const answer = ANSWER.join('')
  let sentAt = 0
  let firstTextMs: number | null = null
  let end = Promise.withResolvers<TurnSeen>()
  client.on('disconnect', (reason) => end.resolve({ outcome: `disconnected: ${reason}`, firstTextMs }))
  client.on('log', (entries) => {
    for (const { type, payload } of entries) {
      if (type === 'text:delta') firstTextMs ??= performance.now() - sentAt
      else if (type === 'message:completed' && (payload as { text: string }).text !== answer)
        end.resolve({ outcome: `a wrong answer: ${JSON.stringify(payload).slice(0, 300)}`, firstTextMs })
      else if (type === 'turn:ended') end.resolve({ outcome: (payload as { outcome: string }).outcome, firstTextMs })
    }
  })
  return {
    turn: async (id) => {
      end = Promise.withResolvers()
      firstTextMs = null
      sentAt = performance.now()
      const receipt = await client.emitWithAck('message:send', { conversationId, id, text: QUESTION })
      if (!receipt.ok) throw new Error(`not accepted: ${receipt.error.code}`)
      return await end.promise
    },
    leave: () => void client.disconnect(),
  }
}
