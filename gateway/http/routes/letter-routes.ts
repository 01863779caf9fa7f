import { z } from 'zod'
import { Directory, LetterSummary } from '#shared/contracts/directory.ts'
import { Id, Named, Page, next, pageOf } from '../route-parts.ts'
import { route } from '../route.ts'
import type { Route } from '../route.ts'

/** Messages that could not be handled. */
export function letterRoutes(): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/dead-letters',
      id: 'listDeadLetters',
      tag: 'dead letters',
      summary: 'Messages that could not be handled, for operators; the newest first.',
      query: Page,
      response: z.object({ letters: z.array(LetterSummary), next }),
      handle: ({ reach, query }) => reach.pool(Directory, 'main').ask('letters', pageOf(query)),
    }),
    route({
      method: 'GET',
      path: '/dead-letters/{id}',
      id: 'getDeadLetter',
      tag: 'dead letters',
      summary: 'One of them with its payload, error and history.',
      params: Named,
      response: z.looseObject({ id: Id }),
      handle: ({ reach, params }) => reach.pool(Directory, 'main').ask('letter', params),
    }),
    route({
      method: 'POST',
      path: '/dead-letters/{id}/replay',
      id: 'replayDeadLetter',
      tag: 'dead letters',
      status: 202,
      summary: 'Sends it again as a new attempt in the same trace, with another payload if one is given.',
      params: Named,
      body: z.object({ payload: z.unknown().optional() }).default({}),
      response: z.object({ id: Id }),
      handle: ({ reach, params, body }) =>
        reach
          .pool(Directory, 'main')
          .ask('replay', { id: params.id, ...(body.payload === undefined ? {} : { payload: body.payload }) }),
    }),
  ]
}
