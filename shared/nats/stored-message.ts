import type { Msg } from 'nats'
import type { StoredMessage } from '#shared/transport/port.ts'

/** What the reply address of a delivered message says: `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.…`. */
export interface AckInfo {
  readonly deliveries: number
  readonly sequence: number
  /** Milliseconds since 1970 at which it was stored. */
  readonly at: number
  /** Matching messages behind this one. */
  readonly pending: number
}

export function ackInfo(reply: string): AckInfo {
  const tokens = reply.split('.')
  // Newer servers insert domain and account before the stream and add a random token at the end.
  const first = tokens.length >= 11 ? 6 : 4
  return {
    deliveries: Number(tokens[first]),
    sequence: Number(tokens[first + 1]),
    at: Math.floor(Number(tokens[first + 3]) / 1_000_000),
    pending: Number(tokens[first + 4]),
  }
}

/** A message delivered by a consumer. */
export function deliveredMessage(message: Msg): StoredMessage {
  const { sequence, at } = ackInfo(message.reply ?? '')
  return { subject: message.subject, sequence, at, data: message.data }
}

/** A message read directly from the stream; null when there is none (status 404). */
export function directMessage(message: Msg): StoredMessage | null {
  const { headers } = message
  if (!headers || (message.data.byteLength === 0 && headers.code >= 400)) return null
  return {
    subject: headers.get('Nats-Subject'),
    sequence: Number(headers.get('Nats-Sequence')),
    at: Date.parse(headers.get('Nats-Time-Stamp')),
    data: message.data,
  }
}
