import type { ChildEnd } from '#shared/actor/definition.ts'
import type { TenantSql } from '#shared/actor/store.ts'
import { Ingest } from '#shared/contracts/ingestion.ts'
import type { DocumentFailure } from '#shared/contracts/event-map.ts'
import { failureOf } from '#shared/contracts/failure.ts'
import { say } from '#shared/contracts/say.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { changeVersion, nextAddress, versionOf } from '#shared/db/repositories/knowledge/documents.ts'
import type { VersionChange } from '#shared/db/repositories/knowledge/documents.ts'
import { SCOPE } from './state.ts'
import type { Ctx } from './state.ts'
import { sweepSoon } from './sweeps.ts'

/** Versions of one tenant that are read at the same time. */
const MAX_AT_WORK = 2
/** Versions of one tenant that wait; more are TENANT_BUSY. */
const MAX_QUEUED = 5_000

export function enqueue(ctx: Ctx, documentId: string, version: number): void {
  if (ctx.state.queued.length >= MAX_QUEUED) throw refuse('TENANT_BUSY', { waiting: MAX_QUEUED })
  ctx.state.queued.push({ documentId, version })
  startNext(ctx)
}

/** Its last key part makes each try a run of its own: a run is never begun twice. */
function startNext(ctx: Ctx): void {
  const { state } = ctx
  while (state.atWork.length < MAX_AT_WORK && state.queued.length > 0) {
    const next = state.queued.shift()!
    const run = ctx.newId()
    state.atWork.push({ ...next, run })
    ctx.spawn(Ingest, ['main', next.documentId, run], next, { fresh: true })
  }
}

/** No version of this document is read any more, or will be. */
export function withdraw(ctx: Ctx, documentId: string, reason: string): boolean {
  const { state } = ctx
  const waiting = state.queued.length
  state.queued = state.queued.filter((one) => one.documentId !== documentId)
  const atWork = state.atWork.filter((one) => one.documentId === documentId)
  for (const { run } of atWork) ctx.stop(Ingest, ['main', documentId, run], reason)
  return atWork.length > 0 || state.queued.length < waiting
}

export async function ingestEnded(ctx: Ctx, child: ChildEnd): Promise<void> {
  const run = child.key.at(-1)
  const ended = ctx.state.atWork.find((one) => one.run === run)
  ctx.state.atWork = ctx.state.atWork.filter((one) => one.run !== run)
  startNext(ctx)
  if (ended === undefined) return
  const sql = await ctx.sql()
  const version = await versionOf(sql, ended.documentId, ended.version)
  if (version === null) return await remindOfAddresses(ctx, sql)
  if (child.state === 'done') {
    // The version before it has had its day.
    if (version.liveVersion === version.version && version.version > 1) sweepSoon(ctx)
    await remindOfAddresses(ctx, sql)
    return
  }
  await settle(
    ctx,
    sql,
    ended,
    child.state === 'stopped' ? { state: 'cancelled' } : { state: 'failed', cause: causeOf(child) },
  )
  await remindOfAddresses(ctx, sql)
  sweepSoon(ctx)
}

/** When the next address is to be read again. */
export async function remindOfAddresses(ctx: Ctx, sql: TenantSql): Promise<void> {
  const at = await nextAddress(sql)
  if (at !== null) ctx.remind('recrawl', Math.max(at, ctx.now + ADDRESS_PAUSE_MS))
}

/** Between two looks at what is due. */
const ADDRESS_PAUSE_MS = 1_000

/** Writes where a version has come to, and says so. */
export async function settle(
  ctx: Ctx,
  sql: TenantSql,
  { documentId, version }: { readonly documentId: string; readonly version: number },
  change: VersionChange,
): Promise<void> {
  await changeVersion(sql, documentId, version, change, ctx.now)
  const row = await versionOf(sql, documentId, version)
  if (row === null || row.deletedAt !== null) return
  const { collection, title, state, pagesDone, pagesTotal, chunks } = row
  say(
    ctx,
    'document:progress',
    { documentId, version, collection, title, state, pagesDone, pagesTotal, chunks, error: change.cause ?? null },
    SCOPE,
  )
}

function causeOf({ error }: ChildEnd): DocumentFailure {
  const told = error ?? { code: 'INTERNAL', message: '', details: {} }
  const { page, reason } = told.details
  return {
    ...failureOf(told),
    reason: typeof reason === 'string' ? reason : told.message,
    page: typeof page === 'number' ? page : null,
  }
}
