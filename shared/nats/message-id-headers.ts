import type { MsgHdrs } from 'nats'
import { WaggleError } from '#shared/errors/waggle-error.ts'

/**
 * The header block of an append, made directly. The client library asks a header object only for its bytes
 * (`encode`); building its map of canonical names for each message cost more than all the rest of an append.
 */
export class MessageIdHeaders {
  readonly #bytes: Uint8Array

  constructor(messageId: string) {
    if (!/^[\x21-\x7e]{1,255}$/.test(messageId)) {
      throw new WaggleError('BAD_INPUT', { reason: 'A message id is 1 to 255 visible ASCII characters.' })
    }
    this.#bytes = Buffer.from(`NATS/1.0\r\nNats-Msg-Id: ${messageId}\r\n\r\n`, 'latin1')
  }

  get byteLength(): number {
    return this.#bytes.byteLength
  }

  encode(): Uint8Array {
    return this.#bytes
  }

  forClient(): MsgHdrs {
    return this as unknown as MsgHdrs
  }
}
