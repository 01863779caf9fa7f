import { z } from 'zod'
import { Directory } from '#shared/contracts/directory.ts'
import { Discarded, LetterFilter, LetterSummary, PurgeRequest, Purged, Replayed } from '#shared/contracts/letter.ts'
import { Id, Named, Page, next, pageOf } from '../route-parts.ts'
import { route } from '../route.ts'
import type { Route } from '../route.ts'

const time = z.coerce.number().int().nonnegative().optional()
const Which = LetterFilter.omit({ state: true })

/** Messages that could not be handled. */
export function letterRoutes(): readonly Route[] {
  const tag = 'dead letters'
  return [
    route({
      method: 'GET',
      path: '/dead-letters',
      id: 'listDeadLetters',
      tag,
      summary: 'Messages that could not be handled, for operators; the newest first, by code, kind, state and time.',
      query: Page.extend({ ...LetterFilter.shape, since: time, until: time }),
      response: z.object({ letters: z.array(LetterSummary), next }),
      handle: ({ reach, query }) => {
        const { limit, after, ...filter } = query
        return reach.pool(Directory, 'main').ask('letters', { ...pageOf({ limit, after }), filter })
      },
    }),
    route({
      method: 'POST',
      path: '/dead-letters/replay',
      id: 'replayDeadLetters',
      tag,
      status: 202,
      summary: 'Sends those that fit again, the oldest first, a bounded number; says which could not be sent.',
      body: Which.default({}),
      response: Replayed,
      handle: ({ reach, body }) => reach.pool(Directory, 'main').ask('replayAll', { filter: body }),
    }),
    route({
      method: 'POST',
      path: '/dead-letters/discard',
      id: 'discardDeadLetters',
      tag,
      summary: 'Says of those that fit that nobody needs them, a bounded number.',
      body: Which.default({}),
      response: Discarded,
      handle: ({ reach, body }) => reach.pool(Directory, 'main').ask('discardAll', { filter: body }),
    }),
    route({
      method: 'POST',
      path: '/dead-letters/purge',
      id: 'purgeDeadLetters',
      tag,
      summary: 'Removes those that are older for good; for administrators.',
      body: PurgeRequest,
      response: Purged,
      handle: ({ reach, body }) => reach.pool(Directory, 'main').ask('purge', body),
    }),
    route({
      method: 'GET',
      path: '/dead-letters/{id}',
      id: 'getDeadLetter',
      tag,
      summary: 'One of them with its payload, error and history.',
      params: Named,
      response: z.looseObject({ id: Id }),
      handle: ({ reach, params }) => reach.pool(Directory, 'main').ask('letter', params),
    }),
    route({
      method: 'POST',
      path: '/dead-letters/{id}/replay',
      id: 'replayDeadLetter',
      tag,
      status: 202,
      summary: 'Sends it again as a new attempt in the same trace, with another payload if one is given.',
      params: Named,
      body: z.object({ payload: z.unknown().optional() }).default({}),
      response: z.object({ id: z.string() }),
      handle: ({ reach, params, body }) =>
        reach
          .pool(Directory, 'main')
          .ask('replay', { id: params.id, ...(body.payload === undefined ? {} : { payload: body.payload }) }),
    }),
    route({
      method: 'POST',
      path: '/dead-letters/{id}/discard',
      id: 'discardDeadLetter',
      tag,
      summary: 'Says that nobody needs it.',
      params: Named,
      response: z.object({}),
      handle: ({ reach, params }) => reach.pool(Directory, 'main').ask('discard', params),
    }),
  ]
}
