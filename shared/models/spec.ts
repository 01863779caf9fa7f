import { z } from 'zod'

/**
 * Which model a tenant's agent speaks to, as it stands in a database row or the configuration.
 *
 * `builtin` answers without key or network. `openai` is the chat-completions wire at any base URL; `groq`, `openrouter`,
 * `ollama` and `vllm` are the same wire with the base URL they are known by. `scripted` says what its test told it.
 */
export const PROVIDERS = ['builtin', 'openai', 'groq', 'openrouter', 'ollama', 'vllm', 'scripted'] as const
export type Provider = (typeof PROVIDERS)[number]

/** Time and size limits of one model call. All are bounds on waiting, none is a promise. */
export const MODEL_LIMITS = {
  /** Tries at one model, the first included. */
  attempts: 3,
  /** Until the first piece. */
  firstPieceMs: 30_000,
  /** Between two pieces. */
  pieceMs: 20_000,
  backoffFirstMs: 250,
  backoffMaxMs: 4_000,
  /** A provider that asks for a longer pause than this is given up for this call. */
  retryAfterMaxMs: 10_000,
  /** Longest text of one answer, in UTF-16 code units. */
  outputMaxChars: 400_000,
} as const satisfies Record<string, number>

export type ModelLimits = { readonly [Name in keyof typeof MODEL_LIMITS]: number }

const limits = z
  .object(Object.fromEntries(Object.keys(MODEL_LIMITS).map((name) => [name, z.number().int().min(0).optional()])))
  .strict()

const single = z
  .object({
    provider: z.enum(PROVIDERS),
    /** The provider's name of the model; `extractive-1` for builtin. */
    model: z.string().min(1).max(200).default('extractive-1'),
    /** Whose breaker, key and bill this is. */
    tenant: z.string().min(1).max(200),
    baseUrl: z.url({ protocol: /^https?$/ }).optional(),
    apiKey: z.string().min(1).max(2_000).optional(),
    headers: z.record(z.string(), z.string()).optional(),
    temperature: z.number().min(0).max(2).optional(),
    maxOutputTokens: z.number().int().positive().optional(),
    seed: z.number().int().optional(),
    /** Whether the provider understands `stream_options.include_usage`. */
    streamUsage: z.boolean().optional(),
    /** Of the person spoken to: what `today` means to the builtin model. */
    timeZone: z.string().max(60).optional(),
    /** Pause between two pieces of the builtin model's answer, for a demo that can be watched. */
    paceMs: z.number().int().min(0).max(1_000).optional(),
    limits: limits.optional(),
  })
  .strict()

/** A model and those to try, in order, when it fails. */
export const modelSpecSchema = single.extend({ fallbacks: z.array(single).max(5).optional() })

export type SingleModelSpec = z.input<typeof single>
export type ModelSpec = z.input<typeof modelSpecSchema>
export type ParsedModelSpec = z.output<typeof single>
