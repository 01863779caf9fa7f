import { connectNats } from '#shared/nats/connect-nats.ts'
import type { Transport } from '#shared/transport/port.ts'
import { decodeEvent } from '#shared/wire/event.ts'
import { filters, parseSubject } from '#shared/wire/subjects.ts'
import { Floors } from '#shared/wire/voiding.ts'
import { openGateway } from '#test/kit/open-gateway.ts'
import type { OpenGateway } from '#test/kit/open-gateway.ts'

import { benchPglite, benchPostgres, refreshPlans } from '../databases.ts'
import type { Figure, FigureOptions, Row } from '../row.ts'
import { LateText, TakeoverConversation, agentMessage } from '../takeover-conversation.ts'
import { turnBench } from '../turn-bench.ts'
import type { Layout } from '../turn-bench.ts'

const TENANT = 'acme'
const TAKEOVERS = 1_000
const QUICK_TAKEOVERS = 8
const CONVERSATIONS = 8
const WITHIN_MS = 1_400
const MOST_MS = 100
const PATIENCE_MS = 30_000

const LAYOUT: Layout = {
  supervisor: ['supervisor', 'desk', 'directory'],
  agents: ['agents', 'guardrails', 'tools'],
}

/**
 * An operator takes a conversation over, by a socket, at a random moment while an agent is being heard: how long from the
 * click until the change of control is in the log, and what of the agent counts after it, in log order after voiding, and
 * raw at every socket of the customer (one on each of two gateways).
 */
export const figure: Figure = {
  name: 'takeover-fence',
  async run(options) {
    const postgres = await benchPostgres(options.say)
    const database = 'problem' in postgres ? await benchPglite() : postgres
    const bench = await turnBench({ database, layout: LAYOUT, tenants: [TENANT], script: 'paced' })
    const gateways: OpenGateway[] = []
    const transport = await connectNats({ url: bench.natsUrl, name: 'watcher', onError: () => {} })
    try {
      for (const name of ['g1', 'g2']) gateways.push(await openGateway(bench.natsUrl, TENANT, { name, memory: false }))
      await refreshPlans(database.url)
      options.say('the swarm and two gateways are up')
      return await measure(gateways, transport, options, database.version)
    } finally {
      for (const gateway of gateways) await gateway.close()
      await transport.close()
      await bench.stop()
      await database.stop()
    }
  },
}

async function measure(
  gateways: readonly OpenGateway[],
  transport: Transport,
  { quick, say }: FigureOptions,
  version: string,
): Promise<Row[]> {
  const changes = watchChanges(transport)
  const total = quick ? QUICK_TAKEOVERS : TAKEOVERS
  const conversations: TakeoverConversation[] = []
  for (let number = 0; number < (quick ? 2 : CONVERSATIONS); number++)
    conversations.push(await TakeoverConversation.open(gateways, number))
  const times: number[] = []
  let begun = 0
  await Promise.all(
    conversations.map(async (conversation) => {
      while (begun < total) {
        begun += 1
        if (begun % 200 === 0) say(`${begun} takeovers`)
        times.push(await conversation.round(Math.random() * WITHIN_MS, changes.inLog))
      }
    }),
  )
  changes.stop()
  const inLog = await lateInLog(transport, conversations)
  const ears = conversations.flatMap((conversation) => conversation.ears)
  const atSockets = ears.reduce((sum, { late }) => sum + late, 0)
  const heard = ears.reduce((sum, one) => sum + one.heard, 0)
  times.sort((a, b) => a - b)
  const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0
  const note = `${times.length} takeovers, ${version}; p50 ${at(0.5).toFixed(1)}, max ${at(1).toFixed(1)} ms`
  const none = { baseline: null, ratio: null } as const
  return [
    {
      ...none,
      name: 'takeover-fence/click-to-log-p99',
      value: at(0.99),
      unit: 'ms',
      bar: `<= ${MOST_MS} ms`,
      ok: at(0.99) <= MOST_MS,
      note,
    },
    {
      ...none,
      name: 'takeover-fence/agent-text-after-in-log',
      value: inLog.late,
      unit: 'entries',
      bar: '0',
      ok: inLog.late === 0,
      note: `of ${inLog.counted} entries of agents that count; ${inLog.void} are void`,
    },
    {
      ...none,
      name: 'takeover-fence/agent-text-after-at-sockets',
      value: atSockets,
      unit: 'entries',
      bar: '0',
      ok: atSockets === 0 && heard > 0,
      note: `of ${heard} entries of agents heard by ${ears.length} sockets`,
    },
  ]
}

/** When the log held each change of control, by the live lane of the stream itself. */
function watchChanges(transport: Transport): {
  inLog: (id: string, control: number) => Promise<number>
  stop: () => void
} {
  const seen = new Map<string, PromiseWithResolvers<number>>()
  const entryOf = (key: string): PromiseWithResolvers<number> => {
    const known = seen.get(key) ?? Promise.withResolvers<number>()
    seen.set(key, known)
    return known
  }
  const subscription = transport.subscribe(filters.liveOfTenant(TENANT), ({ subject, data }) => {
    const parsed = parseSubject(subject)
    if (parsed.lane !== 'live' || parsed.audience !== 'pub') return
    const event = decodeEvent(data)
    if (event.type === 'control:changed') entryOf(`${parsed.scope} ${event.control}`).resolve(performance.now())
  })
  return {
    inLog: async (id, control) => {
      const key = `${id} ${control}`
      const late = setTimeout(() => entryOf(key).reject(new Error(`no change to ${control} in ${id}`)), PATIENCE_MS)
      try {
        return await entryOf(key).promise
      } finally {
        clearTimeout(late)
        seen.delete(key)
      }
    },
    stop: () => subscription.unsubscribe(),
  }
}

/** Reads every conversation as a reader does: what of agents counts between a person's getting the voice and giving it back. */
async function lateInLog(
  transport: Transport,
  conversations: readonly TakeoverConversation[],
): Promise<{ late: number; counted: number; void: number }> {
  const found = { late: 0, counted: 0, void: 0 }
  for (const { id } of conversations) {
    const floors = new Floors()
    const read = new LateText()
    for await (const { subject, data } of transport.read('EVT', {
      filters: [filters.eventsOfScope(TENANT, id)],
      from: 1,
    })) {
      const parsed = parseSubject(subject)
      if (parsed.lane !== 'ev') continue
      const event = decodeEvent(data)
      const counts = floors.admit(event, parsed.audience)
      if (counts) read.hear(event.type, event.payload)
      else if (agentMessage(event.type, event.payload) !== null) found.void += 1
    }
    found.late += read.late
    found.counted += read.heard
  }
  return found
}
