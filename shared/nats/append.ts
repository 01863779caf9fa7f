import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Appended } from '#shared/transport/port.ts'
import { fromApiError } from './broker-error.ts'
import type { ApiError } from './broker-error.ts'
import { MessageIdHeaders } from './message-id-headers.ts'
import type { ReplyMux } from './reply-mux.ts'

interface PubAck {
  readonly stream?: string
  readonly seq: number
  readonly duplicate?: boolean
  readonly error?: ApiError
}

/** Publishes to a stream and waits until it is stored. Any number may be under way at once. */
export async function append(
  mux: ReplyMux,
  subject: string,
  data: Uint8Array,
  messageId: string,
  maxPayloadBytes: number,
): Promise<Appended> {
  const headers = new MessageIdHeaders(messageId)
  if (data.byteLength + headers.byteLength > maxPayloadBytes) throw tooLarge(data.byteLength, maxPayloadBytes)
  const message = await mux.request(subject, data, headers.forClient())
  const answer = JSON.parse(Buffer.from(message.data).toString('utf8')) as PubAck
  if (answer.error) throw fromApiError(answer.error, { subject })
  if (answer.stream === undefined) throw new WaggleError('BROKER_DOWN', { subject, reason: 'Not a stream answered.' })
  return { sequence: answer.seq, duplicate: answer.duplicate === true }
}

export function tooLarge(bytes: number, limit: number): WaggleError {
  return new WaggleError('TOO_LARGE', { bytes, limit })
}
