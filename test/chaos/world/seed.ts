import type { Database } from '#shared/db/database.ts'
import { saveAgent } from '#shared/db/repositories/agents.ts'
import { saveTenant } from '#shared/db/repositories/tenants.ts'
import { saveTool } from '#shared/db/repositories/tools.ts'
import { TOOLS } from './effects.ts'

export const TENANT = 'chaos'
export const AGENT = 'worker'

/** One agent with three tools: one that may be repeated, one that takes our key, and one of which neither is true. */
export async function seedTenant(database: Database, effects: string): Promise<void> {
  await database.migrate()
  await database.tenant(TENANT, async (sql) => {
    await saveTenant(sql, { name: 'Chaos' })
    for (const id of TOOLS) {
      await saveTool(sql, {
        id,
        title: id,
        description: id,
        kind: 'http_post',
        url: `http://${effects}/${id}`,
        parameters: { type: 'object', properties: { of: { type: 'string' } }, required: ['of'] },
        idempotent: id === 'idempotent',
        keyHeader: id === 'keyed' ? 'idempotency-key' : null,
        trusted: true,
      })
    }
    await saveAgent(
      sql,
      {
        id: AGENT,
        title: 'Worker',
        description: 'Works.',
        systemPrompt: 'Work.',
        model: { provider: 'scripted', model: 'chaos' },
        outputMode: 'streamed',
        tools: [...TOOLS],
      },
      { author: 'chaos' },
    )
  })
}
