import type { TenantSql } from '#shared/actor/store.ts'
import type { MessageFact } from '#shared/contracts/event-map.ts'
import { messageFact, rowData } from '#shared/contracts/message-fact.ts'
import { appendMessage, listMessages, messageByClientId } from '#shared/db/repositories/messages.ts'

export interface StoredUnder {
  readonly conversationId: string
  readonly control: number
  /** Null where no turn says it, or works on it. */
  readonly turnId: string | null
  readonly runId: string | null
  /** Whose client gave the message its client id; empty on others. */
  readonly principal: string
}

/** Stores a message once; the same client id gives back what is there (ID_REUSED with another text). */
export async function storeMessage(
  sql: TenantSql,
  fact: MessageFact,
  under: StoredUnder,
): Promise<{ fact: MessageFact; turnId: string | null; fresh: boolean }> {
  const { message, fresh } = await appendMessage(sql, {
    id: fact.id,
    conversationId: under.conversationId,
    parentId: fact.parentId,
    role: fact.role,
    author: fact.author,
    principal: under.principal,
    clientId: fact.clientId,
    content: fact.text,
    data: rowData(fact),
    controlEpoch: under.control,
    turnId: under.turnId,
    runId: under.runId,
  })
  return { fact: messageFact(message), turnId: message.turnId, fresh }
}

/** The newest messages, oldest first. */
export async function newestMessages(sql: TenantSql, conversationId: string, limit: number): Promise<MessageFact[]> {
  return (await listMessages(sql, conversationId, { limit })).map(messageFact)
}

/** What this principal's client sent under this id; null when it is new. */
export async function findByClientId(
  sql: TenantSql,
  conversationId: string,
  principal: string,
  clientId: string,
): Promise<MessageFact | null> {
  const row = await messageByClientId(sql, conversationId, principal, clientId)
  return row === null ? null : messageFact(row)
}
