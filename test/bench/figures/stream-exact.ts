import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

import { createClient } from '#gateway/client/client.ts'
import type { Client } from '#gateway/client/client.ts'
import type { Conversation } from '#gateway/client/conversation.ts'
import { emptyConversation } from '#gateway/client/conversation-state.ts'
import type { ConversationState } from '#gateway/client/conversation-state.ts'
import { reduce } from '#gateway/client/reduce.ts'
import { EVENTS } from '#shared/actor/streams.ts'
import type { LogEntry } from '#shared/contracts/client.ts'
import { seededRandom } from '#shared/lib/random.ts'
import { parseCursor } from '#shared/wire/cursor.ts'
import { decodeEvent } from '#shared/wire/event.ts'
import { encodeName } from '#shared/wire/names.ts'
import { filters, parseSubject } from '#shared/wire/subjects.ts'
import { Floors } from '#shared/wire/voiding.ts'

import { CutProxy } from '../cut-proxy.ts'
import { TENANT, edgeBench } from '../edge-bench.ts'
import type { EdgeBench, Said } from '../edge-bench.ts'
import type { Peer } from '../peer.ts'
import type { GatewayPeer } from '../peers/gateway.ts'
import type { Figure, Row } from '../row.ts'

/** Many at once, each written to at an easy pace: so a thousand cuts are a matter of a minute or two, not of hours. */
const CONVERSATIONS = 20
const JOIN_AT_ONCE = 5
const CUTS = 1_000
const QUICK_CUTS = 40
const CUTS_BETWEEN_KILLS = 60
const MOST_BETWEEN_CUTS_MS = 40
const PENDING = 5
const SEND_EVERY_MS = 2_500
/** Between two entries of a conversation. */
const PACE_MS = 60
const CATCH_UP_MS = 120_000
const SEED = 20_261_130

/**
 * Readers that lose their connection at any byte and their gateway by kill -9, while facts and pieces of text are written
 * and they themselves send messages. In the end each must have had every entry of the log that counts, once, in order; its
 * folded text must be that of the log; and each message that was sent must stand there once.
 */
export const figure: Figure = {
  name: 'stream-exact',
  async run({ quick, say }) {
    const bench = await edgeBench()
    const random = seededRandom(SEED)
    const gateways = [await Gateway.open(bench), await Gateway.open(bench)]
    const readers: ExactReader[] = []
    try {
      const join = async (n: number): Promise<void> => {
        const id = `exact-${n}`
        await bench.conversation(id)
        for (const ops of [false, true]) readers.push(await ExactReader.open(bench, id, ops, gateways))
      }
      for (let first = 0; first < CONVERSATIONS; first += JOIN_AT_ONCE)
        await Promise.all(Array.from({ length: JOIN_AT_ONCE }, (_, index) => join(first + index)))
      say(`${readers.length} readers, ${gateways.length} gateways`)
      const begun = performance.now()
      const end = new AbortController()
      const work = readers.flatMap((reader) =>
        reader.ops ? [write(bench, reader.id, end.signal)] : [reader.talk(end.signal)],
      )
      const ended = (): number => readers.reduce((sum, { proxy }) => sum + proxy.ended, 0)
      const wanted = quick ? QUICK_CUTS : CUTS
      let kills = 0
      let restarting: Promise<void> | null = null
      for (let cuts = 0; ended() < wanted || restarting !== null; cuts++) {
        readers[Math.floor(random() * readers.length)]!.proxy.cut()
        if (cuts % (quick ? wanted : CUTS_BETWEEN_KILLS) === 0 && restarting === null && ended() < wanted) {
          // One is always up; connections are cut while the other comes back, too.
          restarting = gateways[++kills % gateways.length]!.killAndRestart().finally(() => (restarting = null))
          say(`${ended()} connections ended, ${kills} gateways killed`)
        }
        await delay(random() * MOST_BETWEEN_CUTS_MS)
      }
      say(`${ended()} connections ended, ${kills} gateways killed; waiting until all have everything`)
      end.abort()
      await Promise.all(work)
      const counts = { lost: 0, duplicated: 0, disordered: 0, differing: 0, unsaid: 0, entries: 0 }
      const seconds = Math.round((performance.now() - begun) / 1_000)
      for (const reader of readers) {
        const truth = await truthOf(bench, reader)
        await reader.until(truth.at(-1)?.sequence ?? 0).catch(() => undefined)
        reader.judge(truth, counts)
      }
      const note = `${ended()} connections ended, ${kills} gateways killed in ${seconds} s, ${readers.length} readers, ${counts.entries} entries`
      return [
        row('stream-exact/lost', counts.lost, 'facts', note),
        row('stream-exact/duplicated', counts.duplicated, 'entries'),
        row('stream-exact/out-of-order', counts.disordered, 'entries'),
        row('stream-exact/text', counts.differing, 'clients'),
        row('stream-exact/sent-once', counts.unsaid, 'messages'),
      ]
    } finally {
      for (const reader of readers) await reader.close()
      await bench.stop()
    }
  },
}

