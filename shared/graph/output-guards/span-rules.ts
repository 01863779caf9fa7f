import { z } from 'zod'
import { bannedTerms } from '#shared/lib/patterns/banned-terms.ts'
import { email } from '#shared/lib/patterns/email.ts'
import { hiddenText } from '#shared/lib/patterns/hidden-text.ts'
import { iban } from '#shared/lib/patterns/iban.ts'
import { ipAddress } from '#shared/lib/patterns/ip-address.ts'
import { paymentCard } from '#shared/lib/patterns/payment-card.ts'
import { DEFAULT_PHONE_COUNTRIES, phone } from '#shared/lib/patterns/phone.ts'
import { secret } from '#shared/lib/patterns/secret.ts'
import { ENTITY_LABELS } from '#shared/lib/patterns/span.ts'
import type { Entity, Recogniser } from '#shared/lib/patterns/span.ts'
import { url } from '#shared/lib/patterns/url.ts'
import { usSsn } from '#shared/lib/patterns/us-ssn.ts'

/**
 * The rules that look for stretches of text: they can mask what they find, and can look at a text while it is being
 * streamed. The guardrails role and the run share them, so that both output modes find the same (I10).
 */
export interface SpanRule {
  readonly recogniser: Recogniser
  /** What stands in its place when it is masked. */
  mask(found: string): string
}

const Masking = {
  /** Stands in the place of what was found; default: its kind in brackets. */
  replacement: z.string().max(60).optional(),
  /** How many characters at the end stay readable. */
  keepLast: z.number().int().min(0).max(4).default(0),
}
const Country = z.string().regex(/^[A-Z]{2}$/)
const Host = z.string().regex(/^(?:\*\.)?[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?$/, 'a host name, or *. and one')

const Plain = z.strictObject(Masking)
const Phone = z.strictObject({
  ...Masking,
  countries: z
    .array(Country)
    .max(20)
    .default([...DEFAULT_PHONE_COUNTRIES]),
})
const Terms = z
  .strictObject({
    ...Masking,
    terms: z.array(z.string().min(2).max(80)).max(500).default([]),
    patterns: z.array(z.string().min(1)).max(50).default([]),
  })
  .refine((config) => config.terms.length + config.patterns.length > 0, 'needs terms or patterns')
const Addresses = z.strictObject({
  ...Masking,
  hosts: z.array(Host).max(200).default([]),
  schemes: z.array(z.enum(['https', 'http', 'mailto', 'tel'])).default(['https', 'mailto', 'tel']),
})
const Several = z.strictObject({
  ...Masking,
  entities: z.array(z.enum(['email', 'phone', 'payment_card', 'iban', 'us_ssn', 'ip_address', 'secret'])).min(1),
  countries: z
    .array(Country)
    .max(20)
    .default([...DEFAULT_PHONE_COUNTRIES]),
})

type Masked = { readonly replacement?: string | undefined; readonly keepLast: number }

const RULES = {
  email: single(Plain, () => email),
  phone: single(Phone, (config) => phone(config.countries)),
  payment_card: single(Plain, () => paymentCard),
  iban: single(Plain, () => iban),
  us_ssn: single(Plain, () => usSsn),
  ip_address: single(Plain, () => ipAddress),
  secret: single(Plain, () => secret),
  hidden_text: single(Plain, () => hiddenText),
  banned_terms: single(Terms, (config) => bannedTerms(config.terms, config.patterns)),
  url_allow_list: single(Addresses, (config) => url((address) => isAllowed(address, config))),
  /** Several of the above in one guardrail. */
  personal_data: (config: unknown): SpanRule[] => {
    const read = Several.parse(config)
    const { entities, countries, ...masking } = read
    return entities.flatMap((entity) => RULES[entity](entity === 'phone' ? { ...masking, countries } : masking))
  },
} as const satisfies Record<string, (config: unknown) => SpanRule[]>

export type SpanRuleName = keyof typeof RULES
export const SPAN_RULE_NAMES = Object.keys(RULES) as SpanRuleName[]

export function isSpanRule(name: string): name is SpanRuleName {
  return Object.hasOwn(RULES, name)
}

/** Throws (ZodError, PatternRefused) on a configuration that does not fit the rule. */
export function spanRules(name: SpanRuleName, config: unknown): readonly SpanRule[] {
  return RULES[name](config)
}

function single<Config extends Masked>(
  schema: z.ZodType<Config>,
  recogniser: (config: Config) => Recogniser,
): (config: unknown) => SpanRule[] {
  return (value) => {
    const config = schema.parse(value)
    const found = recogniser(config)
    return [{ recogniser: found, mask: (text) => masked(text, found.entity, config) }]
  }
}

function masked(text: string, entity: Entity, { replacement, keepLast }: Masked): string {
  if (replacement !== undefined) return replacement
  // What shows nothing needs nothing in its place.
  if (entity === 'hidden_text') return ''
  const last = text.replace(/[^\p{L}\p{N}]/gu, '').slice(-keepLast)
  return keepLast > 0 ? `[${ENTITY_LABELS[entity]} …${last}]` : `[${ENTITY_LABELS[entity]}]`
}

function isAllowed(address: URL | null, { hosts, schemes }: z.infer<typeof Addresses>): boolean {
  if (address === null || address.username !== '' || address.password !== '') return false
  const scheme = address.protocol.slice(0, -1)
  if (!(schemes as string[]).includes(scheme)) return false
  if (scheme === 'mailto' || scheme === 'tel') return true
  const host = address.hostname.replace(/\.$/, '')
  return hosts.some((allowed) => (allowed.startsWith('*.') ? host.endsWith(allowed.slice(1)) : host === allowed))
}
