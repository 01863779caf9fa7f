import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Metrics } from '#shared/telemetry/metrics.ts'
import { childTrace, traceId } from '#shared/telemetry/trace.ts'

const traces = new WeakMap<FastifyRequest, string>()

/** The W3C traceparent under which this request is handled: of the caller's trace, if it said one. */
export function traceOf(request: FastifyRequest): string {
  const known = traces.get(request)
  if (known !== undefined) return known
  const header = request.headers['traceparent']
  const made = childTrace(typeof header === 'string' ? header : undefined)
  traces.set(request, made)
  return made
}

/** Every answer names its trace, to be given when asking for help; and is counted, by route and not by address. */
export function addTracing(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-trace-id', traceId(traceOf(request)))
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown'
    const { method } = request
    metrics.count('waggle_http_requests_total', { route, method, status: String(reply.statusCode) })
    metrics.observe('waggle_http_seconds', { route, method }, reply.elapsedTime / 1_000)
  })
}
