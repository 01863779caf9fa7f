import type { TenantSql } from '#shared/actor/store.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'

import { storableJson, storableText } from '../storable.ts'

export interface Conversation {
  readonly id: string
  readonly userId: string
  readonly channel: string
  readonly title: string
  readonly state: 'open' | 'closed'
  /** Who has the voice (I7); '' is nobody yet. */
  readonly owner: string
  readonly mode: 'auto' | 'supervised' | 'human' | 'offered'
  readonly controlEpoch: number
  readonly metadata: Readonly<Record<string, unknown>>
  readonly createdAt: number
  readonly updatedAt: number
  /** Who is to look after it; says nothing of who has the voice. */
  readonly assignedUser: string | null
  readonly assignedTeam: string | null
}

/** Where a page ends; the next begins after it. */
export interface PageMark {
  readonly at: number
  readonly id: string
}

export const MAX_PAGE = 200
const DEFAULT_PAGE = 50
const COLUMNS = `id, user_id as "userId", channel, title, state, owner, mode, control_epoch as "controlEpoch", metadata,
  created_at as "createdAt", updated_at as "updatedAt", assigned_user as "assignedUser", assigned_team as "assignedTeam"`

/** False when it was there before: opening twice is harmless. */
export async function createConversation(
  sql: TenantSql,
  conversation: {
    readonly id: string
    readonly userId: string
    readonly channel: string
    readonly title?: string
    readonly metadata?: Conversation['metadata']
  },
): Promise<boolean> {
  const rows = await sql.query(
    `insert into conversations (tenant, id, user_id, channel, title, metadata) values ($1, $2, $3, $4, $5, $6)
     on conflict (tenant, id) do nothing returning id`,
    [
      sql.tenant,
      conversation.id,
      conversation.userId,
      conversation.channel,
      storableText(conversation.title ?? ''),
      storableJson(conversation.metadata ?? {}),
    ],
  )
  return rows.length === 1
}

export async function conversationById(sql: TenantSql, id: string): Promise<Conversation | null> {
  const [row] = await sql.query<Conversation>(`select ${COLUMNS} from conversations where tenant = $1 and id = $2`, [
    sql.tenant,
    id,
  ])
  return row ?? null
}

/** The one that was active last comes first. */
export async function listConversations(
  sql: TenantSql,
  options: { readonly userId?: string; readonly limit?: number; readonly after?: PageMark } = {},
): Promise<Conversation[]> {
  const { userId = null, limit = DEFAULT_PAGE, after } = options
  return sql.query<Conversation>(
    `select ${COLUMNS} from conversations
     where tenant = $1 and ($2::text is null or user_id = $2)
       and ($3::float8 is null or (updated_at, id) < (to_timestamp($3 / 1000), $4))
     order by updated_at desc, id desc limit $5`,
    [sql.tenant, userId, after?.at ?? null, after?.id ?? '', Math.min(limit, MAX_PAGE)],
  )
}

/** It was active just now. */
export async function touchConversation(sql: TenantSql, id: string): Promise<void> {
  await sql.query('update conversations set updated_at = now() where tenant = $1 and id = $2', [sql.tenant, id])
}

export async function setConversationTitle(sql: TenantSql, id: string, title: string): Promise<void> {
  await sql.query('update conversations set title = $3 where tenant = $1 and id = $2', [
    sql.tenant,
    id,
    storableText(title),
  ])
}

export async function setConversationState(sql: TenantSql, id: string, state: Conversation['state']): Promise<void> {
  await sql.query('update conversations set state = $3, updated_at = now() where tenant = $1 and id = $2', [
    sql.tenant,
    id,
    state,
  ])
}

/** Whom it is given to look after. False when there is no such conversation. */
export async function assignConversation(
  sql: TenantSql,
  id: string,
  to: { readonly user: string | null; readonly team: string | null },
): Promise<boolean> {
  const rows = await sql.query(
    'update conversations set assigned_user = $3, assigned_team = $4 where tenant = $1 and id = $2 returning id',
    [sql.tenant, id, to.user, to.team],
  )
  return rows.length === 1
}

/**
 * Hands the voice on and mints the next control epoch (I7), which it returns; with `keepsVoice` only the mode changes and
 * the epoch stays. With `expected`, only from that epoch: STALE_CONTROL otherwise. Throws NOT_FOUND.
 */
export async function setControl(
  sql: TenantSql,
  id: string,
  control: {
    readonly owner: string
    readonly mode: Conversation['mode']
    readonly expected?: number
    readonly keepsVoice?: boolean
  },
): Promise<number> {
  const [row] = await sql.query<{ epoch: number }>(
    `update conversations set owner = $3, mode = $4, control_epoch = control_epoch + $6, updated_at = now()
     where tenant = $1 and id = $2 and ($5::bigint is null or control_epoch = $5) returning control_epoch as epoch`,
    [sql.tenant, id, control.owner, control.mode, control.expected ?? null, control.keepsVoice === true ? 0 : 1],
  )
  if (row !== undefined) return row.epoch
  const now = await conversationById(sql, id)
  if (now === null) throw new WaggleError('NOT_FOUND', { conversation: id }, { expected: true })
  throw new WaggleError('STALE_CONTROL', { conversation: id, control: now.controlEpoch }, { expected: true })
}
