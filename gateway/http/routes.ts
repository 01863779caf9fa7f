import { z } from 'zod'
import { AgentSummary, ConversationSummary, Directory, LetterSummary, RunSummary } from '#shared/contracts/directory.ts'
import { ExecuteResult, MAX_TEXT_CHARS, SendReceipt, Snapshot, StopReceipt } from '#shared/contracts/client.ts'
import { MessageFact } from '#shared/contracts/event-map.ts'
import { newId } from '#shared/lib/ids.ts'
import type { ConversationAccess } from '#gateway/auth/conversation-access.ts'
import { openConversation, sendMessage, stopTurn, takeSnapshot } from '#gateway/sockets/commands.ts'
import { executeAgent } from './execute.ts'
import type { LogReader } from '#gateway/log/log-reader.ts'
import { route } from './route.ts'
import type { Route } from './route.ts'

const CHANNEL = 'rest'
const Id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'an id is 1 to 64 of A-Z a-z 0-9 _ -')
const Named = z.object({ id: Id })
const Page = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  after: z.string().max(160).optional(),
})
const next = z.string().nullable()
const Text = z.string().min(1).max(MAX_TEXT_CHARS)

/** Every operation but the event stream, which is no request and answer (events.ts). */
export function restRoutes(reader: LogReader, access: ConversationAccess): readonly Route[] {
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
      summary: 'One conversation as it stands: messages, turns that are not over, who has the voice.',
      params: Named,
      response: Snapshot.omit({ cursor: true }),
      handle: ({ reach, params }) => takeSnapshot(reach, params.id),
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
    route({
      method: 'POST',
      path: '/conversations/{id}/messages',
      id: 'sendMessage',
      tag: 'conversations',
      status: 202,
      summary: 'Sends a message. The same id again is harmless; `pending` asks for it to be sent again.',
      params: Named,
      body: z.object({ id: Id, text: Text, agent: z.string().max(60).optional() }),
      response: SendReceipt,
      handle: async ({ principal, reach, params, body }) => {
        await access.require(principal, params.id)
        return await sendMessage(reach, { conversationId: params.id, ...body }, CHANNEL)
      },
    }),
    route({
      method: 'POST',
      path: '/conversations/{id}/stop',
      id: 'stopTurn',
      tag: 'conversations',
      status: 202,
      summary: 'Stops a turn, or the one at work. What stopped and what had happened comes with `turn:ended`.',
      params: Named,
      body: z.object({ turnId: Id.optional() }).default({}),
      response: StopReceipt,
      handle: async ({ principal, reach, params, body }) => {
        await access.require(principal, params.id)
        return await stopTurn(reach, params.id, body.turnId ?? null)
      },
    }),
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
    route({
      method: 'GET',
      path: '/agents',
      id: 'listAgents',
      tag: 'agents',
      summary: 'The agents of the tenant, with their tools.',
      response: z.object({ agents: z.array(AgentSummary) }),
      handle: ({ reach }) => reach.pool(Directory, 'main').ask('agents', {}),
    }),
    route({
      method: 'POST',
      path: '/agents/{name}/execute',
      id: 'executeAgent',
      tag: 'agents',
      summary: 'Asks one agent one thing in a conversation of its own and waits for the end of the turn.',
      params: z.object({ name: z.string().min(1).max(60) }),
      body: z.object({
        text: Text,
        id: Id.optional(),
        conversationId: Id.optional(),
        withinMs: z.number().int().min(100).max(300_000).default(60_000),
      }),
      response: ExecuteResult,
      handle: ({ principal, reach, params, body, signal }) =>
        executeAgent({ reader, principal, reach, agent: params.name, signal, ...body }),
    }),
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

function pageOf(query: { readonly limit: number; readonly after?: string | undefined }): {
  limit: number
  after: string | null
} {
  return { limit: query.limit, after: query.after ?? null }
}
