import { connect } from 'nats'
import type { NatsConnection } from 'nats'

import { EVENTS } from '#shared/actor/streams.ts'
import { encodeName } from '#shared/wire/names.ts'
import { filters } from '#shared/wire/subjects.ts'

import { BareSocket } from '../bare-socket.ts'
import { TENANT, delta, edgeBench } from '../edge-bench.ts'
import { ROUNDS, interleave } from '../interleave.ts'
import type { Figure } from '../row.ts'

const ENTRIES = 10_000
const QUICK_ENTRIES = 300
const MOST_MS = 500
const MOST = 3
const CONVERSATION = 'long'

/**
 * From asking a gateway for everything after a cursor to the last of so many entries: read from the stored log, decoded,
 * checked against the floors, numbered, written to a socket. Beside it an ordered consumer of the broker's own client that
 * reads the same messages and looks at none of them.
 */
export const figure: Figure = {
  name: 'replay-10k',
  async run({ quick }) {
    const bench = await edgeBench()
    const connection = await connect({ servers: bench.natsUrl })
    try {
      const entries = quick ? QUICK_ENTRIES : ENTRIES
      const { url } = await bench.gateway()
      const auth = { token: await bench.token('ada') }
      await bench.conversation(CONVERSATION)
      const start = await cursorNow(url, auth)
      await bench.say(
        CONVERSATION,
        Array.from({ length: entries }, (_, index) => delta('answer', index)),
      )
      const from = Number(start.split('.')[1]) + 1
      const ours = (): Promise<number> => replay(url, auth, start, entries)
      const raw = (): Promise<number> => rawReplay(connection, from, entries)
      await ours()
      await raw()
      const result = await interleave(quick ? 1 : ROUNDS, ours, raw)
      const ok = result.value <= MOST_MS && result.ratio <= MOST
      return [{ name: 'replay-10k', unit: 'ms', bar: `<= ${MOST_MS} ms and <= ${MOST}x`, ok, ...result }]
    } finally {
      await connection.close()
      await bench.stop()
    }
  },
}

interface Opened {
  readonly ok: boolean
  readonly snapshot: { readonly cursor: string } | null
}

async function cursorNow(url: string, auth: object): Promise<string> {
  const socket = await BareSocket.open(url, auth)
  const opened = (await socket.request('conversation:open', { conversationId: CONVERSATION })) as Opened
  socket.close()
  return opened.snapshot!.cursor
}

async function replay(url: string, auth: object, after: string, entries: number): Promise<number> {
  const socket = await BareSocket.open(url, auth)
  try {
    const started = performance.now()
    const all = new Promise<void>((resolve) => {
      socket.onEntries = () => {
        if (socket.entries >= entries) resolve()
      }
    })
    const opened = (await socket.request('conversation:open', { conversationId: CONVERSATION, after })) as Opened
    if (!opened.ok || opened.snapshot !== null) throw new Error(`no replay: ${JSON.stringify(opened)}`)
    await all
    return performance.now() - started
  } finally {
    socket.close()
  }
}

async function rawReplay(connection: NatsConnection, from: number, entries: number): Promise<number> {
  const started = performance.now()
  const consumer = await connection.jetstream().consumers.get(EVENTS, {
    filterSubjects: filters.eventsOfScope(TENANT, encodeName(CONVERSATION)),
    opt_start_seq: from,
  })
  let left = entries
  const messages = await consumer.consume({ max_messages: 1_000 })
  for await (const _message of messages) if (--left === 0) break
  const ms = performance.now() - started
  await messages.close()
  return ms
}
