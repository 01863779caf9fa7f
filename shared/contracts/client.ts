import { z } from 'zod'
import type {
  AssignRequest,
  AvailableRequest,
  ControlInput,
  NoteRequest,
  PresenceSignal,
  ReadRequest,
  ReplyRequest,
  TeamRequest,
  TypingRequest,
  TypingSignal,
} from './client-control.ts'
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
import { Briefing, Offer } from './control.ts'
import type { ControlReceipt } from './control.ts'
import { MessageFact, ReviewItem, StopReport, TurnOutcome } from './event-map.ts'
import { Note } from './note.ts'
import type { TeamQueue } from './team.ts'
import type { CheckpointList, CheckpointView } from './directory.ts'
import { WhileRunning } from './while-running.ts'

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
  /** If a turn is at work; default: as the agent at work is configured. */
  whileRunning: WhileRunning.optional(),
  /** An earlier message of the same person that this one stands for, on a branch of its own. */
  editOf: Id.optional(),
})
export const StopRequest = z.object({ conversationId: Id, turnId: Id.optional() })
export const RegenerateRequest = z.object({
  conversationId: Id,
  /** A question, or the answer that is to get another one beside it. */
  messageId: Id,
  /** Sending it again under the same id is harmless. */
  id: Id.optional(),
  /** Skips routing. */
  agent: z.string().max(60).optional(),
})
export const SelectRequest = z.object({ conversationId: Id, messageId: Id })
const RunId = z.string().min(1).max(64)
const CheckpointId = z.string().min(1).max(64)
export const RunRequest = z.object({ runId: RunId })
export const CheckpointRequest = z.object({ runId: RunId, checkpointId: CheckpointId })
export const ForkRequest = z.object({ conversationId: Id, runId: RunId, checkpointId: CheckpointId, id: Id.optional() })
/** An operator's word about a turn that waits because its budget is spent. */
export const RaiseRequest = z.object({
  conversationId: Id,
  turnId: Id,
  /** False: the turn ends. */
  granted: z.boolean().default(true),
  tokens: z.number().int().min(0).max(100_000_000).default(0),
  /** Millionths of the currency of the tenant's price table. */
  costMicros: z.number().int().min(0).max(1_000_000_000_000).default(0),
  wallMs: z.number().int().min(0).max(86_400_000).default(0),
})
export const RaiseReceipt = z.object({ status: z.enum(['resumed', 'waiting', 'ended']) })
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

/** What only people of the tenant may see of a conversation. */
export const StaffSnapshot = z.object({
  offer: Offer.nullable(),
  /** The newest, oldest first. */
  notes: z.array(Note),
  /** Unsaid answers that wait for a decision. */
  drafts: z.array(z.object({ turnId: z.string(), message: MessageFact })),
  briefing: Briefing.nullable(),
  assigned: z.object({ user: z.string().nullable(), team: z.string().nullable() }),
  reads: z.array(z.object({ user: z.string(), messageId: z.string(), at: z.number() })),
})
export type StaffSnapshot = z.infer<typeof StaffSnapshot>

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
  /** Null for a customer. */
  staff: StaffSnapshot.nullable(),
  branch: z
    .object({
      /** The end of the active branch; the way up by `parentId` is the branch. */
      leafId: z.string().nullable(),
      /** Messages that stand in line. */
      waiting: z.array(z.string()),
      /** Messages that were meant for a turn at work and not heard; the newest. */
      undelivered: z.array(z.object({ messageId: z.string(), reason: z.string() })),
    })
    .optional(),
  /** For operators: the newest entries up to the cursor that tell how turns went, in log order. */
  past: z.array(LogEntry).optional(),
  /** What waits for a person in it, oldest first; operators only. */
  reviews: z.array(ReviewItem).optional(),
})
export type Snapshot = z.infer<typeof Snapshot>

