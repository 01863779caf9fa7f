import type { TenantSql } from '#shared/actor/store.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'

import { storableJson, storableText } from '../storable.ts'
import { MAX_PAGE } from './conversations.ts'

export interface Message {
  readonly id: string
  readonly conversationId: string
  /** Grows in the order in which messages were stored. */
  readonly seq: number
  readonly parentId: string | null
  readonly role: 'user' | 'assistant' | 'operator' | 'system'
  readonly author: string
  /** Whose client sent it, and the id it has there; '' on others. */
  readonly principal: string
  readonly clientId: string
  readonly content: string
  /** {citations, extractive, data, …} */
  readonly data: Readonly<Record<string, unknown>>
  readonly revision: number
  readonly controlEpoch: number
  readonly turnId: string | null
  readonly runId: string | null
  readonly createdAt: number
  readonly retractedAt: number | null
}

export interface MessageInput {
  readonly id: string
  readonly conversationId: string
  readonly parentId?: string | null
  readonly role: Message['role']
  readonly author: string
  /** Whose client sent it, and the id it has there; both or neither. */
  readonly principal?: string
  readonly clientId?: string
  readonly content: string
  readonly data?: Message['data']
  readonly controlEpoch?: number
  readonly turnId?: string | null
  readonly runId?: string | null
  /** Milliseconds; the time of the transaction if not given. */
  readonly at?: number
}

export const MESSAGE_COLUMNS = `id, conversation_id as "conversationId", seq, parent_id as "parentId", role, author, principal,
  client_id as "clientId", content, data, revision, control_epoch as "controlEpoch", turn_id as "turnId", run_id as "runId",
  created_at as "createdAt", retracted_at as "retractedAt"`

/**
 * Stores a message, once: the same id, or the same client id of the same principal in the conversation, gives back what is
 * there (`fresh` false), and is refused with ID_REUSED when its text or its author is another.
 */
export async function appendMessage(
  sql: TenantSql,
  input: MessageInput,
): Promise<{ readonly message: Message; readonly fresh: boolean }> {
  const content = storableText(input.content)
  const { principal = '', clientId = '' } = input
  const [stored] = await sql.query<Message>(
    `insert into messages (tenant, id, conversation_id, parent_id, role, author, principal, client_id, content, data,
       control_epoch, turn_id, run_id, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, coalesce(to_timestamp($14::float8 / 1000), now()))
     on conflict do nothing returning ${MESSAGE_COLUMNS}`,
    [
      sql.tenant,
      input.id,
      input.conversationId,
      input.parentId ?? null,
      input.role,
      input.author,
      principal,
      clientId,
      content,
      storableJson(input.data ?? {}),
      input.controlEpoch ?? 0,
      input.turnId ?? null,
      input.runId ?? null,
      input.at ?? null,
    ],
  )
  if (stored !== undefined) return { message: stored, fresh: true }
  const before =
    (clientId === '' ? null : await messageByClientId(sql, input.conversationId, principal, clientId)) ??
    (await messageById(sql, input.id))
  const same =
    before?.conversationId === input.conversationId && before.content === content && before.author === input.author
  if (same) return { message: before, fresh: false }
  throw new WaggleError('ID_REUSED', { id: clientId === '' ? input.id : clientId }, { expected: true })
}

export async function messageById(sql: TenantSql, id: string): Promise<Message | null> {
  const [row] = await sql.query<Message>(`select ${MESSAGE_COLUMNS} from messages where tenant = $1 and id = $2`, [
    sql.tenant,
    id,
  ])
  return row ?? null
}

export async function messageByClientId(
  sql: TenantSql,
  conversationId: string,
  principal: string,
  clientId: string,
): Promise<Message | null> {
  const [row] = await sql.query<Message>(
    `select ${MESSAGE_COLUMNS} from messages
     where tenant = $1 and conversation_id = $2 and principal = $3 and client_id = $4 and client_id <> ''`,
    [sql.tenant, conversationId, principal, clientId],
  )
  return row ?? null
}

/** The newest `limit` messages before `beforeSeq`, oldest first; without those that were retracted. */
export async function listMessages(
  sql: TenantSql,
  conversationId: string,
  options: { readonly limit?: number; readonly beforeSeq?: number } = {},
): Promise<Message[]> {
  const newest = await sql.query<Message>(
    `select ${MESSAGE_COLUMNS} from messages
     where tenant = $1 and conversation_id = $2 and retracted_at is null and ($3::bigint is null or seq < $3)
     order by seq desc limit $4`,
    [sql.tenant, conversationId, options.beforeSeq ?? null, Math.min(options.limit ?? MAX_PAGE, MAX_PAGE)],
  )
  return newest.toReversed()
}

/** Gives a message another text, as its next revision. Null when there is none. */
export async function reviseMessage(
  sql: TenantSql,
  id: string,
  change: { readonly content: string; readonly data?: Message['data'] },
): Promise<Message | null> {
  const [row] = await sql.query<Message>(
    `update messages set content = $3, data = coalesce($4::jsonb, data), revision = revision + 1
     where tenant = $1 and id = $2 returning ${MESSAGE_COLUMNS}`,
    [sql.tenant, id, storableText(change.content), change.data === undefined ? null : storableJson(change.data)],
  )
  return row ?? null
}

/** It is no longer shown. False when it was retracted before or there is none. */
export async function retractMessage(sql: TenantSql, id: string): Promise<boolean> {
  const rows = await sql.query(
    `update messages set retracted_at = now(), revision = revision + 1
     where tenant = $1 and id = $2 and retracted_at is null returning id`,
    [sql.tenant, id],
  )
  return rows.length === 1
}
