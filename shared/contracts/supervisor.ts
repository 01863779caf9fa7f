import { z } from 'zod'
import { ask, contract, tell } from '#shared/actor/contract.ts'
import { SendReceipt, Snapshot, StopReceipt } from './client.ts'
import { MessageFact, StopReport, TurnOutcome } from './event-map.ts'
import { Decided } from './review.ts'

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

export const Supervisor = contract(
  'supervisor',
  {
    open: tell(Open, { fails: ['FORBIDDEN'] }),
    /** Receipt: SendReceipt, after the message is stored (I12). */
    send: tell(Send, { fails: ['ID_REUSED', 'BUSY', 'FORBIDDEN', 'TOO_LARGE'] }),
    /** Receipt: StopReceipt; the report comes with `turn:ended`. */
    stop: tell(Stop, { fails: ['FORBIDDEN'] }),
    finished: tell(Finished),
    /** The turn waits for people, or goes on: meanwhile nothing of it is at work. */
    parked: tell(z.object({ turnId: z.string(), waits: z.boolean() })),
    /** From the desk: what became of an item that this conversation's supervisor parked. */
    decided: tell(Decided),
    snapshot: ask(z.object({}), Snapshot.omit({ cursor: true }), { within: '5s', fails: ['FORBIDDEN', 'NOT_FOUND'] }),
  },
  { partitions: 32 },
)

export { SendReceipt, StopReceipt }
