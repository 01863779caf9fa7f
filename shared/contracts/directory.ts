import { z } from 'zod'
import { ask, pool } from '#shared/actor/contract.ts'
import { MessageFact } from './event-map.ts'
import { LETTER_MESSAGES } from './letter.ts'
import { FeedbackList, FeedbackListRequest, ReviewAnswer, ReviewList, ReviewListRequest } from './review-requests.ts'

/** `after`: the `next` of the page before, opaque. */
const Page = z.object({ limit: z.number().int().min(1).max(200), after: z.string().max(160).nullable() })

export const AgentSummary = z.object({
  name: z.string(),
  title: z.string(),
  description: z.string(),
  model: z.string(),
  outputMode: z.enum(['gated', 'streamed']),
  tools: z.array(z.object({ name: z.string(), description: z.string(), priority: z.number() })),
  version: z.number().int(),
  enabled: z.boolean(),
})
export const ConversationSummary = z.object({
  id: z.string(),
  user: z.string(),
  channel: z.string(),
  control: z.number(),
  owner: z.string(),
  createdAt: z.number(),
  updatedAt: z.number(),
})
export const RunSummary = z.object({
  id: z.string(),
  conversationId: z.string(),
  turnId: z.string(),
  agent: z.string(),
  state: z.string(),
  attempt: z.number(),
  createdAt: z.number(),
  updatedAt: z.number(),
  error: z.unknown(),
})
const Checkpoint = z.object({
  id: z.string(),
  parentId: z.string().nullable(),
  at: z.string(),
  superstep: z.number().int(),
  /** Model calls so far. */
  steps: z.number().int(),
  answer: z.string(),
})
export const CheckpointList = z.object({
  checkpoints: z.array(Checkpoint.extend({ messages: z.number().int() })),
})
export const CheckpointView = Checkpoint.extend({
  messages: z.array(
    z.object({
      role: z.string(),
      text: z.string(),
      calls: z.array(z.object({ name: z.string(), args: z.unknown() })),
    }),
  ),
})
const next = z.string().nullable()

/** What the edge needs of the tenant's stored data and may not read itself; name: `main`. */
export const Directory = pool('directory', {
  /** The principal behind a hashed API key (hex SHA-256), asked by the edge as the platform. */
  apiKey: ask(
    z.object({ hash: z.string().length(64) }),
    z.object({ tenant: z.string(), user: z.string(), roles: z.array(z.string()), scopes: z.array(z.string()) }),
    {
      within: '2s',
      fails: ['UNAUTHENTICATED', 'TENANT_DISABLED'],
    },
  ),
  /** Whether the tenant of a token is one of ours, and may be worked for. */
  tenant: ask(z.object({}), z.object({ state: z.enum(['active', 'disabled', 'unknown']) }), { within: '2s' }),
  agents: ask(z.object({}), z.object({ agents: z.array(AgentSummary) })),
  conversations: ask(Page, z.object({ conversations: z.array(ConversationSummary), next })),
  conversation: ask(z.object({ id: z.string() }), ConversationSummary, { fails: ['NOT_FOUND', 'FORBIDDEN'] }),
  messages: ask(Page.extend({ conversationId: z.string() }), z.object({ messages: z.array(MessageFact), next }), {
    fails: ['NOT_FOUND', 'FORBIDDEN'],
  }),
  runs: ask(Page.extend({ conversationId: z.string().nullable() }), z.object({ runs: z.array(RunSummary), next })),
  run: ask(z.object({ id: z.string() }), RunSummary, { fails: ['NOT_FOUND'] }),
  /** The inbox: what waits for people, or was decided. For staff, as are the next two. */
  reviews: ask(ReviewListRequest.omit({ limit: true, after: true }).extend(Page.shape), ReviewList, {
    fails: ['FORBIDDEN'],
  }),
  review: ask(z.object({ id: z.string() }), ReviewAnswer, { fails: ['NOT_FOUND', 'FORBIDDEN'] }),
  feedback: ask(FeedbackListRequest.omit({ limit: true, after: true }).extend(Page.shape), FeedbackList, {
    fails: ['FORBIDDEN'],
  }),
  /** For operators: a checkpoint holds what tools and colleagues said. */
  checkpoints: ask(z.object({ runId: z.string() }), CheckpointList, { fails: ['NOT_FOUND', 'FORBIDDEN'] }),
  checkpoint: ask(z.object({ runId: z.string(), checkpointId: z.string() }), CheckpointView, {
    fails: ['NOT_FOUND', 'FORBIDDEN'],
  }),
  ...LETTER_MESSAGES,
})
