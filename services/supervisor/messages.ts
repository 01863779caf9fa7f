import type { Context } from '#shared/actor/definition.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'

/** A message of now with nothing in it but what is given. */
export function messageOf(
  ctx: Pick<Context<unknown>, 'now'>,
  given: Pick<MessageFact, 'id' | 'role' | 'author' | 'text' | 'parentId'> & Partial<MessageFact>,
): MessageFact {
  return { clientId: '', citations: [], extractive: false, data: null, revision: 1, at: ctx.now, ...given }
}
