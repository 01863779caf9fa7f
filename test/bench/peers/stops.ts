/**
 * People who change their minds: each begins a conversation, waits until it is at work, lets it go on for a moment, and
 * stops it. What is measured is what is still said after the stop was sent, as the log tells it.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Supervisor } from '#shared/contracts/supervisor.ts'
import { newId } from '#shared/lib/ids.ts'
import { decodeEvent } from '#shared/wire/event.ts'
import { parseSubject } from '#shared/wire/subjects.ts'

import { benchNode, principalOf } from '../node.ts'
import { servePeer } from '../peer.ts'
import { AGENTS, STREAM_TEXT, STREAM_TOOLS } from '../turn-script.ts'

export interface StopsConfig {
  readonly natsUrl: string
}

export interface StopsOrder {
  readonly stops: number
  readonly inFlight: number
  readonly tenant: string
}

export interface StopsDone {
  /** From sending the stop to the last piece of text, and to the last start of a tool, of each stopped turn, milliseconds. */
  readonly text: readonly number[]
  readonly tool: readonly number[]
  /** From sending the stop to the end of the turn. */
  readonly end: readonly number[]
  /** Pieces and starts that came after the end of their turn. */
  readonly late: number
  /** Turns that ended otherwise than stopped. */
  readonly otherwise: number
}

export type StopsPeer = {
  readonly stops: (order: StopsOrder) => Promise<StopsDone>
  readonly orderService: (input: null) => string
}

const TURN_MS = 60_000
/** A turn goes on for up to this long before it is stopped. */
const MOMENT_MS = 300

interface Followed {
  text: number
  tool: number
  ended: boolean
  late: number
  readonly begun: PromiseWithResolvers<void>
  readonly over: PromiseWithResolvers<string>
}

if (import.meta.main) {
  servePeer<StopsConfig>(async ({ natsUrl }) => {
    const orders = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ status: 'shipped' }))
    })
    await new Promise<void>((listening) => orders.listen(0, '127.0.0.1', listening))
    const node = await benchNode(natsUrl, 'bench-people')
    const followed = new Map<string, Followed>()
    node.transport.subscribe('live.t.*.ev.*.*', (message) => {
      const subject = parseSubject(message.subject)
      const turn = subject.lane === 'live' ? followed.get(subject.scope) : undefined
      if (turn === undefined) return
      const event = decodeEvent(message.data)
      const now = performance.now()
      if (event.type === 'turn:ended') {
        turn.ended = true
        turn.over.resolve((event.payload as { outcome: string }).outcome)
      }
      const says = event.type === 'text:delta' && (event.payload as { text: string }).text !== ''
      if (!says && event.type !== 'tool:called') return
      if (turn.ended) turn.late++
      if (says) turn.text = now
      else turn.tool = now
      turn.begun.resolve()
    })
    return {
      on: {
        orderService: () => `127.0.0.1:${(orders.address() as AddressInfo).port}`,
        stops: (order: StopsOrder) => run(order, node.system, followed),
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
  { stops, inFlight, tenant }: StopsOrder,
  system: Awaited<ReturnType<typeof benchNode>>['system'],
  followed: Map<string, Followed>,
): Promise<StopsDone> {
  const text: number[] = []
  const tool: number[] = []
  const end: number[] = []
  let begun = 0
  let otherwise = 0
  const person = async (): Promise<void> => {
    while (begun < stops) {
      const speaks = begun++ % 2 === 0
      const ref = system.reach(principalOf(tenant)).ref(Supervisor, newId())
      const turn: Followed = {
        text: 0,
        tool: 0,
        ended: false,
        late: 0,
        begun: Promise.withResolvers(),
        over: Promise.withResolvers(),
      }
      const conversation = ref.address.slice(ref.address.indexOf('/') + 1)
      followed.set(conversation, turn)
      const late = setTimeout(() => turn.over.reject(new Error(`no end of a turn in ${TURN_MS} ms`)), TURN_MS)
      const message = {
        clientId: 'm1',
        text: speaks ? STREAM_TEXT : STREAM_TOOLS,
        agent: AGENTS[0],
        channel: 'bench',
      }
      await ref.confirm('send', message, { within: '30s' })
      await Promise.race([turn.begun.promise, turn.over.promise])
      await new Promise((resolve) => setTimeout(resolve, Math.random() * MOMENT_MS))
      const sent = performance.now()
      await ref.confirm('stop', { turnId: null, reason: 'bench' }, { within: '30s' })
      if ((await turn.over.promise) !== 'stopped') otherwise++
      clearTimeout(late)
      end.push(performance.now() - sent)
      if (speaks) text.push(Math.max(0, turn.text - sent))
      else tool.push(Math.max(0, turn.tool - sent))
    }
  }
  await Promise.all(Array.from({ length: inFlight }, person))
  // Followed until here: whatever came late has come by now, behind everything else.
  const late = [...followed.values()].reduce((sum, turn) => sum + turn.late, 0)
  followed.clear()
  return { text, tool, end, late, otherwise }
}
