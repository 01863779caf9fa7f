import type { ToolInput } from '#shared/db/repositories/tools.ts'

/** What the demo's agents can do: four calls of the order service, and asking for a person. */
export function demoTools(orderService: string): readonly (ToolInput & { readonly url: string })[] {
  return [
    {
      ...OWN_SERVICE,
      id: 'lookup_order_status',
      title: 'Order status',
      description: 'Looks up where an order is: its status, carrier, tracking number and expected delivery date.',
      kind: 'http_get',
      url: `${orderService}/orders/{order_id}`,
      parameters: {
        type: 'object',
        properties: { order_id: ORDER_ID },
        required: ['order_id'],
        additionalProperties: false,
      },
      examples: [
        'Where is my order 1042?',
        'When will my order arrive?',
        'What is the status of order 1043?',
        'Track my package 1042',
        'Has order 1044 been shipped or delivered?',
        'My delivery has not arrived yet',
      ],
      outputTemplate:
        'Order {order_id} {status_text}[ with {carrier}][ (tracking number {tracking_number})][ and is expected on {expected}].[ It holds {contents}.]',
      idempotent: true,
    },
    {
      ...OWN_SERVICE,
      id: 'lookup_invoice',
      title: 'Invoice',
      description: 'Looks up an invoice: its amount, whether it is paid, and when it is due.',
      kind: 'http_get',
      url: `${orderService}/invoices/{invoice_id}`,
      parameters: {
        type: 'object',
        properties: {
          invoice_id: {
            type: 'string',
            pattern: '^INV-\\d{4}$',
            description: 'The number of the invoice',
            examples: ['INV-7001'],
            'x-ask': 'What is the number of the invoice? It looks like INV-7001.',
          },
        },
        required: ['invoice_id'],
        additionalProperties: false,
      },
      examples: [
        'How much is invoice INV-7001?',
        'Is my invoice INV-7002 paid?',
        'When is the invoice due?',
        'Show me my bill',
        'What do I owe you?',
      ],
      outputTemplate: 'Invoice {invoice_id} for order {order_id} is for {amount} and {status_text}[, due on {due_on}].',
      idempotent: true,
    },
    {
      ...OWN_SERVICE,
      id: 'request_refund',
      title: 'Refund',
      description:
        'Asks for a refund of an order: the money back for something that was damaged, wrong, late or not needed.',
      kind: 'http_post',
      url: `${orderService}/orders/{order_id}/refund-request`,
      parameters: {
        type: 'object',
        properties: {
          order_id: ORDER_ID,
          reason: {
            type: 'string',
            enum: ['damaged', 'wrong item', 'too late', 'not needed'],
            description: 'Why the money is wanted back',
            'x-ask': 'Why would you like a refund: was it damaged, the wrong item, too late, or is it not needed?',
          },
        },
        required: ['order_id', 'reason'],
        additionalProperties: false,
      },
      examples: [
        'I want a refund for order 1044, it arrived damaged',
        'Give me my money back for order 1042',
        'Refund order 1044, it is the wrong item',
        'I want to return order 1044',
      ],
      outputTemplate:
        'I have asked for a refund of {amount} for order {order_id}. The request has the number {request_id}.',
      keyHeader: 'Idempotency-Key',
    },
    {
      ...OWN_SERVICE,
      id: 'check_service_status',
      title: 'Service status',
      description:
        'Checks whether a part of the shop works or has an outage: the web shop, the app, payments or tracking.',
      kind: 'http_get',
      url: `${orderService}/services/{service}`,
      parameters: {
        type: 'object',
        properties: {
          service: {
            type: 'string',
            enum: ['shop', 'app', 'payments', 'tracking'],
            description: 'The part of the shop',
            'x-ask': 'Which part is it: the shop, the app, payments or tracking?',
          },
        },
        required: ['service'],
        additionalProperties: false,
      },
      examples: [
        'Is the app down?',
        'The shop does not load',
        'Payments do not work, is there an outage?',
        'Is there a problem with tracking?',
        'I get an error in the app',
      ],
      outputTemplate: '{title} {status_text}.[ {note}]',
      idempotent: true,
    },
    {
      id: 'escalate_to_human',
      title: 'A person',
      description:
        'Hands the conversation to a human colleague, when the customer asks for a person or cannot be helped.',
      kind: 'builtin',
      url: '',
      parameters: {
        type: 'object',
        properties: { reason: { type: 'string', maxLength: 500, description: 'Why a person is needed' } },
        additionalProperties: false,
      },
      examples: [
        'I want to talk to a human',
        'Let me speak to a real person',
        'Can I have an agent, please?',
        'Connect me with a colleague',
        'I want to complain to somebody',
      ],
      outputTemplate: '',
      idempotent: true,
      trusted: true,
    },
  ]
}

const ORDER_ID = {
  type: 'string',
  pattern: '^\\d{4}$',
  description: 'The number of the order',
  examples: ['1042'],
  'x-ask': 'What is the number of your order? It has four digits, for example 1042.',
} as const

/** First-party: it takes the user's own token, and what it says comes from within. */
const OWN_SERVICE = { auth: 'user_token', trusted: true, timeoutMs: 5_000 } as const
