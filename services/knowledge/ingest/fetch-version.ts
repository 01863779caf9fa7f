import type { RunContext } from '#shared/actor/definition.ts'
import { keepBlob } from '#shared/db/repositories/knowledge/blobs.ts'
import { changeVersion, dropUnchanged, versionOf } from '#shared/db/repositories/knowledge/documents.ts'
import type { VersionRow } from '#shared/db/repositories/knowledge/documents.ts'
import { refuse } from '#shared/errors/waggle-error.ts'
import { storeContent } from '#shared/transport/store-content.ts'
import type { KnowledgeParts } from '../parts.ts'
import { hashOf } from './content.ts'
import type { Progress } from './progress.ts'

/** Reads the address of a version and keeps what is there. Null when it is what the live version has already. */
export async function fetchVersion(
  parts: KnowledgeParts,
  ctx: RunContext,
  row: VersionRow,
  progress: Progress,
): Promise<string | null> {
  if (row.source.kind !== 'url') throw refuse('NOT_FOUND', { document: row.document, reason: 'It has no content.' })
  await progress.reach('fetching')
  const { bytes, mime } = await parts.fetchSource(row.source.url, ctx.signal)
  const hash = hashOf(bytes)
  const { liveVersion } = row
  const live = liveVersion === null ? null : await ctx.sql((sql) => versionOf(sql, row.document, liveVersion))
  if (live?.hash === hash) {
    await ctx.sql((sql) => dropUnchanged(sql, row.document, row.version, ctx.now()))
    return null
  }
  const stored = await storeContent(parts.objects, ctx.tenant, once(bytes), bytes.byteLength)
  await ctx.sql(async (sql) => {
    await keepBlob(sql, stored, ctx.now())
    await changeVersion(sql, row.document, row.version, { hash, bytes: bytes.byteLength, mime }, ctx.now())
  })
  return hash
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
