import type { GuardrailRow } from './guardrail-row.ts'

/** A guardrail as its database row holds it. */
export interface StoredGuardrail {
  readonly id: string
  readonly agentId: string | null
  readonly stage: GuardrailRow['stages'][number]
  readonly rule: string
  readonly config: Readonly<Record<string, unknown>>
  readonly action: 'block' | 'rewrite' | 'flag'
  readonly position: number
  readonly enabled: boolean
}

/** The same as the rules read it; what cannot be read is found out there, and refuses (I10). */
export function rowOfStored(stored: StoredGuardrail): GuardrailRow {
  return {
    name: stored.id,
    rule: stored.rule,
    stages: [stored.stage],
    action: stored.action === 'rewrite' ? 'mask' : stored.action,
    position: stored.position,
    agents: stored.agentId === null ? [] : [stored.agentId],
    config: { ...stored.config },
    enabled: stored.enabled,
  }
}
