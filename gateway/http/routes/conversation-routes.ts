import { z } from 'zod'
import { ConversationSummary, Directory } from '#shared/contracts/directory.ts'
import { SendReceipt, Snapshot } from '#shared/contracts/client.ts'
import { MessageFact } from '#shared/contracts/event-map.ts'
import { newId } from '#shared/lib/ids.ts'
import { hasRole } from '#gateway/auth/roles.ts'
import { openConversation, sendMessage, takeSnapshot } from '#gateway/operations/messages.ts'
import { CHANNEL, Id, Named, Page, Text, next, pageOf } from '../route-parts.ts'
import { route } from '../route.ts'
import type { Route } from '../route.ts'

/** Conversations and what was said in them. */
export function conversationRoutes(): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/conversations',
      id: 'createConversation',
      tag: 'conversations',
      status: 201,
      summary: 'Opens a conversation, optionally with its first message.',
      body: z
        .object({
          id: Id.optional(),
          message: z.object({ id: Id, text: Text, agent: z.string().max(60).optional() }).optional(),
        })
        .default({}),
      response: z.object({ id: Id, receipt: SendReceipt.nullable() }),
      handle: async ({ reach, body }) => {
        const id = body.id ?? newId()
        await openConversation(reach, id, CHANNEL)
        const receipt =
          body.message === undefined ? null : await sendMessage(reach, { conversationId: id, ...body.message }, CHANNEL)
        return { id, receipt }
      },
    }),
    route({
      method: 'GET',
      path: '/conversations',
      id: 'listConversations',
      tag: 'conversations',
      summary: 'Your conversations, those of the tenant for operators; the one active last comes first.',
      query: Page,
      response: z.object({ conversations: z.array(ConversationSummary), next }),
      handle: ({ reach, query }) => reach.pool(Directory, 'main').ask('conversations', pageOf(query)),
    }),
    route({
      method: 'GET',
      path: '/conversations/{id}',
      id: 'getConversation',
      tag: 'conversations',
      summary:
        'One conversation as it stands: messages, turns that are not over, who has the voice; for operators also what customers do not see.',
      params: Named,
      response: Snapshot.omit({ cursor: true }),
      handle: ({ reach, params, principal }) => takeSnapshot(reach, params.id, hasRole(principal, 'operator')),
    }),
    route({
      method: 'GET',
      path: '/conversations/{id}/messages',
      id: 'listMessages',
      tag: 'conversations',
      summary: 'Finished messages, the newest page first, each page in order.',
      params: Named,
      query: Page,
      response: z.object({ messages: z.array(MessageFact), next }),
      handle: ({ reach, params, query }) =>
        reach.pool(Directory, 'main').ask('messages', { conversationId: params.id, ...pageOf(query) }),
    }),
  ]
}
