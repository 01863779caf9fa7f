import type { Msg, NatsConnection } from 'nats'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { Deferred } from '#shared/lib/deferred.ts'
import { subjectMatches } from '#shared/transport/subject-match.ts'
import type { StoredMessage } from '#shared/transport/port.ts'
import { connectionGone } from './broker-error.ts'
import { nanos } from './js-api.ts'
import type { JetStreamApi } from './js-api.ts'
import { REQUEST_MS } from './reply-mux.ts'
import { deliveredMessage } from './stored-message.ts'

/** One batch is being read by the caller while the next is under way: at most twice this is held. */
export const REPLAY_BATCH_MESSAGES = 256
/** A consumer whose reader vanished (crash) goes away after this. */
const INACTIVE_MS = 10_000

export interface ReplayHost {
  readonly connection: NatsConnection
  readonly api: JetStreamApi
  /** A subject below the private prefix that nothing else uses. */
  privateSubject(): string
  /** Calls back when the connection is lost; the result stops that. */
  onDown(listener: () => void): () => void
}

export interface ReplayOptions {
  readonly filters: readonly string[]
  readonly from: number
  readonly signal?: AbortSignal
}

/**
 * Reads a stream from a sequence to the tail that stands when the reading begins. One short-lived pull consumer in the
 * broker's memory for each group of filters; several are merged by sequence.
 */
export async function* replay(host: ReplayHost, stream: string, options: ReplayOptions): AsyncGenerator<StoredMessage> {
  const sources = coverFilters(options.filters).map((filter) => new ReplaySource(host, stream, filter, options))
  try {
    const heads = await Promise.all(sources.map((source) => source.next()))
    for (;;) {
      let first = -1
      for (const [index, head] of heads.entries()) {
        if (head && (first < 0 || head.sequence < heads[first]!.sequence)) first = index
      }
      const head = heads[first]
      if (!head) return
      if (options.signal?.aborted) throw new WaggleError('CANCELLED', { stream })
      if (options.filters.some((filter) => subjectMatches(filter, head.subject))) yield head
      heads[first] = await sources[first]!.next()
    }
  } finally {
    for (const source of sources) source.close()
  }
}

/**
 * The oldest supported broker takes one filter for each consumer. Filters that differ in their last token only (the
 * audiences of one scope) are read through one wildcard and checked here; others are read apart.
 */
export function coverFilters(filters: readonly string[]): string[] {
  const groups = new Map<string, Set<string>>()
  for (const filter of new Set(filters)) {
    const cut = filter.lastIndexOf('.')
    const stem = filter.slice(0, cut + 1)
    const group = groups.get(stem) ?? new Set<string>()
    groups.set(stem, group.add(filter.slice(cut + 1)))
  }
  return [...groups].flatMap(([stem, lasts]) => {
    if (lasts.has('>')) return [`${stem}>`]
    return lasts.size === 1 ? [...lasts].map((last) => stem + last) : [`${stem}*`]
  })
}

/** One pull consumer, read in batches. */
class ReplaySource {
  readonly #host: ReplayHost
  readonly #stream: string
  readonly #filter: string
  readonly #from: number
  #consumer = ''
  /** How many messages are still to come; fixed when the consumer is made, which is what "the tail" means. */
  #left = -1
  #ready: StoredMessage[] = []
  #position = 0
  #next: Promise<StoredMessage[]> | null = null
  /** Ends the batch under way. */
  #abandon: () => void = () => undefined

  constructor(host: ReplayHost, stream: string, filter: string, options: ReplayOptions) {
    this.#host = host
    this.#stream = stream
    this.#filter = filter
    this.#from = options.from
  }

  async next(): Promise<StoredMessage | null> {
    if (this.#left < 0) await this.#open()
    if (this.#position >= this.#ready.length) {
      if (!this.#next) return null
      this.#ready = await this.#next
      this.#position = 0
      this.#next = this.#left > 0 ? this.#fetch() : null
      if (this.#ready.length === 0) return null
    }
    return this.#ready[this.#position++] ?? null
  }

  close(): void {
    this.#next?.catch(() => undefined)
    this.#abandon()
    const { connection, api } = this.#host
    if (this.#consumer === '' || connection.isClosed()) return
    connection.publish(api.subject(`CONSUMER.DELETE.${this.#stream}.${this.#consumer}`))
  }

  async #open(): Promise<void> {
    const created = await this.#host.api.ask<{ name: string; num_pending: number }>(`CONSUMER.CREATE.${this.#stream}`, {
      stream_name: this.#stream,
      config: {
        filter_subject: this.#filter,
        deliver_policy: 'by_start_sequence',
        opt_start_seq: Math.max(1, this.#from),
        ack_policy: 'none',
        replay_policy: 'instant',
        mem_storage: true,
        num_replicas: 1,
        inactive_threshold: nanos(INACTIVE_MS),
      },
    })
    this.#consumer = created.name
    this.#left = created.num_pending
    if (this.#left > 0) this.#next = this.#fetch()
  }

  #fetch(): Promise<StoredMessage[]> {
    const { connection, api } = this.#host
    const wanted = Math.min(this.#left, REPLAY_BATCH_MESSAGES)
    const batch: StoredMessage[] = []
    const done = new Deferred<StoredMessage[]>()
    const reply = this.#host.privateSubject()
    const finish = (): void => {
      // Fewer than asked for: the rest grew too old meanwhile.
      this.#left = batch.length < wanted ? 0 : this.#left - batch.length
      done.resolve(batch)
    }
    const subscription = connection.subscribe(reply, {
      callback: (_, message: Msg) => {
        if (message.subject === reply) return finish()
        batch.push(deliveredMessage(message))
        if (batch.length === wanted) finish()
      },
    })
    const timer = setTimeout(
      () => done.reject(new WaggleError('BROKER_DOWN', { stream: this.#stream, reason: 'A replay stopped.' })),
      REQUEST_MS,
    )
    this.#abandon = () => done.resolve([])
    const stopListening = this.#host.onDown(() => done.reject(connectionGone()))
    const body = JSON.stringify({ batch: wanted, no_wait: true })
    connection.publish(
      api.subject(`CONSUMER.MSG.NEXT.${this.#stream}.${this.#consumer}`),
      new TextEncoder().encode(body),
      { reply },
    )
    return done.promise.finally(() => {
      clearTimeout(timer)
      stopListening()
      if (!connection.isClosed()) subscription.unsubscribe()
    })
  }
}
