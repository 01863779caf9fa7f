import type { Database } from '#shared/db/database.ts'
import { TENANT } from '../world/seed.ts'
import type { Truth } from './truth.ts'

/** I12: whatever message the database holds, the log tells of, with the same text. */
export async function checkStored(database: Database, truth: Truth): Promise<string[]> {
  const problems: string[] = []
  const rows = await database.tenant(TENANT, (sql) =>
    sql.query<{ id: string; conversation: string; role: string; content: string }>(
      `select id, conversation_id as conversation, role, content from messages where tenant = $1`,
      [TENANT],
    ),
  )
  const told = new Map<string, string>()
  for (const entries of truth.conversations.values())
    for (const { event } of entries) {
      if (event.type !== 'message:received' && event.type !== 'message:completed') continue
      const { id, text } = event.payload as { id: string; text: string }
      told.set(id, text)
    }
  for (const { id, conversation, role, content } of rows) {
    if (!told.has(id)) problems.push(`${conversation}: the ${role} message ${id} is stored and not in the log`)
    else if (told.get(id) !== content)
      problems.push(`${conversation}: the text of ${id} in the log is not what is stored`)
  }
  return problems
}
