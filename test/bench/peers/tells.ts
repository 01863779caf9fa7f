/**
 * The handling process of tell-rate and tell-rate-state: an actor, and beside it a loop that does the same with the broker's
 * client alone. Both say how far they are on PROGRESS, so that the sender keeps the same distance from either.
 */
import { AckPolicy, DiscardPolicy, RetentionPolicy, StorageType, connect, nanos } from 'nats'
import type { JetStreamClient, JsMsg, NatsConnection } from 'nats'
import { z } from 'zod'

import { contract, tell } from '#shared/actor/contract.ts'
import { actor } from '#shared/actor/definition.ts'
import { DEFAULT_LIMITS } from '#shared/actor/limits.ts'
import type { Fence, Step, Store } from '#shared/actor/store.ts'
import { openDatabase } from '#shared/db/database.ts'
import { createStore } from '#shared/db/runtime/store.ts'
import { idFactory } from '#shared/lib/ids.ts'
import { Deferred } from '#shared/lib/deferred.ts'

import { benchNode } from '../node.ts'
import { servePeer } from '../peer.ts'

export interface TellsConfig {
  readonly natsUrl: string
  readonly databaseUrl: string
  /** Whether the actor keeps state and says an event for each command. */
  readonly state: boolean
}

export type TellsPeer = {
  /** Answers when this many more have been handled and none is left at the broker. */
  readonly ours: (count: number) => Promise<void>
  readonly raw: (count: number) => Promise<void>
}

const Note = z.object({ text: z.string().max(1_000) })
export const Tally = contract('tally', { note: tell(Note) })
export const RAW_STREAM = 'RAW'
export const RAW_SUBJECT = 'raw.tally'
export const PROGRESS = 'bench.progress'

const RAW_EVENT = 'rawevent.tally'
const PROGRESS_EVERY = 50
const ACK_WAIT_MS = 60_000
const DUPLICATE_WINDOW_MS = 120_000

if (import.meta.main) servePeer(open)

async function open({
  natsUrl,
  databaseUrl,
  state,
}: TellsConfig): Promise<{ on: TellsPeer; stop: () => Promise<void> }> {
  const database = await openDatabase({ url: databaseUrl })
  const store = createStore(database)
  const connection = await connect({ servers: natsUrl })
  const counter = new Counter(connection)
  const node = await benchNode(natsUrl, 'bench-tally', { store })
  node.system.host(state ? countingActor(counter) : statelessActor(counter))
  await node.system.start()
  await rawLoop(connection, state ? await keepingStep(store, connection.jetstream()) : null, counter)
  return {
    on: {
      ours: async (count) => {
        await counter.reaches(count)
        while ((await node.transport.streamInfo('CMD')).messages > 0);
      },
      raw: async (count) => {
        await counter.reaches(count)
        const manager = await connection.jetstreamManager()
        while ((await manager.streams.info(RAW_STREAM)).state.messages > 0);
      },
    },
    stop: async () => {
      await node.stop()
      await connection.close()
      await database.close()
    },
  }
}

function statelessActor(counter: Counter): ReturnType<typeof actor> {
  return actor(Tally, {
    state: { version: 1, initial: () => null },
    stateless: true,
    on: { note: () => counter.count() },
  })
}

function countingActor(counter: Counter): ReturnType<typeof actor> {
  return actor(Tally, {
    state: { version: 1, initial: () => ({ notes: 0, last: '' }) },
    on: {
      note: (ctx, { text }) => {
        ctx.state.notes += 1
        ctx.state.last = text
        ctx.emit('tally:noted', { notes: ctx.state.notes }, { audience: 'sys' })
        counter.count()
      },
    },
  })
}

class Counter {
  readonly #connection: NatsConnection
  #handled = 0
  #target = 0
  #reached = new Deferred<void>()

  constructor(connection: NatsConnection) {
    this.#connection = connection
  }

  count(): void {
    this.#handled++
    if (this.#handled % PROGRESS_EVERY === 0) this.#connection.publish(PROGRESS, String(this.#handled))
    if (this.#handled === this.#target) this.#reached.resolve()
  }

  async reaches(count: number): Promise<void> {
    this.#handled = 0
    this.#target = count
    this.#reached = new Deferred<void>()
    await this.#reached.promise
  }
}

/** Durable, acknowledged one by one, with the limits of our own stream; per key one after the other. */
async function rawLoop(
  connection: NatsConnection,
  work: ((key: string, message: JsMsg) => Promise<void>) | null,
  counter: Counter,
): Promise<void> {
  const manager = await connection.jetstreamManager()
  const config = { storage: StorageType.File, duplicate_window: nanos(DUPLICATE_WINDOW_MS) }
  await manager.streams.add({
    ...config,
    name: RAW_STREAM,
    subjects: [`${RAW_SUBJECT}.*`],
    retention: RetentionPolicy.Workqueue,
    discard: DiscardPolicy.New,
    max_msgs: DEFAULT_LIMITS.commands,
    max_msgs_per_subject: DEFAULT_LIMITS.mailbox,
    discard_new_per_subject: true,
  })
  await manager.streams.add({ ...config, name: 'RAWEVENTS', subjects: [`${RAW_EVENT}.*`] })
  await manager.consumers.add(RAW_STREAM, {
    durable_name: 'raw',
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ACK_WAIT_MS),
    max_ack_pending: 4 * DEFAULT_LIMITS.window,
  })
  const consumer = await connection.jetstream().consumers.get(RAW_STREAM, 'raw')
  const lanes = new Map<string, Promise<void>>()
  await consumer.consume({
    max_messages: 4 * DEFAULT_LIMITS.window,
    callback: (message) => {
      if (work === null) {
        counter.count()
        message.ack()
        return
      }
      const key = message.subject.slice(RAW_SUBJECT.length + 1)
      const turn = (lanes.get(key) ?? Promise.resolve()).then(() => work(key, message))
      lanes.set(key, turn)
      void turn.then(() => {
        counter.count()
        message.ack()
      })
    },
  })
}

/** The statement that ours sends, with one step in it, then an event with an id; what ours batches it does for each. */
async function keepingStep(
  store: Store,
  stream: JetStreamClient,
): Promise<(key: string, message: JsMsg) => Promise<void>> {
  const kind = 'rawtally'
  const fence: Fence = { tenant: 'acme', kind, partition: 0, epoch: await store.claim(kind, 0, 'bench') }
  const newId = idFactory(() => Date.now(), Math.random)
  const notes = new Map<string, number>()
  return async (key, message) => {
    const count = (notes.get(key) ?? 0) + 1
    notes.set(key, count)
    const id = newId()
    const step: Step = {
      key,
      command: { id: `c${id}`, at: Date.now(), receipt: null },
      state: { version: 1, value: { notes: count, last: message.string() } },
      outbox: { id, entries: new TextEncoder().encode(JSON.stringify({ id, count, key, at: Date.now() })) },
      timers: [],
      runs: [],
      openings: [],
      deadLetter: null,
      clearAttempts: null,
    }
    await store.commit(fence, [step])
    await stream.publish(`${RAW_EVENT}.${key}`, step.outbox!.entries, { msgID: id })
  }
}
