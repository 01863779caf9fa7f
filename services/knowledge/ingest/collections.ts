import type { z } from 'zod'
import type { InputOf } from '#shared/actor/ref.ts'
import { BuildGeneration } from '#shared/contracts/ingestion.ts'
import type { ConfigureCollection, Ingestion } from '#shared/contracts/ingestion.ts'
import { CollectionSettings } from '#shared/contracts/knowledge.ts'
import { requireStaff } from '#shared/contracts/staff.ts'
import {
  collectionById,
  insertCollection,
  removeCollection as removeRow,
  updateCollection,
} from '#shared/db/repositories/knowledge/collections.ts'
import {
  changeGeneration,
  generationOf,
  generationsOf,
  insertGeneration,
  useGeneration,
} from '#shared/db/repositories/knowledge/generations.ts'
import { hideDocument, listDocuments } from '#shared/db/repositories/knowledge/documents.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { LSA_DIMENSIONS, LSA_VERSION } from '#shared/ranking/lsa.ts'
import { embedderId, embedderDimensions } from '../embedders.ts'
import type { Ctx } from './state.ts'
import { withdraw } from './queue.ts'
import { sweepSoon } from './sweeps.ts'

type Messages = (typeof Ingestion)['messages']
const EVERYTHING = { reads: [], staff: true } as const
/** Documents that a collection is removed with; one of more is emptied first. */
const MAX_REMOVED_WITH = 1_000

export async function createCollection(
  ctx: Ctx,
  given: InputOf<Messages['createCollection']>,
): Promise<{ readonly id: string; readonly created: boolean }> {
  requireStaff(ctx, 'Changing knowledge is')
  const sql = await ctx.sql()
  const created = await insertCollection(sql, given, ctx.now)
  if (created) {
    const { embedder } = given.settings
    const about = { embedder: embedderId(embedder), dimensions: embedderDimensions(embedder), settings: embedder }
    await insertGeneration(sql, given.id, { ...about, state: 'active' }, ctx.now)
  }
  return { id: given.id, created }
}

/** Another embedder is used once its generation is built: `reindex`. */
export async function configureCollection(
  ctx: Ctx,
  { id, ...change }: z.infer<typeof ConfigureCollection>,
): Promise<object> {
  requireStaff(ctx, 'Changing knowledge is')
  if (!(await updateCollection(await ctx.sql(), id, change, ctx.now))) throw refuse('NOT_FOUND', { collection: id })
  return {}
}

/** Hides all of its documents. The collection itself goes when it is asked for again and they are swept. */
export async function removeCollection(
  ctx: Ctx,
  { id }: { readonly id: string },
): Promise<{ readonly removed: boolean }> {
  requireStaff(ctx, 'Changing knowledge is')
  const sql = await ctx.sql()
  if ((await collectionById(sql, id)) === null) throw refuse('NOT_FOUND', { collection: id })
  for (const { id: document } of await listDocuments(sql, EVERYTHING, { collection: id, limit: MAX_REMOVED_WITH })) {
    await hideDocument(sql, document, ctx.now)
    withdraw(ctx, document, 'Its collection was removed.')
  }
  const removed = await removeRow(sql, id)
  if (!removed) sweepSoon(ctx)
  return { removed }
}

export async function reindex(
  ctx: Ctx,
  { collection, embedder, fitted }: InputOf<Messages['reindex']>,
): Promise<{ readonly generation: number }> {
  requireStaff(ctx, 'Changing knowledge is')
  const sql = await ctx.sql()
  const row = await collectionById(sql, collection)
  if (row === null) throw refuse('NOT_FOUND', { collection })
  const open = (await generationsOf(sql, collection)).find(({ state }) => state === 'building')
  if (open !== undefined) throw refuse('CONFLICT', { collection, building: open.generation })
  const settings = embedder ?? CollectionSettings.parse(row.settings).embedder
  const about = {
    embedder: fitted ? LSA_VERSION : embedderId(settings),
    dimensions: fitted ? LSA_DIMENSIONS : embedderDimensions(settings),
    settings: fitted ? { provider: 'builtin', model: 'lsa' } : settings,
  }
  const generation = await insertGeneration(sql, collection, { ...about, state: 'building' }, ctx.now)
  ctx.spawn(BuildGeneration, ['main', collection, String(generation)], { collection, generation }, { fresh: true })
  return { generation }
}

/** Back to a generation that is still there: one row is changed. */
export async function rollback(ctx: Ctx, { collection, generation }: InputOf<Messages['rollback']>): Promise<object> {
  requireStaff(ctx, 'Changing knowledge is')
  const sql = await ctx.sql()
  const row = await generationOf(sql, collection, generation)
  if (row === null) throw refuse('NOT_FOUND', { collection, generation })
  if (row.state !== 'retired') throw refuse('CONFLICT', { collection, generation, state: row.state })
  await useGeneration(sql, collection, generation, ctx.now)
  await changeGeneration(sql, collection, generation, { note: 'gone back to' }, ctx.now)
  return {}
}
