import type { TenantSql } from '#shared/actor/store.ts'
import type { ReviewItem, ReviewKind, ReviewOrigin, ReviewState } from '#shared/contracts/review.ts'

import { storableText } from '../storable.ts'
import { MAX_PAGE } from './conversations.ts'
import type { PageMark } from './conversations.ts'

/** An item as it is kept: with who is told, and what follows an expiry. */
export interface StoredReview {
  readonly item: ReviewItem
  readonly origin: ReviewOrigin
  readonly escalateTo: readonly string[]
  readonly expiresAfterMs: number | null
}

const KEY_SEPARATOR = '\n'
const COLUMNS = `id, conversation_id as "conversationId", turn_id as "turnId", run_id as "runId", agent, kind, tool, title,
  reason, proposal, schema, evidence, team, claimed_by as "claimedBy", claimed_until as "claimedUntil", quorum, approvals,
  args_hash as "argsHash", nonce, created_at as "createdAt", due_at as "dueAt", expires_at as "expiresAt",
  on_expiry as "onExpiry", state, decision, revision`
const INTERNAL = `escalate_to as "escalateTo", expires_after_ms as "expiresAfterMs", origin_kind as "originKind",
  origin_key as "originKey"`

type Row = ReviewItem & {
  readonly escalateTo: readonly string[]
  readonly expiresAfterMs: number | null
  readonly originKind: ReviewOrigin['kind']
  readonly originKey: string
}

/** False when it was there before: parking twice is harmless. */
export async function insertReview(sql: TenantSql, { item, origin, ...more }: StoredReview): Promise<boolean> {
  const rows = await sql.query(
    `insert into review_items (tenant, id, conversation_id, turn_id, run_id, agent, kind, tool, title, reason, proposal,
       schema, evidence, team, claimed_by, claimed_until, quorum, approvals, args_hash, nonce, created_at, due_at, expires_at,
       on_expiry, state, decision, revision, escalate_to, expires_after_ms, origin_kind, origin_key)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
       $24, $25, $26, $27, $28, $29, $30, $31)
     on conflict (tenant, id) do nothing returning id`,
    [
      sql.tenant,
      item.id,
      item.conversationId,
      item.turnId,
      item.runId,
      storableText(item.agent),
      item.kind,
      storableText(item.tool),
      storableText(item.title),
      storableText(item.reason),
      JSON.stringify(item.proposal),
      item.schema === null ? null : JSON.stringify(item.schema),
      JSON.stringify(item.evidence),
      storableText(item.team),
      item.claimedBy,
      item.claimedUntil,
      item.quorum,
      JSON.stringify(item.approvals),
      item.argsHash,
      item.nonce,
      item.createdAt,
      item.dueAt,
      item.expiresAt,
      item.onExpiry,
      item.state,
      item.decision === null ? null : JSON.stringify(item.decision),
      item.revision,
      JSON.stringify(more.escalateTo),
      more.expiresAfterMs,
      origin.kind,
      origin.key.join(KEY_SEPARATOR),
    ],
  )
  return rows.length === 1
}

/** Writes what can change of an item. Its desk is the only writer, so that nothing is compared. */
export async function updateReview(sql: TenantSql, { item, escalateTo }: StoredReview): Promise<void> {
  await sql.query(
    `update review_items set proposal = $3, team = $4, claimed_by = $5, claimed_until = $6, approvals = $7, args_hash = $8,
       due_at = $9, expires_at = $10, state = $11, decision = $12, revision = $13, escalate_to = $14
     where tenant = $1 and id = $2`,
    [
      sql.tenant,
      item.id,
      JSON.stringify(item.proposal),
      storableText(item.team),
      item.claimedBy,
      item.claimedUntil,
      JSON.stringify(item.approvals),
      item.argsHash,
      item.dueAt,
      item.expiresAt,
      item.state,
      item.decision === null ? null : JSON.stringify(item.decision),
      item.revision,
      JSON.stringify(escalateTo),
    ],
  )
}

export async function reviewById(sql: TenantSql, id: string): Promise<StoredReview | null> {
  const [row] = await sql.query<Row>(`select ${COLUMNS}, ${INTERNAL} from review_items where tenant = $1 and id = $2`, [
    sql.tenant,
    id,
  ])
  return row === undefined ? null : storedOf(row)
}

/** Those of a conversation that wait, oldest first. */
export async function openReviews(sql: TenantSql, conversationId: string): Promise<StoredReview[]> {
  const rows = await sql.query<Row>(
    `select ${COLUMNS}, ${INTERNAL} from review_items
     where tenant = $1 and conversation_id = $2 and state = 'open' order by created_at, id`,
    [sql.tenant, conversationId],
  )
  return rows.map(storedOf)
}

export interface ReviewFilter {
  readonly state?: ReviewState | null
  readonly kind?: ReviewKind | null
  readonly team?: string | null
  readonly claimedBy?: string | null
  readonly conversationId?: string | null
  /** Due before this time. */
  readonly dueBefore?: number | null
  readonly limit?: number
  readonly after?: PageMark
}

/** The inbox of a tenant, the newest first. */
export async function listReviews(sql: TenantSql, filter: ReviewFilter = {}): Promise<ReviewItem[]> {
  const { state, kind, team, claimedBy, conversationId, dueBefore, limit = MAX_PAGE, after } = filter
  return sql.query<ReviewItem>(
    `select ${COLUMNS} from review_items
     where tenant = $1 and ($2::text is null or state = $2) and ($3::text is null or kind = $3)
       and ($4::text is null or team = $4) and ($5::text is null or claimed_by = $5)
       and ($6::text is null or conversation_id = $6) and ($7::bigint is null or due_at < $7)
       and ($8::bigint is null or (created_at, id) < ($8, $9))
     order by created_at desc, id desc limit $10`,
    [
      sql.tenant,
      state ?? null,
      kind ?? null,
      team ?? null,
      claimedBy ?? null,
      conversationId ?? null,
      dueBefore ?? null,
      after?.at ?? null,
      after?.id ?? '',
      Math.min(limit, MAX_PAGE),
    ],
  )
}

function storedOf({ escalateTo, expiresAfterMs, originKind, originKey, ...item }: Row): StoredReview {
  return { item, origin: { kind: originKind, key: originKey.split(KEY_SEPARATOR) }, escalateTo, expiresAfterMs }
}
