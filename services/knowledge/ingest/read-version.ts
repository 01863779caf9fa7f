import type { RunContext } from '#shared/actor/definition.ts'
import { changeVersion, relabelDocument, titleOf } from '#shared/db/repositories/knowledge/documents.ts'
import type { VersionRow } from '#shared/db/repositories/knowledge/documents.ts'
import { pagesDone, savePages } from '#shared/db/repositories/knowledge/pages.ts'
import type { CollectionSettings } from '#shared/contracts/knowledge.ts'
import type { ErrorCode } from '#shared/errors/catalogue.ts'
import { WaggleError, refuse } from '#shared/errors/waggle-error.ts'
import { SEPARATOR, pageText } from '../parse/canonical-text.ts'
import { DEFAULT_LIMITS } from '../parse/limits.ts'
import type { ParsedPage } from '../parse/parsed-page.ts'
import type { KnowledgeParts } from '../parts.ts'
import { readBlob } from './content.ts'
import { guardPage, guardText } from './guard-page.ts'
import { PageWriter } from './page-writer.ts'
import type { Progress } from './progress.ts'

/** Reads what is not read yet, a page at a time, stored while the next ones are read. Returns the number of pages. */
export async function readVersion(
  parts: KnowledgeParts,
  ctx: RunContext,
  row: VersionRow & { readonly hash: string },
  settings: CollectionSettings,
  progress: Progress,
): Promise<number> {
  const { document, version } = row
  const done = await ctx.sql((sql) => pagesDone(sql, document, version))
  if (done.pages > 0 && done.pages === row.pagesTotal) return done.pages
  const bytes = await readBlob(parts.objects, (work) => ctx.sql(work), row.hash)
  await progress.reach('parsing', { pagesDone: done.pages })
  let { ends } = done
  let pagesTotal: number | null = null
  const writer = new PageWriter(async (pages) => {
    const last = pages.at(-1)!.page
    await ctx.sql(async (sql) => {
      await savePages(sql, document, version, pages)
      await changeVersion(sql, document, version, { pagesDone: last, pagesTotal }, ctx.now())
    })
    progress.page(last, pagesTotal)
  })
  const onPage = async (given: ParsedPage, total: number | null): Promise<void> => {
    if (given.ocr) await progress.reach('ocr')
    const page = settings.guarded ? await guardPage(ctx, given) : given
    const begins = page.number === 1 ? 0 : ends + SEPARATOR.length
    const text = pageText(page)
    ends = begins + text.length
    const { number, blocks, width, height, ocr } = page
    pagesTotal = total
    await writer.add({ page: number, begins, text, blocks, width, height, ocr })
  }
  const outcome = await parts
    .parse(
      { bytes, mime: row.mime, name: row.name, from: done.pages + 1 },
      { signal: ctx.signal, onPage, limits: DEFAULT_LIMITS },
    )
    .catch((error: unknown) => {
      throw error instanceof WaggleError && OF_THE_FILE.has(error.code) ? refuse(error.code, error.details) : error
    })
  await writer.flush()
  // It is named by its file or address until its own title is known; a title that somebody gave stays.
  const own = row.title === titleOf(row.source) ? outcome.title : ''
  // A title is a piece of the text, most often its first heading.
  const title = settings.guarded ? await guardText(ctx, own, null) : own
  await ctx.sql(async (sql) => {
    await changeVersion(sql, document, version, { pagesTotal: outcome.pages, pagesDone: outcome.pages }, ctx.now())
    if (title !== '') await relabelDocument(sql, document, { title: title.slice(0, MAX_TITLE_CHARS) }, ctx.now())
  })
  return outcome.pages
}

const MAX_TITLE_CHARS = 300
/** What is wrong with a file is wrong the next time too: the run ends with it instead of being tried again. */
const OF_THE_FILE: ReadonlySet<string> = new Set([
  'DOCUMENT_UNREADABLE',
  'DOCUMENT_TYPE',
  'DOCUMENT_TOO_LARGE',
  'DOCUMENT_TOO_SLOW',
  'MEDIA_TOOL_MISSING',
] satisfies ErrorCode[])
