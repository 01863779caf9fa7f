import { z } from 'zod'
import { ask, contract, tell } from '#shared/actor/contract.ts'
import { SendReceipt, Snapshot, StopReceipt } from './client.ts'
import { WhileRunning } from './while-running.ts'
import { Unheard } from './pending.ts'
import { MessageFact, StopReport, TurnOutcome } from './event-map.ts'

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
})

export const Supervisor = contract(
  'supervisor',
  {
    open: tell(Open, { fails: ['FORBIDDEN'] }),
    /** Receipt: SendReceipt, after the message is stored (I12). */
    send: tell(Send, { fails: ['ID_REUSED', 'BUSY', 'FORBIDDEN', 'TOO_LARGE', 'NOT_FOUND', 'BAD_INPUT'] }),
    /** Receipt: StopReceipt; the report comes with `turn:ended`. */
    stop: tell(Stop, { fails: ['FORBIDDEN'] }),
    finished: tell(Finished),
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
    /** Words that a turn did not hear, told before its end. */
    unheard: tell(z.object({ turnId: z.string(), items: z.array(Unheard) })),
    snapshot: ask(z.object({}), Snapshot.omit({ cursor: true }), { within: '5s', fails: ['FORBIDDEN', 'NOT_FOUND'] }),
  },
  { partitions: 32 },
)

export { SendReceipt, StopReceipt }
