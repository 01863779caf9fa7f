import { z } from 'zod'

/**
 * Who has the voice of a conversation (I7).
 *
 * - `auto`: agents answer
 * - `supervised`: agents write drafts, a person decides what is said
 * - `human`: the owner, a person, answers; no agent's turn begins
 * - `offered`: agents go on (or go on drafting) until somebody accepts
 */
export const ControlMode = z.enum(['auto', 'supervised', 'human', 'offered'])
export type ControlMode = z.infer<typeof ControlMode>

const Name = z.string().min(1).max(120)
const REASON_CHARS = 500
/** What a person leaves for the agents when they hand a conversation back. */
export const LEARNED_CHARS = 4_000

/** Whom a conversation is offered or given to. */
export const Receiver = z.object({ kind: z.enum(['user', 'team']), id: Name })
export type Receiver = z.infer<typeof Receiver>

/** An offer of the voice that nobody has accepted yet. */
export const Offer = z.object({
  to: Receiver,
  /** The member whom a team asks now. */
  asked: z.string().nullable(),
  by: z.string(),
  reason: z.string(),
  expiresAt: z.number(),
})
export type Offer = z.infer<typeof Offer>

/** How long an offer stands, an owner may say nothing, and may be away. Per tenant in `settings.control`. */
export const OFFER_MS = 120_000
export const OWNER_IDLE_MS = 15 * 60_000
export const OWNER_OFFLINE_MS = 60_000
const MIN_MS = 100
const MAX_MS = 7 * 86_400_000

const lasts = (ms: number): z.ZodCatch<z.ZodNumber> => z.number().int().min(MIN_MS).max(MAX_MS).catch(ms)
const words = (text: string): z.ZodCatch<z.ZodString> => z.string().max(REASON_CHARS).catch(text)

/** What a tenant may set of it; whatever is missing or makes no sense is the default. */
export const ControlSettings = z.object({
  control: z
    .object({ offerMs: lasts(OFFER_MS), idleMs: lasts(OWNER_IDLE_MS), offlineMs: lasts(OWNER_OFFLINE_MS) })
    .catch({ offerMs: OFFER_MS, idleMs: OWNER_IDLE_MS, offlineMs: OWNER_OFFLINE_MS }),
  /** Said to the customer when the voice moves; `{name}` is the person. Empty: nothing is said. */
  notices: z
    .object({
      taken: words('{name} has joined the conversation.'),
      released: words('Our assistant is back and will help you from here.'),
    })
    .catch({
      taken: '{name} has joined the conversation.',
      released: 'Our assistant is back and will help you from here.',
    }),
})
export type ControlSettings = z.infer<typeof ControlSettings>

/** Moves the voice, on behalf of whoever says it. */
export const ControlRequest = z.discriminatedUnion('action', [
  z.object({
    action: z.literal('take'),
    /** Only while this is the control epoch: STALE_CONTROL otherwise. */
    expected: z.number().int().nullable(),
    /** Also from a person who has it; administrators only. */
    force: z.boolean(),
    reason: z.string().max(REASON_CHARS),
  }),
  z.object({
    action: z.literal('offer'),
    to: Receiver,
    /** Null: the tenant's. */
    withinMs: z.number().int().min(MIN_MS).max(MAX_MS).nullable(),
    /** What a member of a team must be able to do. */
    skills: z.array(z.string().max(60)).max(10),
    reason: z.string().max(REASON_CHARS),
  }),
  z.object({ action: z.literal('accept') }),
  z.object({ action: z.literal('decline'), reason: z.string().max(REASON_CHARS) }),
  z.object({
    action: z.literal('release'),
    learned: z.string().max(LEARNED_CHARS),
    reason: z.string().max(REASON_CHARS),
  }),
  z.object({ action: z.literal('supervise'), on: z.boolean(), reason: z.string().max(REASON_CHARS) }),
])
export type ControlRequest = z.infer<typeof ControlRequest>

export const ControlReceipt = z.object({
  owner: z.string(),
  mode: ControlMode,
  control: z.number().int(),
})
export type ControlReceipt = z.infer<typeof ControlReceipt>

/** What a person is told who takes a conversation over. */
export const Briefing = z.object({
  control: z.number().int(),
  owner: z.string(),
  /** A few sentences. */
  summary: z.string(),
  /** The customer's latest message, and whether somebody has answered it. */
  wants: z.object({ messageId: z.string(), text: z.string(), answered: z.boolean() }).nullable(),
  /** Who has answered so far, how often. */
  spoken: z.array(z.object({ author: z.string(), role: z.string(), messages: z.number().int() })),
  /** What agents did outside; `unknown`: nobody knows whether it happened. */
  tools: z.array(z.object({ tool: z.string(), status: z.string(), at: z.number() })),
  /** Whispers and notes that still wait to be looked at. */
  notes: z.array(z.object({ id: z.string(), kind: z.string(), author: z.string(), text: z.string() })),
})
export type Briefing = z.infer<typeof Briefing>
