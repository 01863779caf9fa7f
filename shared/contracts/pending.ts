import { z } from 'zod'

/** Something said to a run at work, that waits for its next tool boundary. */
export const Pending = z.object({
  /** Of the message or whisper: it is heard once, however often it is told. */
  id: z.string(),
  /** `steer`: a public message of the customer. `whisper`: a word of an operator, for the agent alone. */
  kind: z.enum(['steer', 'whisper']),
  author: z.string(),
  text: z.string(),
  taint: z.array(z.string()),
})
export type Pending = z.infer<typeof Pending>

/** It stands in the run's checkpoint: the model hears it with this step. */
export const Heeded = z.object({ id: z.string(), step: z.number().int() })
/** It was not passed on, and why. */
export const Unheard = Pending.omit({ taint: true }).extend({ reason: z.string() })
export type Unheard = z.infer<typeof Unheard>

export const PendingRequest = z.object({
  runId: z.string(),
  heeded: z.array(Heeded),
  refused: z.array(z.object({ id: z.string(), reason: z.string() })),
})
