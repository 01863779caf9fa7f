import { z } from 'zod'
import { Directory, RunSummary } from '#shared/contracts/directory.ts'
import { Id, Named, Page, next, pageOf } from '../route-parts.ts'
import { route } from '../route.ts'
import type { Route } from '../route.ts'

/** Runs of agents. */
export function runRoutes(): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/runs',
      id: 'listRuns',
      tag: 'runs',
      summary: 'Runs of a conversation, or of the tenant for operators; the newest first.',
      query: Page.extend({ conversationId: Id.optional() }),
      response: z.object({ runs: z.array(RunSummary), next }),
      handle: ({ reach, query }) =>
        reach.pool(Directory, 'main').ask('runs', { conversationId: query.conversationId ?? null, ...pageOf(query) }),
    }),
    route({
      method: 'GET',
      path: '/runs/{id}',
      id: 'getRun',
      tag: 'runs',
      summary: 'One run.',
      params: Named,
      response: RunSummary,
      handle: ({ reach, params }) => reach.pool(Directory, 'main').ask('run', params),
    }),
  ]
}
