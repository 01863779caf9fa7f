import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { ActorSystem } from '#shared/actor/system.ts'
import { parse } from '#shared/actor/schema.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { Session } from '#gateway/auth/authenticator.ts'
import type { ConversationAccess } from '#gateway/auth/conversation-access.ts'
import type { Doorman } from '#gateway/auth/doorman.ts'
import type { RateLimiter } from '#gateway/auth/rate-limiter.ts'
import type { EventStreams } from './event-streams.ts'
import { API_PREFIX } from './openapi.ts'
import { receivedOf } from './received.ts'
import type { Route } from './route.ts'
import { EVENT_STREAM, sendEvents } from './send-events.ts'
import { traceOf } from './tracing.ts'

export interface RestParts {
  readonly system: Pick<ActorSystem, 'reach'>
  readonly doorman: Doorman
  readonly access: ConversationAccess
  /** Of principals, over all their sockets and requests here. */
  readonly limiter: RateLimiter
}

const StreamParams = z.object({ id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/) })
const StreamQuery = z.object({ after: z.string().max(120).optional(), ops: z.enum(['true', 'false']).default('false') })

/** Registers a route: proof of who asks, rate, validation, then its handler. */
export function addRoute(app: FastifyInstance, route: Route, parts: RestParts): void {
  app.route({
    method: route.method,
    url: API_PREFIX + route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    handler: async (request, reply) => {
      const { principal } = await sessionOf(parts, request)
      const call = {
        principal,
        reach: parts.system.reach(principal, traceOf(request)),
        params: route.params === undefined ? {} : (parse(route.params, request.params) as Record<string, unknown>),
        query: route.query === undefined ? {} : (parse(route.query, request.query) as Record<string, unknown>),
        body:
          route.body === undefined || route.receives !== undefined ? undefined : parse(route.body, request.body ?? {}),
        received: await receivedOf(route, request),
        signal: goneSignal(reply),
      }
      if (route.stream !== undefined && request.headers.accept?.includes(EVENT_STREAM) === true)
        return await sendEvents(reply, route.stream(call))
      const value = await route.handle(call)
      return await reply.code(route.status ?? 200).send(value)
    },
  })
}

/** The one route that is no request and answer. */
export function addEventStream(app: FastifyInstance, streams: EventStreams, parts: RestParts): void {
  app.get(`${API_PREFIX}/conversations/:id/events`, async (request, reply) => {
    const session = await sessionOf(parts, request)
    const { id } = parse(StreamParams, request.params)
    const { after, ops } = parse(StreamQuery, request.query)
    const resumed = request.headers['last-event-id']
    await parts.access.require(session.principal, id)
    await streams.open(reply, {
      session,
      reach: parts.system.reach(session.principal, traceOf(request)),
      conversationId: id,
      // What a browser says by itself when it comes again is newer than what stands in its address.
      after: typeof resumed === 'string' && resumed !== '' ? resumed : after,
      ops: ops === 'true',
    })
    return reply
  })
}

async function sessionOf(parts: RestParts, request: FastifyRequest): Promise<Session> {
  const apiKey = request.headers['x-api-key']
  const session = await parts.doorman.admit(request.ip, {
    token: /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1],
    apiKey: typeof apiKey === 'string' ? apiKey : undefined,
  })
  parts.limiter.take(`${session.principal.tenant} ${session.principal.user}`)
  return session
}

/** Aborted when the caller goes away before the answer has. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new WaggleError('CANCELLED'))
  })
  return controller.signal
}
