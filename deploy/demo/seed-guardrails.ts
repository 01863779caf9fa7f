import type { GuardrailInput } from '#shared/db/repositories/guardrails.ts'

/** One of each kind: what is kept out, what is masked, what is watched, and which tool calls are allowed. */
export const DEMO_GUARDRAILS: readonly GuardrailInput[] = [
  {
    id: 'no-secrets-in',
    stage: 'input',
    rule: 'secret',
    action: 'block',
    message:
      'Please do not send passwords, keys or tokens here. Your message was not passed on; send it again without.',
    position: 10,
  },
  { id: 'not-too-long', stage: 'input', rule: 'length', action: 'block', config: { maxChars: 8_000 }, position: 20 },
  { id: 'no-hidden-text', stage: 'input', rule: 'hidden_text', action: 'rewrite', position: 30 },
  { id: 'no-cards-in', stage: 'input', rule: 'payment_card', action: 'rewrite', config: { keepLast: 4 }, position: 40 },
  { id: 'watch-injection', stage: 'input', rule: 'injection', action: 'flag', position: 50 },
  {
    id: 'tool-policy',
    stage: 'tool_call',
    rule: 'tool_policy',
    action: 'block',
    config: {
      allow: [
        { tool: 'lookup_*' },
        { tool: 'check_service_status' },
        { tool: 'escalate_to_human', whenTainted: 'yes' },
        // Money moves only on what the customer said, never on what some text said.
        { tool: 'request_refund', whenTainted: 'no' },
      ],
    },
    position: 10,
  },
  { id: 'watch-results', stage: 'tool_result', rule: 'injection', action: 'flag', position: 10 },
  { id: 'mask-cards', stage: 'output', rule: 'payment_card', action: 'rewrite', config: { keepLast: 4 }, position: 10 },
  { id: 'mask-accounts', stage: 'output', rule: 'iban', action: 'rewrite', config: { keepLast: 4 }, position: 20 },
  { id: 'mask-email', stage: 'output', rule: 'email', action: 'rewrite', position: 30 },
  { id: 'mask-secrets', stage: 'output', rule: 'secret', action: 'rewrite', position: 40 },
]
