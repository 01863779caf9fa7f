import { createHash } from 'node:crypto'
import type { Database } from '#shared/db/database.ts'
import { TENANT } from '../world/seed.ts'
import type { Effects } from '../world/effects.ts'
import type { Truth } from './truth.ts'

interface LedgerRow {
  readonly id: string
  readonly tool: string
  readonly hash: string
  readonly status: 'intended' | 'done' | 'failed' | 'unknown'
}

export interface EffectFigures {
  readonly effects: number
  /** Done more than once, where that is harmless. */
  readonly repeated: number
  readonly unknown: number
  /** Of those, that could have been repeated and were not let: a guardrail said no, or nothing, the second time. */
  readonly notRepeated: number
}

/**
 * No effect that may not be repeated happened twice; a keyed one came under one key; what happened stands in the ledger;
 * what is in doubt is told as `unknown`, in the ledger and in the log; nothing is said to be done that never happened.
 */
export async function checkEffects(
  database: Database,
  effects: Effects,
  truth: Truth,
): Promise<{ problems: string[]; figures: EffectFigures }> {
  const problems: string[] = []
  const rows = await database.tenant(TENANT, (sql) =>
    sql.query<LedgerRow>(`select id, tool, args_hash as hash, status from effects where tenant = $1`, [TENANT]),
  )
  const returned = new Map<string, Set<string>>()
  for (const entries of truth.conversations.values())
    for (const { event } of entries) {
      if (event.type !== 'tool:returned') continue
      const { callId, status } = event.payload as { callId: string; status: string }
      const known = returned.get(callId) ?? new Set()
      returned.set(callId, known.add(status))
    }
  const byHash = new Map<string, LedgerRow[]>()
  for (const row of rows) byHash.set(row.hash, [...(byHash.get(row.hash) ?? []), row])
  for (const [of, { tool, count, keys }] of effects.seen) {
    const known = byHash.get(hashOf(of)) ?? []
    if (known.length !== 1) problems.push(`${of}: it happened, and ${known.length} rows of the ledger tell of it`)
    if (tool === 'plain' && count > 1) problems.push(`${of}: it happened ${count} times`)
    if (tool === 'keyed' && keys.size !== 1) problems.push(`${of}: it came under ${keys.size} keys`)
    if (known[0]?.status === 'failed') problems.push(`${of}: it happened, and the ledger says it failed`)
  }
  const happened = new Set(Array.from(effects.seen.keys(), hashOf))
  for (const { id, tool, hash, status } of rows) {
    const callId = id.split('/').slice(-2).join('-')
    if (status === 'intended') problems.push(`${tool} ${id} was begun and is neither done, failed nor unknown`)
    if (status === 'done' && !happened.has(hash)) problems.push(`${tool} ${id} is said to be done and never happened`)
    if (status === 'unknown' && returned.get(callId)?.has('unknown') !== true)
      problems.push(`${tool} ${id} is unknown, and the log does not say so`)
  }
  const all = [...effects.seen.values()]
  return {
    problems,
    figures: {
      effects: all.length,
      repeated: all.filter(({ count }) => count > 1).length,
      unknown: rows.filter(({ status }) => status === 'unknown').length,
      notRepeated: rows.filter(({ status, tool }) => status === 'unknown' && tool !== 'plain').length,
    },
  }
}

/** As the run that calls a tool computes it: of the canonical JSON of the arguments. */
function hashOf(of: string): string {
  return createHash('sha256').update(JSON.stringify({ of })).digest('hex').slice(0, 32)
}
