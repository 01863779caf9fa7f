import { z } from 'zod'
import { Failure, id, ms, spec } from './event-spec.ts'

/** What a stop found (I8): by name, what stopped, what could not be stopped, what had happened already. */
export const StopReport = z.object({
  stopped: z.array(z.string()),
  couldNot: z.array(z.string()),
  happened: z.array(z.string()),
})
export type StopReport = z.infer<typeof StopReport>

export const TurnOutcome = z.enum(['answered', 'stopped', 'failed', 'refused', 'escalated'])
export type TurnOutcome = z.infer<typeof TurnOutcome>

/** Ids in one `branch:changed`. */
export const BRANCH_IDS = 200

export const TURN_EVENTS = {
  'turn:started': spec(
    'pub',
    'Work on a message began.',
    z.object({
      turnId: id,
      messageId: id,
      /** The message that it follows from here on, where it waited; otherwise the one it always followed. */
      after: id.nullable().optional(),
      /** Messages before it that are answered with it. */
      joined: z.array(id).optional(),
    }),
  ),
  'branch:changed': spec(
    'pub',
    'The active branch of the conversation ends elsewhere, or a message was taken back.',
    z.object({
      leafId: id.nullable(),
      /** From the root to the leaf; the newest BRANCH_IDS of them. */
      path: z.array(id),
      /** Messages that are gone from the conversation. */
      withdrawn: z.array(id),
      reason: z.enum(['regenerate', 'edit', 'rollback', 'select', 'fork', 'nothing said', 'said']),
    }),
  ),
  'turn:ended': spec(
    'pub',
    'Work on a message is over.',
    z.object({ turnId: id, outcome: TurnOutcome, error: Failure.nullable(), report: StopReport.nullable(), ms }),
  ),
  'agent:speaking': spec(
    'pub',
    'An agent took the turn and will speak in this message.',
    z.object({ turnId: id, runId: id, agent: z.string(), title: z.string(), messageId: id }),
  ),
  'route:decided': spec(
    'ops',
    'The supervisor chose an agent, or found that none fits.',
    z.object({ turnId: id, agent: z.string().nullable(), reason: z.string(), ms }),
  ),
} as const
