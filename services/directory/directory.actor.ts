import { poolActor } from '#shared/actor/definition.ts'
import type { PoolContext, PoolDefinition } from '#shared/actor/definition.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { Directory } from '#shared/contracts/directory.ts'
import { isStaff } from '#shared/contracts/staff.ts'
import { messageFact } from '#shared/contracts/message-fact.ts'
import type { Database } from '#shared/db/database.ts'
import { listAgents } from '#shared/db/repositories/agents.ts'
import { apiKeyOwnerByHash } from '#shared/db/repositories/api-keys.ts'
import { conversationById, listConversations } from '#shared/db/repositories/conversations.ts'
import type { Conversation } from '#shared/db/repositories/conversations.ts'
import { listMessages } from '#shared/db/repositories/messages.ts'
import { listRuns, runByLastPart } from '#shared/db/repositories/runs.ts'
import { ownTenant } from '#shared/db/repositories/tenants.ts'
import { listTools } from '#shared/db/repositories/tools.ts'
import { encodeName } from '#shared/wire/names.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { checkpointHandlers } from './checkpoints.ts'
import { letterHandlers } from './letters.ts'
import type { Replay } from './letters.ts'
import { markOf, nextOf } from '#shared/db/repositories/page-mark.ts'
import { reviewHandlers } from './reviews.ts'
import { runSummary } from './run-summary.ts'

/** Answers the edge's questions about stored data; every query is the tenant's own, by row-level security (I9). */
export function directoryOf(database: Database, replay: Replay): PoolDefinition {
  return poolActor(Directory, {
    on: {
      apiKey: async (ctx, { hash }) => {
        if (ctx.cause.principal?.roles.includes('platform') !== true && ctx.tenant !== 'platform')
          throw refuse('UNAUTHENTICATED')
        const owner = await apiKeyOwnerByHash(database, Buffer.from(hash, 'hex'))
        if (owner === null) throw refuse('UNAUTHENTICATED')
        return { tenant: owner.tenant, user: owner.userId, roles: [...owner.roles], scopes: [...owner.scopes] }
      },

      tenant: (ctx) =>
        database.tenant(ctx.tenant, async (sql) => ({ state: (await ownTenant(sql))?.status ?? 'unknown' })),

      agents: (ctx) =>
        database.tenant(ctx.tenant, async (sql) => {
          const tools = new Map((await listTools(sql)).map((tool) => [tool.id, tool]))
          const agents = (await listAgents(sql)).map((agent) => ({
            name: agent.id,
            title: agent.title,
            description: agent.description,
            model:
              [agent.model['provider'], agent.model['model']].filter((part) => typeof part === 'string').join('/') ||
              'builtin',
            outputMode: agent.outputMode,
            tools: agent.tools.map((name, priority) => ({
              name,
              description: tools.get(name)?.description ?? '',
              priority,
            })),
            version: agent.version,
            enabled: agent.enabled,
          }))
          return { agents }
        }),

      conversations: (ctx, { limit, after }) =>
        database.tenant(ctx.tenant, async (sql) => {
          const user = isStaff(ctx.cause.principal) ? {} : { userId: userOf(ctx) }
          const rows = await listConversations(sql, { ...user, limit, ...markOf(after) })
          return {
            conversations: rows.map(conversationSummary),
            next: nextOf(rows, limit, (row) => ({ at: row.updatedAt, id: row.id })),
          }
        }),

      conversation: (ctx, { id }) =>
        database.tenant(ctx.tenant, async (sql) => conversationSummary(await own(ctx, sql, id))),

      messages: (ctx, { conversationId, limit, after }) =>
        database.tenant(ctx.tenant, async (sql) => {
          await own(ctx, sql, conversationId)
          const beforeSeq = after === null ? {} : { beforeSeq: Number(after) }
          if (after !== null && !/^\d{1,15}$/.test(after))
            throw refuse('BAD_INPUT', { fields: [{ path: 'after', problem: 'not the `next` of a page' }] })
          const rows = await listMessages(sql, conversationId, { limit, ...beforeSeq })
          return { messages: rows.map(messageFact), next: rows.length < limit ? null : String(rows[0]!.seq) }
        }),

      runs: (ctx, { conversationId, limit, after }) =>
        database.tenant(ctx.tenant, async (sql) => {
          if (conversationId !== null) await own(ctx, sql, conversationId)
          else if (!isStaff(ctx.cause.principal))
            throw refuse('FORBIDDEN', { reason: 'Name one of your conversations.' })
          const rows = await listRuns(sql, {
            kind: 'run',
            limit,
            ...(conversationId === null ? {} : { keyPrefix: `${encodeName(conversationId)}--` }),
            ...markOf(after),
          })
          return {
            runs: rows.map(runSummary),
            next: nextOf(rows, limit, (row) => ({ at: row.startedAt, id: row.key })),
          }
        }),

      run: (ctx, { id }) =>
        database.tenant(ctx.tenant, async (sql) => {
          const row = await runByLastPart(sql, 'run', encodeName(id))
          if (row === null) throw refuse('NOT_FOUND', { run: id })
          const summary = runSummary(row)
          await own(ctx, sql, summary.conversationId)
          return summary
        }),

      ...checkpointHandlers(database),
      ...letterHandlers(database, replay),
      ...reviewHandlers(database),
    },
  })
}

function userOf(ctx: PoolContext): string {
  return ctx.cause.principal?.user ?? ''
}

/** The conversation, when it is the principal's own or it is staff; others are not even told that it is there. */
async function own(ctx: PoolContext, sql: TenantSql, id: string): Promise<Conversation> {
  const conversation = await conversationById(sql, id)
  if (conversation === null || (!isStaff(ctx.cause.principal) && conversation.userId !== userOf(ctx)))
    throw refuse('NOT_FOUND', { conversation: id })
  return conversation
}

function conversationSummary(row: Conversation): {
  id: string
  user: string
  channel: string
  control: number
  owner: string
  createdAt: number
  updatedAt: number
} {
  return {
    id: row.id,
    user: row.userId,
    channel: row.channel,
    control: row.controlEpoch,
    owner: row.owner,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  }
}
