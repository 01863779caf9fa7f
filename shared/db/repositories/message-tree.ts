import type { TenantSql } from '#shared/actor/store.ts'

import { MESSAGE_COLUMNS } from './messages.ts'
import type { Message } from './messages.ts'

/** Longest way down that is looked for a leaf; deeper trees end there. */
const MAX_DEPTH = 10_000

/** The messages from the root to this one, at most the last `limit`, oldest first: the branch that it ends. */
export async function pathTo(sql: TenantSql, leafId: string, limit: number): Promise<Message[]> {
  const newest = await sql.query<Message>(
    `with recursive path as (
       select m.*, 1 as depth from messages m where m.tenant = $1 and m.id = $2
       union all
       select m.*, p.depth + 1 from path p join messages m on m.tenant = $1 and m.id = p.parent_id where p.depth < $3)
     select ${MESSAGE_COLUMNS} from path where retracted_at is null order by depth`,
    [sql.tenant, leafId, limit],
  )
  return newest.toReversed()
}

/** Where the branch through this message ends: of several ways down, the one that was taken last. */
export async function leafUnder(sql: TenantSql, id: string): Promise<string> {
  const [row] = await sql.query<{ id: string }>(
    `with recursive below as (
       select m.id, m.seq, 1 as depth from messages m where m.tenant = $1 and m.id = $2
       union all
       select c.id, c.seq, b.depth + 1 from below b
         join messages c on c.tenant = $1 and c.parent_id = b.id and c.retracted_at is null
       where b.depth < ${MAX_DEPTH})
     select id from below order by seq desc limit 1`,
    [sql.tenant, id],
  )
  return row?.id ?? id
}

/** A message that waited follows what was said last when its turn begins. */
export async function followMessage(sql: TenantSql, id: string, parentId: string | null): Promise<void> {
  await sql.query('update messages set parent_id = $3 where tenant = $1 and id = $2 returning id', [
    sql.tenant,
    id,
    parentId,
  ])
}
