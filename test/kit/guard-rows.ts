import type { Stage, Verdict } from '#shared/contracts/guardrail.ts'
import { silentLogger } from '#shared/lib/logger.ts'
import { checkStage } from '#services/guardrails/check-stage.ts'
import { TENANT } from './swarm.ts'

/** What a tenant's guardrails say of documents: e-mail addresses are masked, and payment cards refused. */
const ROWS = [
  { id: 'addresses', rule: 'email', action: 'rewrite' },
  { id: 'cards', rule: 'payment_card', action: 'block' },
].map((row, position) => ({
  agentId: null,
  stage: 'tool_result',
  config: {},
  message: '',
  position,
  ...row,
}))

/** The product's own check of these rows, for the guardrail pool of a test swarm. */
export function checkRows(stage: Stage, text: string): Verdict {
  const asked = { stage, text, agent: '', tool: null, said: [], piece: false }
  const context = { tenant: TENANT, agent: '', user: '', roles: [], taint: [], said: [], piece: false }
  return checkStage(ROWS, asked, context, silentLogger)
}
