import { z } from 'zod'
import { ask, contract, tell } from '#shared/actor/contract.ts'
import { Handover } from './agent.ts'
import { Spent } from './budget.ts'
import { SendReceipt, Snapshot, StopReceipt } from './client.ts'
import { ControlRequest, Receiver } from './control.ts'
import { WhileRunning } from './while-running.ts'
import { Unheard } from './pending.ts'
import { MessageFact, StopReport, TurnOutcome, Usage } from './event-map.ts'
import { Decided } from './review.ts'

/** What the supervisor of one conversation can be told; key: the conversation id. Every wait is in a child run. */
export const Open = z.object({ channel: z.string().max(40) })
export const Send = z.object({
  clientId: z.string(),
  text: z.string(),
  agent: z.string().nullable(),
  channel: z.string(),
  whileRunning: WhileRunning.optional(),
  editOf: z.string().optional(),
})
export const Stop = z.object({ turnId: z.string().nullable(), reason: z.string() })
export const Finished = z.object({
  turnId: z.string(),
  runId: z.string(),
  agent: z.string(),
  outcome: TurnOutcome,
  /** What is to be said, by `sendPublic`; null when nothing is. */
  message: MessageFact.nullable(),
  error: z.object({ code: z.string(), message: z.string(), action: z.string() }).nullable(),
  report: StopReport.nullable(),
  /** Messages said to the turn while it was at work and heard by it, in order. */
  heard: z.array(z.string()).optional(),
  usage: Usage.optional(),
  /** The thread of checkpoints of the run. */
  thread: z.string().optional(),
  handover: Handover.nullable().optional(),
  /** What was spent up; the run waits when `parked`. */
  spent: Spent.nullable().optional(),
  parked: z.boolean().optional(),
})
/** What a person says: to the customer, to colleagues, or to the agent. */
export const Reply = z.object({ clientId: z.string(), text: z.string() })
export const AddNote = z.object({ clientId: z.string(), text: z.string(), kind: z.enum(['note', 'whisper']) })
export const Assign = z.object({ to: Receiver.nullable() })
export const Read = z.object({ messageId: z.string() })
export const Brief = z.object({ control: z.number().int() })
/** A person of the tenant has, or no longer has, a conversation before their eyes; `seat` is one connection, `node` its gateway. */
export const Seat = z.object({ seat: z.string().max(120), here: z.boolean(), node: z.string().max(120).optional() })
/** A team asks this member now; null: nobody has room. */
export const Asked = z.object({ team: z.string(), user: z.string().nullable() })
/** Somebody decided about a turn that waits because its budget is spent: how much more it may spend, or that it ends. */
export const Raise = z.object({
  turnId: z.string(),
  granted: z.boolean(),
  tokens: z.number().int().nonnegative(),
  costMicros: z.number().int().nonnegative(),
  wallMs: z.number().int().nonnegative(),
})
/** The turn of a message was given up, and its dead letter replayed. */
export const Retry = z.object({ messageId: z.string(), text: z.string(), agent: z.string().nullable() })

export const Supervisor = contract(
  'supervisor',
  {
    open: tell(Open, { fails: ['FORBIDDEN'] }),
    /** Receipt: SendReceipt, after the message is stored (I12). */
    send: tell(Send, {
      fails: ['ID_REUSED', 'BUSY', 'FORBIDDEN', 'TOO_LARGE', 'NOT_FOUND', 'BAD_INPUT'],
      begins: true,
    }),
    /** Receipt: StopReceipt; the report comes with `turn:ended`. */
    stop: tell(Stop, { fails: ['FORBIDDEN'] }),
    finished: tell(Finished),
    /** Receipt: ControlReceipt. CONTROL_TAKEN names who has it. */
    control: tell(ControlRequest, {
      fails: ['FORBIDDEN', 'NOT_FOUND', 'CONTROL_TAKEN', 'STALE_CONTROL', 'NO_OFFER', 'BAD_INPUT'],
    }),
    /** Receipt: {messageId}. */
    reply: tell(Reply, { fails: ['FORBIDDEN', 'NOT_FOUND', 'STALE_CONTROL', 'ID_REUSED', 'TOO_LARGE'] }),
    /** Receipt: {noteId}. */
    note: tell(AddNote, { fails: ['FORBIDDEN', 'NOT_FOUND', 'ID_REUSED'] }),
    /** Receipt: {user, team}. */
    assign: tell(Assign, { fails: ['FORBIDDEN', 'NOT_FOUND'] }),
    read: tell(Read, { fails: ['FORBIDDEN', 'NOT_FOUND'] }),
    /** What follows a change of owner and need not be waited for. */
    brief: tell(Brief),
    seat: tell(Seat, { fails: ['FORBIDDEN', 'NOT_FOUND'] }),
    asked: tell(Asked),
    /** The turn waits for people, or goes on: meanwhile nothing of it is at work. */
    parked: tell(z.object({ turnId: z.string(), waits: z.boolean() })),
    /** From the desk: what became of an item that this conversation's supervisor parked. */
    decided: tell(Decided),
    snapshot: ask(z.object({ staff: z.boolean().optional() }), Snapshot.omit({ cursor: true }), {
      within: '5s',
      fails: ['FORBIDDEN', 'NOT_FOUND'],
    }),
    /** Receipt: SendReceipt. */
    regenerate: tell(z.object({ messageId: z.string(), agent: z.string().nullable() }), {
      fails: ['BUSY', 'FORBIDDEN', 'NOT_FOUND'],
    }),
    /** Receipt: BranchReceipt. */
    select: tell(z.object({ messageId: z.string() }), { fails: ['BUSY', 'FORBIDDEN', 'NOT_FOUND'] }),
    /** Receipt: SendReceipt. */
    fork: tell(z.object({ runId: z.string(), checkpointId: z.string() }), {
      fails: ['BUSY', 'FORBIDDEN', 'NOT_FOUND'],
    }),
    /** The run at work has heard a whisper. */
    whispered: tell(z.object({ noteId: z.string(), turnId: z.string(), agent: z.string(), step: z.number().int() })),
    /** Words that a turn did not hear, told before its end. */
    unheard: tell(z.object({ turnId: z.string(), items: z.array(Unheard) })),
    /** Receipt: RaiseReceipt. */
    raise: tell(Raise, { fails: ['FORBIDDEN', 'CONFLICT'] }),
    retry: tell(Retry),
  },
  { partitions: 32 },
)

export { SendReceipt, StopReceipt }
