import type { CuratedText } from '#shared/contracts/knowledge.ts'
import type { z } from 'zod'
import { say } from '#shared/contracts/say.ts'
import { requireStaff } from '#shared/contracts/staff.ts'
import { collectionById } from '#shared/db/repositories/knowledge/collections.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { keepCurated } from '../answer/curated.ts'
import { SCOPE } from './state.ts'
import type { Ctx } from './state.ts'

type Curate = z.infer<typeof CuratedText> & { readonly collection: string; readonly itemId: string }

/** In the name of whoever decided at the desk, which saw that the collection was there; removed since, it needs no answers. */
export async function curate(ctx: Ctx, { collection, question, answer, itemId }: Curate): Promise<object> {
  const by = requireStaff(ctx, 'Curated answers are')
  const sql = await ctx.sql()
  if ((await collectionById(sql, collection)) === null) throw refuse('NOT_FOUND', { collection })
  const answerId = await keepCurated(sql, { collection, question, answer, createdBy: by }, ctx.now)
  say(ctx, 'answer:curated', { answerId, collection, itemId, by }, SCOPE)
  return {}
}
