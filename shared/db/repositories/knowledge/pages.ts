import type { TenantSql } from '#shared/actor/store.ts'

import { storableText } from '../../storable.ts'

export interface PageRow {
  readonly page: number
  /** Where its text begins in the canonical text, UTF-16 code units. */
  readonly begins: number
  readonly text: string
  readonly blocks: readonly unknown[]
  readonly width: number
  readonly height: number
  readonly ocr: boolean
}

const COLUMNS = 'page, begins, text, blocks, width, height, ocr'

/** Writing one again is harmless: a crashed run reads its last page once more. */
export async function savePages(
  sql: TenantSql,
  document: string,
  version: number,
  pages: readonly PageRow[],
): Promise<void> {
  for (const { page, begins, text, blocks, width, height, ocr } of pages)
    await sql.query(
      `insert into document_pages (tenant, document, version, page, begins, text, blocks, width, height, ocr)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
       on conflict (tenant, document, version, page) do update set begins = excluded.begins, text = excluded.text,
         blocks = excluded.blocks, width = excluded.width, height = excluded.height, ocr = excluded.ocr`,
      [sql.tenant, document, version, page, begins, storableText(text), JSON.stringify(blocks), width, height, ocr],
    )
}

/** In order; `from` and `to` are page numbers, both included. */
export function pagesOf(
  sql: TenantSql,
  document: string,
  version: number,
  from = 0,
  to = 2 ** 31 - 1,
): Promise<PageRow[]> {
  return sql.query<PageRow>(
    `select ${COLUMNS} from document_pages
     where tenant = $1 and document = $2 and version = $3 and page between $4 and $5 order by page`,
    [sql.tenant, document, version, from, to],
  )
}

/** Those that hold a part of this range of the canonical text. */
export function pagesAround(
  sql: TenantSql,
  document: string,
  version: number,
  begins: number,
  ends: number,
): Promise<PageRow[]> {
  return sql.query<PageRow>(
    `select ${COLUMNS} from document_pages
     where tenant = $1 and document = $2 and version = $3 and begins < $5
       and begins >= (select coalesce(max(begins), 0) from document_pages
                      where tenant = $1 and document = $2 and version = $3 and begins <= $4) order by page`,
    [sql.tenant, document, version, begins, ends],
  )
}

/** How far it was read. */
export async function pagesDone(
  sql: TenantSql,
  document: string,
  version: number,
): Promise<{ pages: number; ends: number }> {
  const [row] = await sql.query<{ page: number; begins: number; text: string }>(
    `select page, begins, text from document_pages where tenant = $1 and document = $2 and version = $3
     order by page desc limit 1`,
    [sql.tenant, document, version],
  )
  return row === undefined ? { pages: 0, ends: 0 } : { pages: row.page, ends: row.begins + row.text.length }
}
