import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Envelope, Reply } from '#shared/wire/envelope.ts'
import { decodeEnvelope, decodeReply, encodeEnvelope, encodeReply } from '#shared/wire/envelope.ts'
import { decodeEvent, encodeEvent } from '#shared/wire/event.ts'
import type { LogEvent } from '#shared/wire/event.ts'

const AT = 1_795_249_299_570
const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** The command of PROTOCOL.md's session: a customer's message on its way to the supervisor of conversation `c-1042`. */
export const COMMAND: Envelope = {
  id: '01kb3y7q2v8m4n6p9r0s1t3w5x',
  type: 'send',
  version: 1,
  tenant: 'acme',
  from: 'client/ann',
  chain: [],
  deadline: AT + 30_000,
  attempt: 1,
  epoch: 0,
  control: 0,
  principal: { tenant: 'acme', user: 'ann', roles: ['customer'], scopes: ['chat'], credential: '' },
  taint: [],
  trace: TRACE,
  at: AT,
  receipt: '_wgl.8vpwxfwc9hlb89k7olx055.i1',
  payload: { clientId: 'm1', text: 'Where is my order 1042?', agent: null, channel: 'web' },
}

/** A call deep in a turn, with everything an envelope can carry. */
export const CALL: Envelope = {
  id: 'run-7.call.3',
  type: 'execute',
  version: 2,
  tenant: 'x-85hmqp908dnn4s0',
  from: 'run/c-1042--billing--7',
  chain: ['client/ann', 'supervisor/c-1042', 'agent/c-1042--billing'],
  deadline: AT + 5_000,
  attempt: 3,
  epoch: 12,
  control: 4,
  principal: {
    tenant: 'x-85hmqp908dnn4s0',
    user: 'ann',
    roles: ['customer', 'beta'],
    scopes: [],
    credential: 'v1.k1.c2VhbGVk',
  },
  taint: ['knowledge:handbook', 'tool:search'],
  trace: TRACE,
  at: AT + 812,
  receipt: '',
  payload: {
    tool: 'lookup_order_status',
    args: {
      order: 1042,
      exact: true,
      weight: 1.5,
      below: -7,
      big: 9_007_199_254_740_991,
      none: null,
      list: [1, 'zwei', [3]],
    },
    bytes: Uint8Array.of(0, 1, 254, 255),
    text: 'Größe 😀',
  },
}

/** Nothing that may be absent is there. */
export const BARE: Envelope = {
  id: '1',
  type: 't',
  version: 0,
  tenant: 'a',
  from: 'k/1',
  chain: [],
  deadline: 0,
  attempt: 0,
  epoch: 0,
  control: 0,
  principal: null,
  taint: [],
  trace: '',
  at: 0,
  receipt: '',
  payload: null,
}

export const RECEIPT: Reply = { kind: 'value', epoch: 12, value: { accepted: true, messageId: 'msg-1' } }
export const ITEM: Reply = { kind: 'item', epoch: 12, number: 1, value: 'Your order ' }
export const END: Reply = { kind: 'end', epoch: 12, number: 2 }
export const REFUSAL: Reply = {
  kind: 'error',
  epoch: 12,
  error: new WaggleError('BUSY', { retryAfterMs: 250, turn: 'turn-1' }, { expected: true }),
}

export const FACT: LogEvent = {
  id: '01kb3y7q2v8m4n6p9r0s1t3w5x.0',
  type: 'message:received',
  version: 1,
  by: 'supervisor/c-1042',
  epoch: 12,
  control: 0,
  at: AT + 9,
  trace: TRACE,
  payload: { messageId: 'msg-1', text: 'Where is my order 1042?' },
}

export const DELTA: LogEvent = {
  id: 'run-7.d.11',
  type: 'text:delta',
  version: 1,
  by: 'run/c-1042--billing--7',
  epoch: 12,
  control: 4,
  at: AT + 900,
  trace: '',
  payload: { messageId: 'msg-2', offset: 11, text: 'is on its way 🚚' },
}

export interface Sample {
  readonly value: unknown
  readonly encode: () => Uint8Array
  readonly decode: (bytes: Uint8Array) => unknown
}

/** Each has its bytes in shared/wire/golden/v1/<name>.hex. */
export const SAMPLES: Readonly<Record<string, Sample>> = {
  'envelope-command': envelope(COMMAND),
  'envelope-call': envelope(CALL),
  'envelope-bare': envelope(BARE),
  'reply-value': reply(RECEIPT),
  'reply-item': reply(ITEM),
  'reply-end': reply(END),
  'reply-error': reply(REFUSAL),
  'event-fact': event(FACT),
  'event-delta': event(DELTA),
}

function envelope(value: Envelope): Sample {
  return { value, encode: () => encodeEnvelope(value), decode: decodeEnvelope }
}
function reply(value: Reply): Sample {
  return {
    value: comparable(value),
    encode: () => encodeReply(value),
    decode: (bytes) => comparable(decodeReply(bytes)),
  }
}
function event(value: LogEvent): Sample {
  return { value, encode: () => encodeEvent(value), decode: decodeEvent }
}

/** Errors by what crosses the wire. */
export function comparable(value: Reply): unknown {
  if (value.kind !== 'error') return value
  const { code, details, expected } = value.error
  return { ...value, error: { code, details, expected } }
}

/** Buffers and plain arrays are the same bytes to a test. */
export function plainBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] }
  if (Array.isArray(value)) return value.map(plainBytes)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainBytes(item)]))
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
