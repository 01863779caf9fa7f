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

export const TURN_EVENTS = {
  'turn:started': spec('pub', 'Work on a message began.', z.object({ turnId: id, messageId: id })),
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
