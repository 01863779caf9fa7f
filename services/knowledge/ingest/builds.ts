import type { ChildEnd } from '#shared/actor/definition.ts'
import { changeGeneration, generationOf } from '#shared/db/repositories/knowledge/generations.ts'
import { say } from '#shared/contracts/say.ts'
import { SCOPE } from './state.ts'
import type { Ctx } from './state.ts'

/** A build that was given up leaves what is searched as it was. */
export async function buildEnded(ctx: Ctx, child: ChildEnd): Promise<void> {
  if (child.state === 'done') return
  const [, collection = '', number = '0'] = child.key
  const generation = Number(number)
  const sql = await ctx.sql()
  const row = await generationOf(sql, collection, generation)
  if (row?.state !== 'building') return
  const reason = child.error?.message ?? 'It was stopped.'
  await changeGeneration(sql, collection, generation, { state: 'failed', note: reason }, ctx.now)
  say(
    ctx,
    'index:built',
    { collection, generation, embedder: row.embedder, chunks: row.chunks, adopted: false, reason },
    SCOPE,
  )
}
