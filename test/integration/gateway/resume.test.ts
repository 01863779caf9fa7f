import type { LogEntry, Snapshot } from '#shared/contracts/client.ts'
import { seededRandom } from '#shared/lib/random.ts'
import type { Audience } from '#shared/wire/subjects.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { API_KEY, GatewayWorld, ask, good } from './gateway-world.ts'
import type { Client, Opened, TestGateway, WorldOptions } from './gateway-world.ts'
import { SseClient } from './sse-client.ts'

const ENTRIES = 400

/** Somebody who reads one conversation, goes at random moments, and comes again anywhere with the last cursor. */
abstract class Wanderer {
  readonly world: GatewayWorld
  readonly conversationId: string
  readonly audiences: readonly Audience[]
  lines: string[] = []
  problems: string[] = []
  cursor: string | undefined
  base = 0
  visits = 0

  constructor(world: GatewayWorld, conversationId: string, audiences: readonly Audience[]) {
    this.world = world
    this.conversationId = conversationId
    this.audiences = audiences
  }

  abstract get here(): boolean
  abstract come(gateway: TestGateway): Promise<void>
  abstract go(): void

  take(entry: LogEntry): void {
    const sequence = placeOf(entry.cursor)
    const last = this.lines.length === 0 ? this.base : placeOf(this.cursor!)
    if (sequence <= last) this.problems.push(`${sequence} after ${last}`)
    if (!this.audiences.includes(entry.audience)) this.problems.push(`heard ${entry.audience}`)
    this.lines.push(`${sequence}:${entry.type}`)
    this.cursor = entry.cursor
  }

  replace(snapshot: Snapshot): void {
    this.base = placeOf(snapshot.cursor)
    this.lines = []
    this.cursor = snapshot.cursor
  }

  /** Resolves when the entry at this place, or one after it, was heard. */
  async until(sequence: number): Promise<void> {
    while ((this.cursor === undefined ? 0 : placeOf(this.cursor)) < sequence)
      await new Promise((resolve) => setTimeout(resolve, 5))
  }

  async check(): Promise<void> {
    assert.equal(this.problems, [])
    const truth = (await this.world.truth(this.conversationId, this.audiences)).filter(
      (line) => Number(line.split(':')[0]) > this.base,
    )
    assert.equal(this.lines, truth)
  }
}

class SocketWanderer extends Wanderer {
  #client: Client | null = null

  get here(): boolean {
    return this.#client !== null
  }

  async come(gateway: TestGateway): Promise<void> {
    this.visits++
    const ops = this.audiences.includes('ops')
    const client = await (ops ? this.world.client(gateway, { apiKey: API_KEY }) : this.world.clientOf(gateway, 'ann'))
    this.#client = client
    client.on('log', (entries) => entries.forEach((entry) => this.#client === client && this.take(entry)))
    client.on('snapshot', (snapshot) => this.#client === client && this.replace(snapshot))
    const { conversationId, cursor: after } = this
    const opened = await good<Opened>(
      ask(client, 'conversation:open', { conversationId, ops, ...(after === undefined ? {} : { after }) }),
    )
    if (opened.snapshot !== null) this.replace(opened.snapshot)
  }

  go(): void {
    this.#client?.disconnect()
    this.#client = null
  }
}

class StreamWanderer extends Wanderer {
  #stream: SseClient | null = null

  get here(): boolean {
    return this.#stream !== null
  }

  async come(gateway: TestGateway): Promise<void> {
    this.visits++
    const ops = this.audiences.includes('ops')
    const stream = new SseClient(
      `${gateway.url}/api/v1/conversations/${this.conversationId}/events${ops ? '?ops=true' : ''}`,
      {
        ...(ops ? { 'x-api-key': API_KEY } : { authorization: `Bearer ${await this.world.token('ann')}` }),
        ...(this.cursor === undefined ? {} : { 'last-event-id': this.cursor }),
      },
    )
    this.#stream = stream
    stream.onEvent = ({ event, data }) => {
      if (this.#stream !== stream) return
      if (event === 'snapshot') this.replace(data as Snapshot)
      else if (event === 'log') this.take(data as LogEntry)
    }
    await stream.opened
    assert.is(stream.status, 200)
  }

  go(): void {
    this.#stream?.close()
    this.#stream = null
  }
}

function placeOf(cursor: string): number {
  return Number(cursor.split('.')[1])
}

async function wander(seed: number, options: WorldOptions): Promise<void> {
  const random = seededRandom(seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!
  const w = await GatewayWorld.open(options)
  try {
    const gateways = [await w.gateway(), await w.gateway()]
    const ids = [await w.conversation('ann'), await w.conversation('ann')]
    const wanderers = ids.flatMap((id) => [
      new SocketWanderer(w, id, ['pub']),
      new SocketWanderer(w, id, ['pub', 'ops']),
      new StreamWanderer(w, id, ['pub']),
      new StreamWanderer(w, id, ['pub', 'ops']),
    ])
    for (const one of wanderers) await one.come(pick(gateways))
    const epochs = new Map(ids.map((id) => [id, 1]))
    const last = new Map<string, number>()
    for (let i = 0; i < ENTRIES; i++) {
      const id = pick(ids)
      const epoch = epochs.get(id)!
      if (random() < 0.02) {
        epochs.set(id, epoch + 1)
        await w.say(id, 'activation:opened', {}, { audience: 'sys', epoch: epoch + 1 })
      } else {
        const stale = random() < 0.1
        const audience = random() < 0.3 ? ('ops' as const) : ('pub' as const)
        await w.say(id, 'run:progress', { i }, { audience, epoch: stale ? Math.max(1, epoch - 1) : epoch })
      }
      if (random() < 0.3) {
        const one = pick(wanderers)
        if (one.here) one.go()
        else await one.come(pick(gateways))
      }
    }
    for (const one of wanderers) if (!one.here) await one.come(pick(gateways))
    for (const id of ids) {
      await w.say(id, 'tool:called', {}, { audience: 'ops', epoch: epochs.get(id)! })
      last.set(id, await w.say(id, 'turn:ended', {}, { epoch: epochs.get(id)! }))
    }
    for (const one of wanderers) await one.until(last.get(one.conversationId)!)
    for (const one of wanderers) await one.check()
    assert.ok(
      wanderers.some(({ visits }) => visits > 3),
      'somebody wandered',
    )
    for (const one of wanderers) one.go()
  } finally {
    await w.close()
  }
}

suite('two gateways, one log: readers that come and go at random', ({ test }) => {
  for (const seed of [1, 2, 3]) {
    test(`in memory, seed ${seed}: every entry that counts, in order, once`, () => wander(seed, { broker: 'memory' }))
  }
  for (const broker of ['oldest', 'newest'] as const) {
    test(`on the ${broker} NATS there is: every entry that counts, in order, once`, () => wander(7, { broker }))
  }
})
