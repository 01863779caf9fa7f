import { existsSync } from 'node:fs'
import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import fastifyStatic from '@fastify/static'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { coded, refuse } from '#shared/errors/waggle-error.ts'
import type { Clock } from '#shared/lib/clock.ts'
import type { Logger } from '#shared/lib/logger.ts'
import type { Metrics } from '#shared/telemetry/metrics.ts'
import { traceId } from '#shared/telemetry/trace.ts'
import type { ObjectBucket } from '#shared/transport/port.ts'
import type { LogReader } from '#gateway/log/log-reader.ts'
import { codedHttp, errorAnswer } from './errors.ts'
import { EventStreams } from './event-streams.ts'
import { API_PREFIX, openapi } from './openapi.ts'
import { addEventStream, addRoute } from './rest.ts'
import type { RestParts } from './rest.ts'
import { UPLOAD_MS, addReceiving } from './received.ts'
import { restRoutes } from './routes.ts'
import { addTracing, traceOf } from './tracing.ts'

/** Larger bodies are refused (TOO_LARGE) before they are read. */
export const MAX_BODY_BYTES = 256 * 1024
const MAX_PARAM_CHARS = 200
const VERSION = '0.1.0'

export interface HttpParts extends RestParts {
  readonly reader: LogReader
  readonly metrics: Metrics
  readonly log: Logger
  readonly clock: Clock
  readonly corsOrigins: readonly string[]
  /** How many proxies in front are believed about the client's address. */
  readonly trustProxy: number
  /** Where uploads are kept until they are read. */
  readonly objects: ObjectBucket
  /** Folder of the built page; null: none is served. */
  readonly consoleDir: string | null
  /** Whether the swarm answers; throws what is wrong. */
  readonly ready: () => Promise<void>
}

export interface HttpServer {
  readonly app: FastifyInstance
  /** Ends event streams, lets requests finish for `drainMs`, then cuts what is left. */
  readonly close: (drainMs: number) => Promise<void>
}

/** REST, SSE, health, metrics, the API's own documentation and the page, on one server. */
export async function httpServer(parts: HttpParts): Promise<HttpServer> {
  const app: FastifyInstance = fastify({
    bodyLimit: MAX_BODY_BYTES,
    // The nearest ones, counted from here; what stands further left in the header was said by the client.
    trustProxy: (_address, hop) => hop < parts.trustProxy,
    // Each route has its own time (received.ts); this ends what even a large file does not take.
    requestTimeout: UPLOAD_MS,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    // What the library refuses before there is a route: malformed or endless addresses.
    frameworkErrors: (error, request, reply) => void sayError(parts.log, request as never, reply as never, error),
  })
  app.setErrorHandler((error, request, reply) => sayError(parts.log, request, reply, error))
  app.setNotFoundHandler((request, reply) => sayError(parts.log, request, reply, refuse('NOT_FOUND')))
  addTracing(app, parts.metrics)
  addReceiving(app, parts.clock)
  await addSecurity(app, parts)
  addHealth(app, parts)
  const routes = restRoutes(parts)
  await addDocumentation(app, openapi(routes, VERSION))
  for (const route of routes) addRoute(app, route, parts)
  const streams = new EventStreams(parts)
  addEventStream(app, streams, parts)
  if (parts.consoleDir !== null && existsSync(parts.consoleDir)) await addConsole(app, parts.consoleDir)
  return {
    app,
    close: async (drainMs) => {
      streams.close()
      const cut = parts.clock.setTimeout(() => app.server.closeAllConnections(), drainMs)
      try {
        await app.close()
      } finally {
        cut()
      }
    },
  }
}

async function addSecurity(app: FastifyInstance, { corsOrigins, trustProxy }: HttpParts): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        baseUri: ["'self'"],
        connectSrc: ["'self'"],
        fontSrc: ["'self'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
        imgSrc: ["'self'", 'data:'],
        objectSrc: ["'none'"],
        scriptSrc: ["'self'"],
        // Sizes and places that are computed, in the page and in the documentation.
        styleSrc: ["'self'", "'unsafe-inline'"],
      },
    },
    // Said only where something in front of it speaks TLS.
    strictTransportSecurity: trustProxy > 0,
  })
  await app.register(cors, {
    origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    exposedHeaders: ['retry-after', 'x-trace-id'],
    maxAge: 600,
  })
}

function addHealth(app: FastifyInstance, { ready, metrics, log }: HttpParts): void {
  app.get('/healthz', async () => ({ ok: true }))
  app.get('/readyz', async (_request, reply) => {
    try {
      await ready()
      return { ok: true }
    } catch (error) {
      const { code } = coded(error)
      log.warn({ code }, 'Not ready.')
      return await reply.code(503).send({ ok: false, code })
    }
  })
  app.get('/metrics', async (_request, reply) => {
    reply.header('content-type', metrics.contentType)
    return await metrics.render()
  })
}

async function addDocumentation(app: FastifyInstance, document: Record<string, unknown>): Promise<void> {
  app.get(`${API_PREFIX}/openapi.json`, async () => document)
  await app.register(swagger, { mode: 'static', specification: { document: document as never } })
  await app.register(swaggerUi, { routePrefix: '/docs' })
}

async function addConsole(app: FastifyInstance, root: string): Promise<void> {
  // The page's files are few and known when it was built: each is a route, and no path of a request is ever a file's.
  await app.register(fastifyStatic, {
    root,
    wildcard: false,
    cacheControl: false,
    setHeaders: (response, path) => {
      // Files below assets have their content's hash in their name.
      const forEver = /[\\/]assets[\\/]/.test(path)
      void response.header('cache-control', forEver ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
  app.get('/favicon.ico', async (_request, reply) => await reply.code(204).send())
}

function sayError(log: Logger, request: FastifyRequest, reply: FastifyReply, thrown: unknown): FastifyReply {
  const failure = codedHttp(thrown)
  const trace = traceId(traceOf(request))
  const { status, headers, body } = errorAnswer(failure, trace)
  if (body.error.code === 'INTERNAL')
    log.error({ route: request.routeOptions.url ?? '', trace, error: failure }, 'A request failed.')
  return reply.code(status).headers(headers).send(body)
}
