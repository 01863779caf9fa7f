import type { Context } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { BRANCH_IDS } from '#shared/contracts/events/turn-events.ts'
import type { EventPayload } from '#shared/contracts/event-map.ts'
import { say } from '#shared/contracts/say.ts'
import { pathTo } from '#shared/db/repositories/message-tree.ts'
import { retractMessage } from '#shared/db/repositories/messages.ts'
import type { SupervisorState, Turn } from './state.ts'

type Ctx = Context<SupervisorState>

/**
 * Messages are a tree by `parentId`. One leaf is the active one (`state.lastMessageId`); the way up from it is what was
 * said, for agents and readers. Answering anew, editing, forking and selecting move the leaf and take nothing away.
 */
export async function changeBranch(
  ctx: Ctx,
  sql: TenantSql,
  leafId: string | null,
  reason: EventPayload<'branch:changed'>['reason'],
  withdrawn: readonly string[] = [],
): Promise<void> {
  ctx.state.lastMessageId = leafId
  const path = leafId === null ? [] : (await pathTo(sql, leafId, BRANCH_IDS)).map(({ id }) => id)
  say(ctx, 'branch:changed', { leafId, path, withdrawn: [...withdrawn], reason })
}

/** A turn that is stopped and taken back: its messages are gone, and so is what was heard of its answer. */
export async function takeBack(ctx: Ctx, sql: TenantSql, turn: Turn, heard: readonly string[]): Promise<void> {
  // A question that stood there before stays.
  const isNew = turn.follows === null && (turn.branch === null || turn.branch.kind === 'edit')
  const own = isNew ? [...turn.joined, turn.messageId] : []
  const withdrawn = [...own, ...heard]
  for (const id of withdrawn) await retractMessage(sql, id)
  const { control } = ctx.state
  say(ctx, 'message:retracted', { messageId: turn.answerId, reason: 'It was taken back.' }, { control })
  await changeBranch(
    ctx,
    sql,
    turn.branch === null ? (turn.follows ?? turn.parentId) : turn.branch.leafBefore,
    'rollback',
    withdrawn,
  )
}
