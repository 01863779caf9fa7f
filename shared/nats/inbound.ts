import type { Msg } from 'nats'
import type { InboundMessage } from '#shared/transport/port.ts'

export function inboundMessage(message: Msg): InboundMessage {
  const { subject, data } = message
  const reply = message.reply ?? ''
  const { headers } = message
  if (!headers) return { subject, data, reply }
  if (headers.code === 503 && data.byteLength === 0) return { subject, data, reply, unreachable: true }
  const sequence = headers.get('Nats-Sequence')
  if (sequence === '') return { subject, data, reply }
  return { subject, data, reply, sequence: Number(sequence), previous: Number(headers.get('Nats-Last-Sequence')) }
}
