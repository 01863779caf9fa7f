import { z } from 'zod'
import { ask, contract, tell } from '#shared/actor/contract.ts'
import { SendReceipt, Snapshot, StopReceipt } from './client.ts'
import { ControlRequest, Receiver } from './control.ts'
import { MessageFact, StopReport, TurnOutcome } from './event-map.ts'

/** What the supervisor of one conversation can be told; key: the conversation id. Every wait is in a child run. */
export const Open = z.object({ channel: z.string().max(40) })
export const Send = z.object({
  clientId: z.string(),
  text: z.string(),
  agent: z.string().nullable(),
  channel: z.string(),
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
})
/** What a person says: to the customer, to colleagues, or to the agent. */
export const Reply = z.object({ clientId: z.string(), text: z.string() })
export const AddNote = z.object({ clientId: z.string(), text: z.string(), kind: z.enum(['note', 'whisper']) })
export const Assign = z.object({ to: Receiver.nullable() })
export const Read = z.object({ messageId: z.string() })
export const Brief = z.object({ control: z.number().int() })
/** A person of the tenant has, or no longer has, a conversation before their eyes; `seat` is one connection. */
export const Seat = z.object({ seat: z.string().max(120), here: z.boolean() })
/** A team asks this member now; null: nobody has room. */
export const Asked = z.object({ team: z.string(), user: z.string().nullable() })
/** A decision on a review item that the supervisor had parked. */
export const Decided = z.object({
  itemId: z.string(),
  turnId: z.string(),
  runId: z.string(),
  kind: z.string(),
  decision: z.discriminatedUnion('action', [
    z.object({ action: z.literal('approve') }),
    z.object({ action: z.literal('edit'), args: z.record(z.string(), z.unknown()) }),
    z.object({ action: z.literal('reject'), reason: z.string() }),
    z.object({ action: z.literal('answer'), text: z.string() }),
  ]),
  by: z.string(),
})

export const Supervisor = contract(
  'supervisor',
  {
    open: tell(Open, { fails: ['FORBIDDEN'] }),
    /** Receipt: SendReceipt, after the message is stored (I12). */
    send: tell(Send, { fails: ['ID_REUSED', 'BUSY', 'FORBIDDEN', 'TOO_LARGE'] }),
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
    decided: tell(Decided),
    snapshot: ask(z.object({ staff: z.boolean().optional() }), Snapshot.omit({ cursor: true }), {
      within: '5s',
      fails: ['FORBIDDEN', 'NOT_FOUND'],
    }),
  },
  { partitions: 32 },
)

export { SendReceipt, StopReceipt }
