import { z } from 'zod'
import { id, spec } from './event-spec.ts'

const of = { what: z.enum(['tokens', 'costMicros', 'wallMs']), used: z.number(), limit: z.number() }

/** What turns may spend, and what was cut because it went in circles. */
export const BUDGET_EVENTS = {
  'budget:warned': spec(
    'ops',
    'A run has used most of what it may spend, and was told so.',
    z.object({ turnId: id, runId: id, ...of }),
  ),
  'budget:spent': spec(
    'ops',
    'A turn may spend no more: it ends, or waits for somebody who raises the limit.',
    z.object({
      turnId: id,
      runId: z.string(),
      agent: z.string(),
      scope: z.enum(['turn', 'conversation', 'day']),
      policy: z.enum(['end', 'ask']),
      ...of,
    }),
  ),
  'budget:raised': spec(
    'ops',
    'Somebody let a turn that waited spend more, or refused to.',
    z.object({
      turnId: id,
      by: z.string(),
      granted: z.boolean(),
      tokens: z.number(),
      costMicros: z.number(),
      wallMs: z.number(),
    }),
  ),
  'loop:cut': spec(
    'ops',
    'Something went in circles and was cut.',
    z.object({
      turnId: id,
      runId: z.string(),
      what: z.enum(['tool', 'handoff']),
      /** The tool, or the agents in order. */
      path: z.array(z.string()),
      times: z.number().int(),
      ended: z.boolean(),
    }),
  ),
  'turn:transferred': spec(
    'ops',
    'An agent handed the turn to another.',
    z.object({ turnId: id, from: z.string(), to: z.string(), reason: z.string() }),
  ),
} as const
