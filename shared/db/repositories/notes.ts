import type { TenantSql } from '#shared/actor/store.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'

import { storableText } from '../storable.ts'
import { MAX_PAGE } from './conversations.ts'

export interface NoteRow {
  readonly id: string
  readonly clientId: string
  readonly kind: 'note' | 'whisper' | 'draft' | 'learned'
  readonly author: string
  readonly content: string
  readonly turnId: string | null
  readonly state: 'kept' | 'waiting' | 'delivered' | 'missed'
  readonly createdAt: number
}

const COLUMNS = `id, client_id as "clientId", kind, author, content, turn_id as "turnId", state, created_at as "createdAt"`

/** Stores a note, once: the same client id of the same author gives back what is there; ID_REUSED with another text. */
export async function appendNote(
  sql: TenantSql,
  conversationId: string,
  note: Omit<NoteRow, 'createdAt'> & { readonly at: number },
): Promise<{ readonly note: NoteRow; readonly fresh: boolean }> {
  const content = storableText(note.content)
  const { id, kind, author, clientId, turnId, state, at } = note
  const [stored] = await sql.query<NoteRow>(
    `insert into notes (tenant, id, conversation_id, kind, author, client_id, content, turn_id, state, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, to_timestamp($10::float8 / 1000))
     on conflict do nothing returning ${COLUMNS}`,
    [sql.tenant, id, conversationId, kind, author, clientId, content, turnId, state, at],
  )
  if (stored !== undefined) return { note: stored, fresh: true }
  const [before] = await sql.query<NoteRow>(
    `select ${COLUMNS} from notes
     where tenant = $1 and (id = $2 or (conversation_id = $3 and author = $4 and client_id = $5 and client_id <> ''))`,
    [sql.tenant, id, conversationId, author, clientId],
  )
  if (before?.content === content && before.kind === kind) return { note: before, fresh: false }
  throw new WaggleError('ID_REUSED', { id: clientId === '' ? id : clientId }, { expected: true })
}

export async function settleNote(sql: TenantSql, id: string, state: NoteRow['state']): Promise<void> {
  await sql.query('update notes set state = $3 where tenant = $1 and id = $2', [sql.tenant, id, state])
}

/** The newest, oldest first. */
export async function listNotes(sql: TenantSql, conversationId: string, limit: number): Promise<NoteRow[]> {
  const newest = await sql.query<NoteRow>(
    `select ${COLUMNS} from notes where tenant = $1 and conversation_id = $2 order by seq desc limit $3`,
    [sql.tenant, conversationId, Math.min(limit, MAX_PAGE)],
  )
  return newest.toReversed()
}
