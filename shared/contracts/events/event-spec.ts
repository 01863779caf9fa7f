import { z } from 'zod'
import type { Audience } from '#shared/wire/subjects.ts'

/** Who may hear an event (I6), what it says in one sentence, and its payload. The scope of all is the conversation. */
export interface EventSpec<Payload extends z.ZodType = z.ZodType> {
  readonly audience: Audience
  readonly sentence: string
  readonly payload: Payload
}

export function spec<Payload extends z.ZodType>(
  audience: Audience,
  sentence: string,
  payload: Payload,
): EventSpec<Payload> {
  return { audience, sentence, payload }
}

/** An id in a payload. */
export const id = z.string().min(1).max(120)
/** Milliseconds: a duration, or a time since 1970. */
export const ms = z.number().nonnegative()

export const Failure = z.object({ code: z.string(), message: z.string(), action: z.string() })
export type Failure = z.infer<typeof Failure>
