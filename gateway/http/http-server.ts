import { existsSync } from 'node:fs'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import fastifyStatic from '@fastify/static'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ActorSystem } from '#shared/actor/system.ts'
import { parse } from '#shared/actor/schema.ts'
import { CATALOGUE } from '#shared/errors/catalogue.ts'
import { WaggleError, coded, publicError, refuse } from '#shared/errors/waggle-error.ts'
import type { Logger } from '#shared/lib/logger.ts'
import type { Metrics } from '#shared/telemetry/metrics.ts'
import { childTrace, traceId } from '#shared/telemetry/trace.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import type { Authenticator } from '#gateway/auth/authenticator.ts'
import type { RateLimiter } from './rate-limiter.ts'
import type { LogReader } from '#gateway/log/log-reader.ts'
import { streamEvents } from './events.ts'
import { openapi } from './openapi.ts'
import { restRoutes } from './routes.ts'
import type { Route } from './route.ts'

/** Larger bodies are refused (TOO_LARGE) before they are read. */
export const MAX_BODY_BYTES = 256 * 1024
const REQUEST_MS = 330_000
const MAX_PARAM_CHARS = 200
const VERSION = '0.1.0'
const PREFIX = '/api/v1'

export interface HttpParts {
  readonly system: Pick<ActorSystem, 'reach'>
  readonly reader: LogReader
  readonly authenticator: Authenticator
  readonly limiter: RateLimiter
  readonly metrics: Metrics
  readonly log: Logger
  readonly corsOrigins: readonly string[]
  readonly trustProxy: number
  /** Folder of the built page; null: none is served. */
  readonly consoleDir: string | null
  /** Whether the swarm answers; throws what is wrong. */
  readonly ready: () => Promise<void>
}

/** REST, SSE, health, metrics, the API's own documentation and the page, on one server. */
export async function httpServer(parts: HttpParts): Promise<FastifyInstance> {
  const app: FastifyInstance = fastify({
    bodyLimit: MAX_BODY_BYTES,
    // A number counts proxies; 0 believes nobody.
    trustProxy: parts.trustProxy > 0 ? (_address: string, hop: number) => hop <= parts.trustProxy : false,
    requestTimeout: REQUEST_MS,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
  })
  const routes = restRoutes(parts.reader)
  const document = openapi(routes, VERSION)
  await app.register(helmet, {
    contentSecurityPolicy: {
      directives: {
        defaultSrc: ["'self'"],
        connectSrc: ["'self'", 'ws:', 'wss:'],
        imgSrc: ["'self'", 'data:'],
        styleSrc: ["'self'", "'unsafe-inline'"],
        scriptSrc: ["'self'"],
        objectSrc: ["'none'"],
        frameAncestors: ["'none'"],
        upgradeInsecureRequests: null,
      },
    },
    strictTransportSecurity: parts.trustProxy > 0,
  })
  await app.register(cors, {
    origin: parts.corsOrigins.includes('*') ? '*' : [...parts.corsOrigins],
    exposedHeaders: ['retry-after'],
  })
  app.setErrorHandler((error, request, reply) => void sayError(parts, request, reply, error))
  app.setNotFoundHandler(
    (request, reply) => void sayError(parts, request, reply, refuse('NOT_FOUND', { path: request.url.slice(0, 200) })),
  )
  await app.register(swagger, { mode: 'static', specification: { document: document as never } })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true })
  app.get(`${PREFIX}/openapi.json`, async () => document)
  app.get('/healthz', async () => ({ ok: true }))
  app.get('/readyz', async () => {
    await parts.ready()
    return { ok: true }
  })
  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', parts.metrics.contentType)
    return await parts.metrics.render()
  })
  for (const route of routes) addRoute(app, route, parts)
  app.get(`${PREFIX}/conversations/:id/events`, async (request, reply) => {
    const principal = await principalOf(parts, request)
    const { id } = request.params as { id: string }
    const after = request.headers['last-event-id'] ?? (request.query as { after?: string }).after
    const ops = (request.query as { ops?: string }).ops === 'true'
    const reach = parts.system.reach(principal, childTrace(request.headers['traceparent'] as string | undefined))
    await streamEvents(request, reply, {
      reader: parts.reader,
      reach,
      principal,
      conversationId: id,
      after: typeof after === 'string' ? after : undefined,
      ops,
    })
    return reply
  })
  if (parts.consoleDir !== null && existsSync(parts.consoleDir)) {
    // The page's files are few and known when it was built: read once, never a path of a request.
    await app.register(fastifyStatic, { root: parts.consoleDir, wildcard: false, maxAge: '1h', immutable: false })
    app.get('/favicon.ico', async (_request, reply) => reply.code(204).send())
  }
  return app
}

