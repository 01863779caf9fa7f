import type { Socket } from 'socket.io-client'
import { LAG_ENTRIES } from '#gateway/log/limits.ts'
import type { LogEntry, Snapshot } from '#shared/contracts/client.ts'
import { systemClock } from '#shared/lib/clock.ts'
import type { Clock } from '#shared/lib/clock.ts'
import { assert, suite } from '#test/kit/suite.ts'
import { GatewayWorld, ask, good } from './gateway-world.ts'
import type { Client, Opened } from './gateway-world.ts'

/** Beyond what the kernel takes for a socket that nobody reads, and beyond its budget. */
const FILLERS = 700
const FILLER = 'x'.repeat(20_000)

/** The TCP socket below a client: while it is paused, nothing is read. */
function wire(client: Client): { pause(): void; resume(): void } {
  const engine = client.io.engine as unknown as {
    transport: { ws: { _socket: { pause(): void; resume(): void } } }
  }
  return engine.transport.ws._socket
}

class Heard {
  readonly entries: LogEntry[] = []
  readonly snapshots: Snapshot[] = []
  #look: () => void = () => {}

  constructor(client: Client) {
    client.on('log', (entries) => {
      this.entries.push(...entries)
      this.#look()
    })
    client.on('snapshot', (snapshot) => {
      this.snapshots.push(snapshot)
      this.#look()
    })
    client.on('disconnect', () => this.#look())
  }

  until(found: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#look = () => {
        if (found()) resolve()
      }
      this.#look()
    })
  }

  get types(): string[] {
    return this.entries.map(({ type }) => type)
  }
}

async function fill(w: GatewayWorld, conversationId: string): Promise<void> {
  for (let i = 0; i < FILLERS; i++) await w.say(conversationId, 'run:progress', { i, filler: FILLER })
}

suite('a socket that does not read', ({ test }) => {
  test('and has missed too much gets a snapshot instead of it, and what follows', async () => {
    const w = await GatewayWorld.open()
    try {
      const gateway = await w.gateway()
      const conversationId = await w.conversation('ann')
      const [slow, quick] = [await w.clientOf(gateway), await w.clientOf(gateway)]
      const [late, prompt] = [new Heard(slow), new Heard(quick)]
      for (const client of [slow, quick]) await good<Opened>(ask(client, 'conversation:open', { conversationId }))
      const socket = wire(slow)
      socket.pause()
      await fill(w, conversationId)
      for (let i = 0; i <= LAG_ENTRIES; i++)
        await w.say(conversationId, 'text:delta', { messageId: 'm', offset: i, text: 'x' })
      const last = await w.say(conversationId, 'turn:ended', {})
      await prompt.until(() => prompt.types.includes('turn:ended'))
      socket.resume()
      await late.until(() => late.snapshots.length > 0)
      assert.ok((await gateway.metrics.value('waggle_log_snapshots_total', { cause: 'lag' })) > 0)
      assert.ok(late.types.filter((type) => type === 'text:delta').length < LAG_ENTRIES, 'deltas were dropped')
      assert.ok(Number(late.snapshots[0]!.cursor.split('.')[1]) >= last)
      await w.say(conversationId, 'human:offered', {})
      await late.until(() => late.types.includes('human:offered'))
    } finally {
      await w.close()
    }
  })

  test('at all is ended at last, and its cursor gets it the rest elsewhere: nothing lost, nothing twice', async () => {
    // A hundred times as fast: patience of half a minute is over in a third of a second.
    const clock: Clock = {
      ...systemClock,
      elapsed: () => systemClock.elapsed() * 100,
      setTimeout: (fn, ms) => systemClock.setTimeout(fn, ms / 100),
    }
    const w = await GatewayWorld.open({ clock })
    try {
      const [here, there] = [await w.gateway(), await w.gateway()]
      const conversationId = await w.conversation('ann')
      const slow = await w.clientOf(here)
      const first = new Heard(slow)
      await good<Opened>(ask(slow, 'conversation:open', { conversationId }))
      const socket = wire(slow)
      socket.pause()
      await fill(w, conversationId)
      while ((await here.metrics.value('waggle_log_slow_readers_total', { action: 'ended' })) === 0)
        await new Promise((resolve) => setImmediate(resolve))
      socket.resume()
      await first.until(() => !(slow as Socket).connected)
      await w.say(conversationId, 'turn:ended', {})
      const again = await w.clientOf(there)
      const second = new Heard(again)
      const after = first.entries.at(-1)!.cursor
      const { snapshot } = await good<Opened>(ask(again, 'conversation:open', { conversationId, after }))
      assert.is(snapshot, null)
      await second.until(() => second.types.includes('turn:ended'))
      const heard = [...first.entries, ...second.entries].map(({ cursor, type }) => `${cursor.split('.')[1]}:${type}`)
      const truth = await w.truth(conversationId)
      assert.equal(heard, truth.slice(-heard.length))
      assert.is(heard.length, FILLERS + 1)
    } finally {
      await w.close()
    }
  })
})
