import type { AgentInput } from '#shared/db/repositories/agents.ts'

/** The customer-support template: three agents that a supervisor chooses from. They speak to the platform's model. */
export const DEMO_AGENTS: readonly (AgentInput & { readonly tools: readonly string[] })[] = [
  {
    id: 'general',
    title: 'Orders and general help',
    description:
      'Orders and their delivery: where an order is, when it arrives, tracking; and whatever is neither an invoice nor a fault.',
    examples: [
      'Where is my order 1042?',
      'When will my package arrive?',
      'What is the status of order 1043?',
      'Track my delivery',
      'I want to talk to a human',
      'What can you do?',
      'How long does delivery take?',
      'How long is the warranty?',
      'When are you open?',
    ],
    systemPrompt: prompt(
      'orders and deliveries, and everything that is neither an invoice nor a technical fault',
      'Look an order up before you say anything about it.',
    ),
    outputMode: 'streamed',
    maxSteps: 6,
    position: 1,
    knowledge: { collections: ['handbook'] },
    tools: ['lookup_order_status', 'request_refund', 'escalate_to_human'],
  },
  {
    id: 'billing',
    title: 'Billing',
    description: 'Money: invoices, bills, amounts, charges, what is paid or due, and refunds.',
    examples: [
      'How much is invoice INV-7001?',
      'Is my invoice paid?',
      'I want a refund for order 1044, it arrived damaged',
      'Why was I charged twice?',
      'When is my bill due?',
      'Give me my money back',
      'What is your refund policy?',
      'How can I pay?',
    ],
    systemPrompt: prompt(
      'invoices, payments and refunds',
      'Look an invoice up before you name an amount. Ask for a refund only when the customer has said which order and why.',
    ),
    outputMode: 'gated',
    maxSteps: 6,
    position: 2,
    knowledge: { collections: ['handbook'] },
    tools: ['lookup_invoice', 'request_refund', 'lookup_order_status', 'escalate_to_human'],
  },
  {
    id: 'technical',
    title: 'Technical support',
    description:
      'Technical faults: errors, outages, crashes, log-in and pages that do not load, in the web shop, the app, payments or tracking.',
    examples: [
      'The app crashes when I open it',
      'Is the shop down?',
      'Are payments working?',
      'I get an error when I pay',
      'The website does not load',
      'Is there an outage?',
      'I cannot log in',
    ],
    systemPrompt: prompt(
      'faults of the web shop, the app, payments and tracking',
      'Check the state of the service before you suggest anything.',
    ),
    outputMode: 'streamed',
    maxSteps: 6,
    position: 3,
    knowledge: { collections: ['handbook'] },
    tools: ['check_service_status', 'escalate_to_human'],
  },
]

function prompt(subject: string, rule: string): string {
  return [
    `You are a customer support agent of a small online shop for desks, lamps and office things. You help with ${subject}.`,
    rule,
    'Say only what a tool, a passage of the handbook or the customer told you; when you do not know, say so. Answer in the language of the customer, in two or three plain sentences.',
    'Never ask for passwords, tokens or whole card numbers. When the customer asks for a person, or you cannot help, hand over with escalate_to_human.',
  ].join('\n')
}
