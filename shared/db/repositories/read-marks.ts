import type { TenantSql } from '#shared/actor/store.ts'

import { MAX_PAGE } from './conversations.ts'

export interface ReadMark {
  readonly userId: string
  readonly messageId: string
  readonly at: number
}

/** Moves a mark forward to a message of the conversation. False when it stood there, or further on, or there is no such message. */
export async function markRead(
  sql: TenantSql,
  conversationId: string,
  userId: string,
  messageId: string,
  at: number,
): Promise<boolean> {
  const rows = await sql.query(
    `insert into read_marks (tenant, conversation_id, user_id, message_id, seq, at)
     select tenant, conversation_id, $3, id, seq, to_timestamp($5::float8 / 1000) from messages
     where tenant = $1 and conversation_id = $2 and id = $4
     on conflict (tenant, conversation_id, user_id)
       do update set message_id = excluded.message_id, seq = excluded.seq, at = excluded.at
       where read_marks.seq < excluded.seq
     returning user_id`,
    [sql.tenant, conversationId, userId, messageId, at],
  )
  return rows.length === 1
}

export async function readMarks(sql: TenantSql, conversationId: string): Promise<ReadMark[]> {
  return sql.query<ReadMark>(
    `select user_id as "userId", message_id as "messageId", at from read_marks
     where tenant = $1 and conversation_id = $2 order by at desc, user_id limit ${MAX_PAGE}`,
    [sql.tenant, conversationId],
  )
}
