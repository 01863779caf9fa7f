import { WaggleError, coded } from '#shared/errors/waggle-error.ts'
import type { Cancel } from '#shared/lib/clock.ts'
import type { HostCore } from './core.ts'
import { announceLetter, letter, traceIn } from './letters.ts'
import { INBOUND, OUTBOUND, UNDELIVERED } from './streams.ts'

/**
 * Messages of IN and OUT that a bridge did not take however often they were delivered become dead letters (I13). The
 * broker says of each that it gives up, and leaves it in its stream; a stream of its own keeps these words. From time to
 * time the node that keeps the log reads them: the message is stored as a letter, then taken out of its stream, then the
 * word is. Each of the three may be done twice, by two nodes or after a crash, without another outcome.
 */
export class Undelivered {
  readonly #core: HostCore
  readonly #mine: () => boolean
  #next: Cancel | null = null
  #closed = false

  constructor(core: HostCore, mine: () => boolean) {
    this.#core = core
    this.#mine = mine
  }

  open(): void {
    this.#lookIn(LOOK_EVERY_MS)
  }

  close(): void {
    this.#closed = true
    this.#next?.()
  }

  #lookIn(ms: number): void {
    if (this.#closed) return
    this.#next = this.#core.clock.setTimeout(() => {
      this.#look()
        .catch((error: unknown) => {
          this.#core.log.debug({ code: coded(error).code }, 'undelivered messages could not be looked for; later')
        })
        .finally(() => this.#lookIn(LOOK_EVERY_MS))
    }, ms)
  }

  async #look(): Promise<void> {
    const { transport } = this.#core
    if (!this.#mine() || (await transport.streamInfo(UNDELIVERED)).messages === 0) return
    const words: { readonly sequence: number; readonly data: Uint8Array }[] = []
    for await (const { sequence, data } of transport.read(UNDELIVERED, { filters: ['>'], from: 1 })) {
      words.push({ sequence, data })
      if (words.length >= WORDS_AT_ONCE) break
    }
    for (const { sequence, data } of words) {
      await this.#bury(data)
      await transport.remove(UNDELIVERED, sequence)
    }
  }

  async #bury(data: Uint8Array): Promise<void> {
    const { transport, store, clock, log } = this.#core
    const word = wordIn(data)
    if (word === null) return log.warn({}, 'a word of the broker could not be read')
    const { stream, sequence, deliveries, consumer } = word
    const message = await transport.at(stream, sequence)
    // Acknowledged late, or buried before.
    if (message === null) return
    const { created } = await transport.streamInfo(stream)
    const error = new WaggleError('UNDELIVERED', { stream, consumer, deliveries })
    const history = [
      { code: error.code, message: `${consumer} did not acknowledge ${deliveries} deliveries.`, at: clock.now() },
    ]
    const buried = letter(this.#core, {
      id: `${stream.toLowerCase()}-${created}-${sequence}`,
      tenant: /^t\.([a-z0-9-]{1,120})\./.exec(message.subject)?.[1] ?? '-',
      subject: message.subject,
      payload: message.data,
      error,
      attempts: deliveries,
      history,
      trace: traceIn(message.data),
    })
    await store.bury(buried)
    if (await transport.remove(stream, sequence)) announceLetter(this.#core, buried, '')
  }
}

interface Word {
  readonly stream: string
  readonly consumer: string
  readonly sequence: number
  readonly deliveries: number
}

function wordIn(data: Uint8Array): Word | null {
  try {
    const {
      stream,
      consumer,
      stream_seq: sequence,
      deliveries,
    } = JSON.parse(new TextDecoder().decode(data)) as {
      readonly [name: string]: unknown
    }
    if (stream !== INBOUND && stream !== OUTBOUND) return null
    if (typeof sequence !== 'number' || typeof deliveries !== 'number') return null
    return { stream, consumer: String(consumer), sequence, deliveries }
  } catch {
    return null
  }
}

/** How soon a message that nobody takes is a letter. */
const LOOK_EVERY_MS = 5_000
const WORDS_AT_ONCE = 500
