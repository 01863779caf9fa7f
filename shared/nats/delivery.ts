import type { Msg, NatsConnection } from 'nats'
import type { Delivery } from '#shared/transport/port.ts'
import { ackInfo } from './stored-message.ts'
import type { AckInfo } from './stored-message.ts'

const ACK = new TextEncoder().encode('+ACK')
const WORKING = new TextEncoder().encode('+WPI')

/** One delivery of a durable consumer; its numbers are read from the reply address only when asked for. */
export class NatsDelivery implements Delivery {
  readonly subject: string
  readonly data: Uint8Array
  readonly #connection: NatsConnection
  readonly #reply: string
  #info: AckInfo | null = null

  constructor(connection: NatsConnection, message: Msg) {
    this.#connection = connection
    this.subject = message.subject
    this.data = message.data
    this.#reply = message.reply ?? ''
  }

  get sequence(): number {
    return this.#numbers().sequence
  }

  get deliveries(): number {
    return this.#numbers().deliveries
  }

  ack(): void {
    this.#send(ACK)
  }

  working(): void {
    this.#send(WORKING)
  }

  #send(word: Uint8Array): void {
    // After close there is nobody to tell; the message comes again to whoever reads next.
    if (!this.#connection.isClosed()) this.#connection.publish(this.#reply, word)
  }

  #numbers(): AckInfo {
    this.#info ??= ackInfo(this.#reply)
    return this.#info
  }
}
