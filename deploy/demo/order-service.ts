import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { importSPKI, jwtVerify } from 'jose'
import { orderOpenApi } from './order-openapi.ts'
import { invoicesOn, ordersOn, refundRefusal, SERVICES } from './orders.ts'
import type { Owned } from './orders.ts'

/**
 * The order service of the demo: a small HTTP server on loopback with the API of `/openapi.json`. It is what a tenant's
 * own back end would be: it checks the user's token by itself, shows a user only what is theirs, and takes a refund
 * request once per `Idempotency-Key`. Orders are made up anew each day; refund requests live as long as the process.
 */
export interface OrderServiceOptions {
  /** 0 takes a free one. */
  readonly port: number
  /** Default: loopback, since nobody but the tools role has business here. */
  readonly listenOn?: string
  /** Who sends this token; null refuses it. */
  readonly verify: VerifyToken
  readonly now?: () => number
}

export type VerifyToken = (
  token: string,
) => Promise<{ readonly user: string; readonly roles: readonly string[] } | null>

export interface OrderService {
  readonly url: string
  /** `host:port`, as the allow list of the tools role wants it. */
  readonly host: string
  readonly stop: () => Promise<void>
}

export const DEFAULT_ORDER_SERVICE_PORT = 4010
const MAX_BODY_BYTES = 16 * 1024
const REQUEST_MS = 10_000
const MAX_REFUNDS = 10_000

/** Takes tokens of the issuer whose public key (PEM) this is. */
export async function issuerTokens(options: {
  readonly publicKey: string
  readonly issuer: string
  readonly audience: string
}): Promise<VerifyToken> {
  const key = await importSPKI(options.publicKey, 'RS256')
  return async (token) => {
    try {
      const { issuer, audience } = options
      const { payload } = await jwtVerify(token, key, {
        algorithms: ['RS256'],
        issuer,
        audience,
        requiredClaims: ['exp', 'sub'],
      })
      const roles = Array.isArray(payload['roles']) ? payload['roles'].filter((role) => typeof role === 'string') : []
      return { user: payload.sub ?? '', roles }
    } catch {
      return null
    }
  }
}

export async function startOrderService(options: OrderServiceOptions): Promise<OrderService> {
  const refunds = new Map<string, Refund>()
  let url = ''
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) => {
    answer(request, options, refunds, url).then(
      ({ status, body }) => send(response, status, body),
      (error: unknown) => {
        const known = error instanceof Problem ? error : new Problem(500, 'The order service failed.')
        send(response, known.status, {
          title: TITLES[known.status] ?? 'Error',
          status: known.status,
          detail: known.message,
        })
      },
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.listenOn ?? '127.0.0.1', () => resolve())
  })
  const address = server.address()
  const host = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : options.port}`
  url = `http://${host}`
  return {
    url,
    host,
    stop: async () => {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

class Problem extends Error {
  readonly status: number

  constructor(status: number, detail: string) {
    super(detail)
    this.status = status
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Unauthorized',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  413: 'Too large',
  500: 'Internal error',
}

interface Refund {
  readonly order: string
  readonly answer: object
}

interface Answer {
  readonly status: number
  readonly body: object
}

interface Viewer {
  readonly user: string
  readonly roles: readonly string[]
}

async function answer(
  request: IncomingMessage,
  { verify, now = Date.now }: OrderServiceOptions,
  refunds: Map<string, Refund>,
  url: string,
): Promise<Answer> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  if (pathname === '/openapi.json') return { status: 200, body: orderOpenApi(url) }
  const viewer = await verify(bearerOf(request))
  if (viewer === null) throw new Problem(401, 'A valid bearer token of the user is needed.')
  const [kind = '', id = '', action, ...rest] = pathname.split('/').slice(1).map(decode)
  const today = now()
  if (kind === 'orders' && action === 'refund-request' && rest.length === 0) {
    needMethod(request, 'POST')
    return await requestRefund(request, find(ordersOn(today), id, viewer, 'order'), viewer, refunds, today)
  }
  if (action !== undefined) throw new Problem(404, 'There is no such resource.')
  needMethod(request, 'GET')
  switch (kind) {
    case 'orders':
      return { status: 200, body: find(ordersOn(today), id, viewer, 'order') }
    case 'invoices':
      return { status: 200, body: find(invoicesOn(today), id.toUpperCase(), viewer, 'invoice') }
    case 'services': {
      const found = SERVICES.get(id)
      if (found === undefined) throw new Problem(404, `There is no service ${id.slice(0, 40)}.`)
      return { status: 200, body: found }
    }
    default:
      throw new Problem(404, 'There is no such resource.')
  }
}

async function requestRefund(
  request: IncomingMessage,
  order: Parameters<typeof refundRefusal>[0],
  viewer: Viewer,
  refunds: Map<string, Refund>,
  today: number,
): Promise<Answer> {
  const key = request.headers['idempotency-key']
  if (typeof key !== 'string' || key === '' || key.length > 200) throw new Problem(400, 'An Idempotency-Key is needed.')
  const reason = reasonOf(await readBody(request))
  const mine = `${viewer.user} ${key}`
  const before = refunds.get(mine)
  if (before !== undefined) {
    if (before.order !== order.order_id) throw new Problem(409, 'This Idempotency-Key was used for another order.')
    return { status: 201, body: before.answer }
  }
  const refusal = refundRefusal(order, today)
  if (refusal !== null) throw new Problem(409, refusal)
  if ([...refunds.values()].some((refund) => refund.order === order.order_id))
    throw new Problem(409, `A refund of order ${order.order_id} was already asked for.`)
  const body = {
    request_id: `RF-${order.order_id}`,
    order_id: order.order_id,
    amount: order.total,
    status: 'received',
    reason,
  }
  if (refunds.size >= MAX_REFUNDS) refunds.delete(refunds.keys().next().value!)
  refunds.set(mine, { order: order.order_id, answer: body })
  return { status: 201, body }
}

/** What belongs to somebody else does not exist, as far as anybody can tell. */
function find<Thing>(all: ReadonlyMap<string, Owned<Thing>>, id: string, viewer: Viewer, what: string): Thing {
  const found = all.get(id)
  const seesAll = viewer.roles.includes('operator') || viewer.roles.includes('admin')
  if (found === undefined || (found.owner !== null && found.owner !== viewer.user && !seesAll))
    throw new Problem(404, `There is no ${what} ${id.slice(0, 40)} on your account.`)
  return found.thing
}

function bearerOf(request: IncomingMessage): string {
  return /^Bearer ([\x21-\x7e]{1,8192})$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
}

function needMethod(request: IncomingMessage, method: string): void {
  if (request.method !== method) throw new Problem(405, `Only ${method} is possible here.`)
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new Problem(400, 'The address is not well formed.')
  }
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength
    if (size > MAX_BODY_BYTES) throw new Problem(413, `A body may have ${MAX_BODY_BYTES} bytes.`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new Problem(400, 'The body must be JSON.')
  }
}

function reasonOf(body: unknown): string {
  const reason = typeof body === 'object' && body !== null ? (body as { reason?: unknown }).reason : undefined
  if (typeof reason !== 'string' || reason.trim() === '' || reason.length > 500)
    throw new Problem(400, 'A reason is needed.')
  return reason.trim()
}

function send(response: ServerResponse, status: number, body: object): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json'
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  })
  response.end(text)
}