function row(name: string, value: number, unit: string, note?: string): Row {
  return { name, value, unit, baseline: null, ratio: null, bar: '0', ok: value === 0, ...(note ? { note } : {}) }
}

class Gateway {
  readonly #bench: EdgeBench
  #peer: Peer<GatewayPeer>
  readonly port: number
  up = true

  private constructor(bench: EdgeBench, peer: Peer<GatewayPeer>, url: string) {
    this.#bench = bench
    this.#peer = peer
    this.port = Number(new URL(url).port)
  }

  static async open(bench: EdgeBench): Promise<Gateway> {
    const { peer, url } = await bench.gateway()
    return new Gateway(bench, peer, url)
  }

  async killAndRestart(): Promise<void> {
    this.up = false
    await this.#peer.kill()
    this.#peer = (await this.#bench.gateway(this.port)).peer
    this.up = true
  }
}

interface Told extends LogEntry {
  readonly sequence: number
}

class ExactReader {
  readonly id: string
  readonly ops: boolean
  readonly proxy: CutProxy
  readonly #client: Client
  readonly #conversation: Conversation
  readonly #heard: LogEntry[] = []
  readonly #sent: string[] = []
  /** Place of the state with which it began. */
  #base = 0

  private constructor(id: string, ops: boolean, proxy: CutProxy, token: string) {
    this.id = id
    this.ops = ops
    this.proxy = proxy
    this.#client = createClient({ url: proxy.url, token, retryFirstMs: 10, retryMaxMs: 100 })
    this.#conversation = this.#client.conversation(id, { ops })
    this.#conversation.onEntry((entry) => this.#heard.push(entry))
  }

  static async open(bench: EdgeBench, id: string, ops: boolean, gateways: readonly Gateway[]): Promise<ExactReader> {
    const up = (): number[] => gateways.filter((gateway) => gateway.up).map(({ port }) => port)
    const proxy = await CutProxy.open(up)
    const reader = new ExactReader(id, ops, proxy, await bench.token(ops ? 'olga' : 'ada', ops ? ['operator'] : []))
    for (const late = Date.now() + CATCH_UP_MS; reader.#conversation.latest.phase !== 'open';) {
      const { phase, error } = reader.#conversation.latest
      if (phase === 'failed' || Date.now() > late) throw new Error(`${id} is ${phase}: ${JSON.stringify(error)}`)
      await delay(10)
    }
    reader.#base = reader.#place
    return reader
  }

  get #place(): number {
    return parseCursor(this.#conversation.latest.state.cursor ?? '')?.sequence ?? 0
  }

  async until(sequence: number): Promise<void> {
    for (const late = Date.now() + CATCH_UP_MS; this.#place < sequence;) {
      if (Date.now() > late) throw new Error(`${this.id} did not come so far`)
      await delay(10)
    }
  }