function addRoute(app: FastifyInstance, route: Route, parts: HttpParts): void {
  app.route({
    method: route.method,
    url: PREFIX + route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    handler: async (request, reply) => {
      const started = performance.now()
      const principal = await principalOf(parts, request)
      const controller = new AbortController()
      request.raw.once('aborted', () => controller.abort(new WaggleError('CANCELLED')))
      const value = await route.handle({
        principal,
        reach: parts.system.reach(principal, childTrace(request.headers['traceparent'] as string | undefined)),
        params: (route.params === undefined ? {} : parse(route.params as never, request.params)) as Record<
          string,
          string
        >,
        query: (route.query === undefined ? {} : parse(route.query as never, request.query)) as Record<string, unknown>,
        body: route.body === undefined ? undefined : parse(route.body as never, request.body ?? {}),
        signal: controller.signal,
      })
      parts.metrics.observe(
        'waggle_http_seconds',
        { route: route.id, method: route.method },
        (performance.now() - started) / 1_000,
      )
      return await reply.code(route.status ?? 200).send(value)
    },
  })
}

async function principalOf(parts: HttpParts, request: FastifyRequest): Promise<Principal> {
  const { authorization } = request.headers
  const apiKey = request.headers['x-api-key']
  const token = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1]
  // Before the proof, by address: guessing is slowed too. After it, by principal.
  parts.limiter.take(`ip/${request.ip}`)
  const { principal } = await parts.authenticator.session({
    token,
    apiKey: typeof apiKey === 'string' ? apiKey : undefined,
  })
  parts.limiter.take(`user/${principal.tenant}/${principal.user}`)
  return principal
}

function sayError(parts: HttpParts, request: FastifyRequest, reply: FastifyReply, thrown: unknown): FastifyReply {
  const failure = fromHttp(thrown)
  const said = publicError(failure)
  const trace = traceId(request.headers['traceparent'] as string | undefined) || request.id
  if (said.code === 'INTERNAL')
    parts.log.error(
      { path: request.routeOptions.url ?? '', trace, code: failure.code, reason: failure.message },
      'a request failed',
    )
  const retryAfterMs = failure.details['retryAfterMs']
  if (typeof retryAfterMs === 'number') reply.header('retry-after', Math.ceil(retryAfterMs / 1_000))
  return reply.code(CATALOGUE[said.code].status).send({ error: { ...said, traceId: trace } })
}

/** What the HTTP library itself refuses, in our codes. */
function fromHttp(thrown: unknown): WaggleError {
  const { statusCode, code } = thrown as { statusCode?: number; code?: string }
  if (thrown instanceof WaggleError || statusCode === undefined) return coded(thrown)
  if (statusCode === 413) return refuse('TOO_LARGE', { limit: MAX_BODY_BYTES })
  if (statusCode === 404) return refuse('NOT_FOUND')
  if (statusCode === 429) return refuse('RATE_LIMITED')
  if (statusCode < 500) return refuse('BAD_INPUT', { reason: code ?? 'unreadable request' })
  return coded(thrown)
}