export const SendReceipt = z.object({
  messageId: z.string(),
  turnId: z.string(),
  status: z.enum([
    /** Its turn has begun. */
    'accepted',
    /** It waits in line. */
    'queued',
    /** Not confirmed yet: send the same id again. */
    'pending',
    /** For the run at work: `message:steered` or `message:undelivered` follows. */
    'steering',
    /** It is part of a turn with others, which waits for more. */
    'merged',
    /** The turn at work is being stopped for it. */
    'interrupting',
  ]),
})
export type SendReceipt = z.infer<typeof SendReceipt>
export const BranchReceipt = z.object({ leafId: z.string() })
export type BranchReceipt = z.infer<typeof BranchReceipt>
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
  'message:regenerate': (request: z.infer<typeof RegenerateRequest>, ack: (answer: Ack<SendReceipt>) => void) => void
  'branch:select': (request: z.infer<typeof SelectRequest>, ack: (answer: Ack<BranchReceipt>) => void) => void
  'run:fork': (request: z.infer<typeof ForkRequest>, ack: (answer: Ack<SendReceipt>) => void) => void
  'run:checkpoints': (
    request: z.infer<typeof RunRequest>,
    ack: (answer: Ack<z.infer<typeof CheckpointList>>) => void,
  ) => void
  'run:checkpoint': (
    request: z.infer<typeof CheckpointRequest>,
    ack: (answer: Ack<z.infer<typeof CheckpointView>>) => void,
  ) => void
  'review:list': (request: z.input<typeof ReviewListRequest>, ack: (answer: Ack<ReviewList>) => void) => void
  'review:show': (request: z.infer<typeof ReviewShowRequest>, ack: (answer: Ack<ReviewAnswer>) => void) => void
  'review:decide': (request: z.input<typeof ReviewDecideRequest>, ack: (answer: Ack<ReviewAnswer>) => void) => void
  'review:claim': (request: z.input<typeof ReviewClaimRequest>, ack: (answer: Ack<ReviewAnswer>) => void) => void
  'feedback:list': (request: z.input<typeof FeedbackListRequest>, ack: (answer: Ack<FeedbackList>) => void) => void
  'run:stop': (request: z.infer<typeof StopRequest>, ack: (answer: Ack<StopReceipt>) => void) => void
  'conversation:control': (request: z.infer<typeof ControlInput>, ack: (answer: Ack<ControlReceipt>) => void) => void
  'message:reply': (request: z.infer<typeof ReplyRequest>, ack: (answer: Ack<{ messageId: string }>) => void) => void
  'note:add': (request: z.infer<typeof NoteRequest>, ack: (answer: Ack<{ noteId: string }>) => void) => void
  'conversation:assign': (
    request: z.infer<typeof AssignRequest>,
    ack: (answer: Ack<{ user: string | null; team: string | null }>) => void,
  ) => void
  'conversation:read': (request: z.infer<typeof ReadRequest>, ack: (answer: Ack<object>) => void) => void
  'team:available': (request: z.infer<typeof AvailableRequest>, ack: (answer: Ack<object>) => void) => void
  'team:queue': (request: z.infer<typeof TeamRequest>, ack: (answer: Ack<TeamQueue>) => void) => void
  /** Only in conversations that are open on this socket. */
  typing: (request: z.infer<typeof TypingRequest>, ack: (answer: Ack<object>) => void) => void
  'budget:raise': (
    request: z.input<typeof RaiseRequest>,
    ack: (answer: Ack<z.infer<typeof RaiseReceipt>>) => void,
  ) => void
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
  /** Volatile, as the next one: it may be lost, and is not in the log. */
  typing: (signal: TypingSignal) => void
  /** For people of the tenant. */
  presence: (signal: PresenceSignal) => void
  /** The server goes away; reconnect with your cursors. */
  leaving: () => void
}

/** Said in the handshake's `auth`: a JWT or an API key. */
export const Handshake = z.object({
  token: z.string().max(8_192).optional(),
  apiKey: z.string().max(256).optional(),
  protocol: z.literal(PROTOCOL_VERSION).optional(),
})
