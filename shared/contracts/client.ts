import { z } from 'zod'
import type {
  FeedbackList,
  FeedbackListRequest,
  ReviewAnswer,
  ReviewClaimRequest,
  ReviewDecideRequest,
  ReviewList,
  ReviewListRequest,
  ReviewShowRequest,
} from './review-requests.ts'
import { MessageFact, ReviewItem, StopReport, TurnOutcome } from './event-map.ts'

/**
 * The Socket.IO protocol, both directions, shared by gateway, client and tests. Every client event takes an
 * acknowledgement `Ack<…>`. The log comes as `log` with one or more entries in log order, each with its cursor; hand the
 * last cursor to `conversation:open` after a reconnect and nothing is lost and nothing comes twice (I5).
 */
export const PROTOCOL_VERSION = 1
export const MAX_TEXT_CHARS = 16_000

const Id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'an id is 1 to 64 of A-Z a-z 0-9 _ -')

export const OpenRequest = z.object({
  /** Absent: a new conversation. */
  conversationId: Id.optional(),
  /** Cursor of the last entry seen; absent or unknown: a snapshot comes first. */
  after: z.string().max(120).optional(),
  /** Also operators' events, if the role allows (FORBIDDEN otherwise). */
  ops: z.boolean().optional(),
})
export const SendRequest = z.object({
  conversationId: Id,
  /** The client's own id of this message; sending it again is harmless. */
  id: Id,
  text: z.string().min(1).max(MAX_TEXT_CHARS),
  /** Skips routing. */
  agent: z.string().max(60).optional(),
})
export const StopRequest = z.object({ conversationId: Id, turnId: Id.optional() })
export const CloseRequest = z.object({ conversationId: Id })
export const WatchRequest = z.object({ after: z.string().max(120).optional() })

export const LogEntry = z.object({
  cursor: z.string(),
  conversationId: z.string(),
  audience: z.enum(['pub', 'ops', 'sys']),
  id: z.string(),
  type: z.string(),
  by: z.string(),
  at: z.number(),
  payload: z.unknown(),
})
export type LogEntry = z.infer<typeof LogEntry>

/** The state of a conversation at a cursor; entries after it follow as `log`. Replace what you had. */
export const Snapshot = z.object({
  cursor: z.string(),
  conversationId: z.string(),
  messages: z.array(MessageFact),
  /** Turns that are not over. */
  turns: z.array(
    z.object({
      turnId: z.string(),
      messageId: z.string(),
      agent: z.string().nullable(),
      runId: z.string().nullable(),
      answerId: z.string().nullable(),
    }),
  ),
  control: z.object({ owner: z.string(), mode: z.string(), control: z.number() }),
  /** What waits for a person in it, oldest first; operators only. */
  reviews: z.array(ReviewItem).optional(),
})
export type Snapshot = z.infer<typeof Snapshot>

export const SendReceipt = z.object({
  messageId: z.string(),
  turnId: z.string(),
  status: z.enum(['accepted', 'queued', 'pending']),
})
export type SendReceipt = z.infer<typeof SendReceipt>
export const StopReceipt = z.object({ turnId: z.string().nullable(), status: z.enum(['stopping', 'nothing']) })
export type StopReceipt = z.infer<typeof StopReceipt>
export const ExecuteResult = z.object({
  conversationId: z.string(),
  turnId: z.string(),
  outcome: TurnOutcome,
  message: MessageFact.nullable(),
  report: StopReport.nullable(),
})

export interface ClientError {
  readonly code: string
  readonly message: string
  readonly action: string
  readonly details: Readonly<Record<string, unknown>>
}
export type Ack<Value> = ({ readonly ok: true } & Value) | { readonly ok: false; readonly error: ClientError }

export interface ClientToServer {
  'conversation:open': (
    request: z.infer<typeof OpenRequest>,
    ack: (answer: Ack<{ conversationId: string; snapshot: Snapshot | null }>) => void,
  ) => void
  'conversation:close': (request: z.infer<typeof CloseRequest>, ack: (answer: Ack<object>) => void) => void
  'message:send': (request: z.infer<typeof SendRequest>, ack: (answer: Ack<SendReceipt>) => void) => void
  'review:list': (request: z.input<typeof ReviewListRequest>, ack: (answer: Ack<ReviewList>) => void) => void
  'review:show': (request: z.infer<typeof ReviewShowRequest>, ack: (answer: Ack<ReviewAnswer>) => void) => void
  'review:decide': (request: z.input<typeof ReviewDecideRequest>, ack: (answer: Ack<ReviewAnswer>) => void) => void
  'review:claim': (request: z.input<typeof ReviewClaimRequest>, ack: (answer: Ack<ReviewAnswer>) => void) => void
  'feedback:list': (request: z.input<typeof FeedbackListRequest>, ack: (answer: Ack<FeedbackList>) => void) => void
  'run:stop': (request: z.infer<typeof StopRequest>, ack: (answer: Ack<StopReceipt>) => void) => void
  'swarm:watch': (request: z.infer<typeof WatchRequest>, ack: (answer: Ack<{ cursor: string }>) => void) => void
  'swarm:unwatch': (request: object, ack: (answer: Ack<object>) => void) => void
}

export interface ServerToClient {
  /** Entries of opened conversations, in log order. */
  log: (entries: readonly LogEntry[]) => void
  /** Entries of the whole tenant for those who watch the swarm; the same entry may also come as `log`. */
  swarm: (entries: readonly LogEntry[]) => void
  /** The reader fell behind or the log began anew: replace the state. */
  snapshot: (snapshot: Snapshot) => void
  /** The server goes away; reconnect with your cursors. */
  leaving: () => void
}

/** Said in the handshake's `auth`: a JWT or an API key. */
export const Handshake = z.object({
  token: z.string().max(8_192).optional(),
  apiKey: z.string().max(256).optional(),
  protocol: z.literal(PROTOCOL_VERSION).optional(),
})