  /** Sends messages, whether there is a connection or not, until it is told to end; then waits for the receipts. */
  async talk(signal: AbortSignal): Promise<void> {
    const receipts: Promise<unknown>[] = []
    for (let n = 0; !signal.aborted; n++) {
      // Who is cut off all the time would otherwise write more than can wait.
      if (this.#conversation.latest.pending.length < PENDING) {
        const { id, receipt } = this.#conversation.send(`Question ${n}`)
        this.#sent.push(id)
        receipts.push(receipt)
      }
      await delay(SEND_EVERY_MS, undefined, { signal }).catch(() => undefined)
    }
    await Promise.all(receipts)
  }

  judge(truth: readonly Told[], counts: Counts): void {
    const expected = truth.filter(({ sequence }) => sequence > this.#base)
    const places = this.#heard.map(({ cursor }) => parseCursor(cursor)?.sequence ?? 0)
    const heard = new Set(places)
    counts.entries += expected.length
    counts.lost += expected.filter(({ sequence, type }) => type !== 'text:delta' && !heard.has(sequence)).length
    counts.duplicated += places.length - heard.size
    counts.disordered += places.filter((place, index) => index > 0 && place < places[index - 1]!).length
    let folded = emptyConversation(this.id)
    for (const entry of truth) folded = reduce(folded, entry)
    if (textOf(folded) !== textOf(this.#conversation.latest.state)) counts.differing++
    const stored = truth.filter(({ type }) => type === 'message:received').map(({ payload }) => payload)
    const times = (id: string): number => stored.filter((fact) => (fact as { clientId: string }).clientId === id).length
    counts.unsaid += this.#sent.filter((id) => times(id) !== 1).length
  }

  async close(): Promise<void> {
    this.#client.close()
    await this.proxy.close()
  }
}

interface Counts {
  lost: number
  duplicated: number
  disordered: number
  differing: number
  unsaid: number
  entries: number
}

function textOf(state: ConversationState): string {
  return JSON.stringify(state.messages.map(({ id, text, status }) => [id, text, status]))
}

/** Turns as a run says them: pieces of text, a tool call for operators, then the whole. */
async function write(bench: EdgeBench, conversation: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const said of turn()) {
      await bench.say(conversation, [said])
      await delay(PACE_MS)
    }
  }
}

function* turn(): Generator<Said> {
  const [turnId, message, callId, runId] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()]
  const say = (type: string, payload: object, audience: 'pub' | 'ops' = 'pub'): Said => ({
    id: randomUUID(),
    type,
    payload,
    audience,
  })
  const words = Array.from({ length: 12 }, (_, index) => `word ${index} 🚚 `)
  yield say('agent:speaking', { turnId, runId, agent: 'billing', title: 'Billing', messageId: message })
  yield say('tool:called', { turnId, runId, callId, tool: 'lookup', args: {} }, 'ops')
  let text = ''
  for (const [index, word] of words.entries()) {
    yield say('text:delta', { messageId: message, offset: text.length, text: word })
    if (index === 5) yield say('tool:returned', { turnId, runId, callId, tool: 'lookup', status: 'done', ms: 1 }, 'ops')
    text += word
  }
  const about = { clientId: '', parentId: null, role: 'assistant', author: 'billing', citations: [], extractive: false }
  yield say('message:completed', { ...about, id: message, text, data: null, revision: 1, at: Date.now() })
  yield say('turn:ended', { turnId, outcome: 'answered', error: null, report: null, ms: 1 })
}

/** What counts in the stored log for this reader, in order. */
async function truthOf(bench: EdgeBench, { id, ops }: ExactReader): Promise<Told[]> {
  const floors = new Floors()
  const told: Told[] = []
  const range = { filters: [filters.eventsOfScope(TENANT, encodeName(id))], from: 1 }
  for await (const { subject, data, sequence } of bench.transport.read(EVENTS, range)) {
    const parsed = parseSubject(subject)
    const event = decodeEvent(data)
    if (parsed.lane !== 'ev' || !floors.admit(event, parsed.audience)) continue
    const { audience } = parsed
    if (audience === 'sys' || (audience === 'ops' && !ops)) continue
    const { type, by, at, payload } = event
    told.push({
      sequence,
      cursor: `log.${sequence}`,
      conversationId: id,
      audience,
      id: event.id,
      type,
      by,
      at,
      payload,
    })
  }
  return told
}
