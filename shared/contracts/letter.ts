import { z } from 'zod'
import { ask } from '#shared/actor/contract.ts'

/** A dead letter in a list. */
export const LetterSummary = z.object({
  id: z.string(),
  subject: z.string(),
  /** The kind of the actor it was for; `in` and `out` for messages of bridges, `ev` for events. */
  kind: z.string(),
  code: z.string(),
  message: z.string(),
  attempts: z.number(),
  at: z.number(),
  /** buried, replayed or discarded. */
  state: z.string(),
})
export type LetterSummary = z.infer<typeof LetterSummary>

/** Which letters; what is not given does not matter. Times are milliseconds since 1970. */
export const LetterFilter = z.object({
  code: z.string().max(60).optional(),
  kind: z.string().max(60).optional(),
  state: z.enum(['buried', 'replayed', 'discarded']).optional(),
  since: z.number().int().nonnegative().optional(),
  until: z.number().int().nonnegative().optional(),
})
export type LetterFilter = z.infer<typeof LetterFilter>

/** Letters that one request decides about at most; `left` says that there are more. */
export const MAX_LETTERS_AT_ONCE = 100

/** Those that are buried: what was decided about is not decided about again. */
const Undecided = z.object({ filter: LetterFilter.omit({ state: true }) })

export const Replayed = z.object({
  replayed: z.array(z.object({ letter: z.string(), id: z.string() })),
  failed: z.array(z.object({ letter: z.string(), code: z.string(), reason: z.string() })),
  left: z.boolean(),
})
export const Discarded = z.object({ discarded: z.number().int(), left: z.boolean() })
export const PurgeRequest = z.object({
  /** Only those buried before it. */
  before: z.number().int().nonnegative(),
  /** Also those about which nobody has decided. */
  undecided: z.boolean(),
})
export const Purged = z.object({ purged: z.number().int(), left: z.boolean() })

const Named = z.object({ id: z.string() })

/** What the directory answers and does about dead letters, for operators; every decision is audited (I13). */
export const LETTER_MESSAGES = {
  letters: ask(
    z.object({
      limit: z.number().int().min(1).max(200),
      after: z.string().max(160).nullable(),
      filter: LetterFilter.optional(),
    }),
    z.object({ letters: z.array(LetterSummary), next: z.string().nullable() }),
    { fails: ['FORBIDDEN', 'BAD_INPUT'] },
  ),
  letter: ask(
    Named,
    LetterSummary.extend({ payload: z.unknown(), bytes: z.string(), history: z.array(z.unknown()), trace: z.string() }),
    { fails: ['NOT_FOUND', 'FORBIDDEN'] },
  ),
  /** Sends it again as a new attempt, optionally with another payload, in the same trace. */
  replay: ask(Named.extend({ payload: z.unknown().optional() }), Named, {
    fails: ['NOT_FOUND', 'CONFLICT', 'BAD_INPUT', 'FORBIDDEN'],
  }),
  /** The oldest first; one that cannot be sent does not keep the others. */
  replayAll: ask(Undecided, Replayed, { within: '30s', fails: ['FORBIDDEN'] }),
  discard: ask(Named, z.object({}), { fails: ['NOT_FOUND', 'CONFLICT', 'FORBIDDEN'] }),
  discardAll: ask(Undecided, Discarded, { fails: ['FORBIDDEN'] }),
  /** Removes them for good; for administrators. */
  purge: ask(PurgeRequest, Purged, { fails: ['FORBIDDEN'] }),
} as const
