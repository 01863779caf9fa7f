/** The description that the demo order service serves at /openapi.json. */
export function orderOpenApi(url: string): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Demo order service',
      version: '1.0.0',
      description: 'Orders, invoices and service states of a small shop. Every request needs the token of its user.',
    },
    servers: [{ url }],
    security: [{ bearer: [] }],
    paths: {
      '/orders/{order_id}': {
        get: {
          operationId: 'getOrder',
          summary: 'One order of the user',
          parameters: [path('order_id', ORDER_ID)],
          responses: { 200: json('The order.', 'Order'), ...problems(401, 404) },
        },
      },
      '/orders/{order_id}/refund-request': {
        post: {
          operationId: 'requestRefund',
          summary: 'Ask for the money of an order back',
          parameters: [
            path('order_id', ORDER_ID),
            {
              name: 'Idempotency-Key',
              in: 'header',
              required: true,
              description: 'The same key asks once, however often it is sent.',
              schema: { type: 'string', minLength: 1, maxLength: 200 },
            },
          ],
          requestBody: {
            required: true,
            content: { 'application/json': { schema: { $ref: '#/components/schemas/RefundReason' } } },
          },
          responses: { 201: json('The request was taken.', 'RefundRequest'), ...problems(400, 401, 404, 409, 413) },
        },
      },
      '/invoices/{invoice_id}': {
        get: {
          operationId: 'getInvoice',
          summary: 'One invoice of the user',
          parameters: [path('invoice_id', { type: 'string', pattern: '^INV-\\d{4}$' })],
          responses: { 200: json('The invoice.', 'Invoice'), ...problems(401, 404) },
        },
      },
      '/services/{service}': {
        get: {
          operationId: 'getServiceStatus',
          summary: 'How a part of the shop is doing',
          parameters: [path('service', { enum: ['shop', 'app', 'payments', 'tracking'] })],
          responses: { 200: json('The state.', 'ServiceStatus'), ...problems(401, 404) },
        },
      },
    },
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: {
        Order: object(['order_id', 'status', 'status_text', 'placed_on', 'contents', 'total'], {
          order_id: ORDER_ID,
          status: { enum: ['processing', 'shipped', 'delivered', 'cancelled'] },
          status_text: TEXT,
          placed_on: DATE,
          contents: TEXT,
          total: TEXT,
          carrier: TEXT,
          tracking_number: TEXT,
          expected: TEXT,
          expected_on: DATE,
        }),
        Invoice: object(['invoice_id', 'order_id', 'amount', 'issued_on', 'status', 'status_text'], {
          invoice_id: TEXT,
          order_id: ORDER_ID,
          amount: TEXT,
          issued_on: DATE,
          status: { enum: ['open', 'paid', 'overdue'] },
          status_text: TEXT,
          due_on: TEXT,
        }),
        ServiceStatus: object(['service', 'title', 'status', 'status_text'], {
          service: TEXT,
          title: TEXT,
          status: { enum: ['up', 'degraded', 'down'] },
          status_text: TEXT,
          note: TEXT,
        }),
        RefundReason: object(['reason'], { reason: { type: 'string', minLength: 1, maxLength: 500 } }),
        RefundRequest: object(['request_id', 'order_id', 'amount', 'status'], {
          request_id: TEXT,
          order_id: ORDER_ID,
          amount: TEXT,
          status: { const: 'received' },
        }),
        Problem: object(['title', 'status', 'detail'], { title: TEXT, status: { type: 'integer' }, detail: TEXT }),
      },
    },
  }
}

const TEXT = { type: 'string' } as const
const DATE = { type: 'string', format: 'date' } as const
const ORDER_ID = { type: 'string', pattern: '^\\d{4}$' } as const

function object(required: readonly string[], properties: object): object {
  return { type: 'object', required, properties }
}

function path(name: string, schema: object): object {
  return { name, in: 'path', required: true, schema }
}

function json(description: string, schema: string): object {
  return { description, content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } } }
}

function problems(...statuses: readonly number[]): Record<string, object> {
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
  return Object.fromEntries(
    statuses.map((status) => [String(status), { description: 'A problem (RFC 9457).', content }]),
  )
}
