import type { TenantSql } from '#shared/actor/store.ts'

export interface GenerationRow {
  readonly generation: number
  readonly embedder: string
  readonly dimensions: number
  /** What the embedder is made of: `EmbedderSettings`. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Holds the model of an embedder that was fitted to the collection: `modelOf`. */
  readonly fitted: boolean
  readonly state: 'building' | 'active' | 'retired' | 'failed'
  readonly chunks: number
  readonly note: string
  /** With its collection and number it names one generation for ever, also where a collection is removed and made again. */
  readonly createdAt: number
}

const COLUMNS = `generation, embedder, dimensions, settings, model is not null as fitted, state, chunks, note,
  created_at as "createdAt"`

/** The next one of a collection; the first is its active one at once. */
export async function insertGeneration(
  sql: TenantSql,
  collection: string,
  {
    embedder,
    dimensions,
    settings,
    state,
  }: Pick<GenerationRow, 'embedder' | 'dimensions' | 'settings'> & { readonly state: 'building' | 'active' },
  now: number,
): Promise<number> {
  const [row] = await sql.query<{ generation: number }>(
    `insert into generations (tenant, collection, generation, embedder, dimensions, settings, state, created_at, changed_at)
     select $1, $2, coalesce(max(generation), 0) + 1, $3, $4, $5, $6, $7, $7
     from generations where tenant = $1 and collection = $2 returning generation`,
    [sql.tenant, collection, embedder, dimensions, JSON.stringify(settings), state, now],
  )
  if (state === 'active') await useGeneration(sql, collection, row!.generation, now)
  return row!.generation
}

/** Searches ask this one from the commit on; the one before is kept, to go back to. */
export async function useGeneration(
  sql: TenantSql,
  collection: string,
  generation: number,
  now: number,
): Promise<void> {
  await sql.query(
    `update generations set state = case when generation = $3 then 'active' else 'retired' end, changed_at = $4
     where tenant = $1 and collection = $2 and (generation = $3 or state = 'active')`,
    [sql.tenant, collection, generation, now],
  )
  await sql.query('update collections set generation = $3, updated_at = $4 where tenant = $1 and id = $2', [
    sql.tenant,
    collection,
    generation,
    now,
  ])
}

export async function changeGeneration(
  sql: TenantSql,
  collection: string,
  generation: number,
  change: {
    readonly state?: GenerationRow['state']
    readonly chunks?: number
    readonly note?: string
    readonly model?: Uint8Array
  },
  now: number,
): Promise<void> {
  await sql.query(
    `update generations set state = coalesce($4, state), chunks = coalesce($5, chunks), note = coalesce($6, note),
       model = coalesce($7, model), changed_at = $8
     where tenant = $1 and collection = $2 and generation = $3`,
    [
      sql.tenant,
      collection,
      generation,
      change.state ?? null,
      change.chunks ?? null,
      change.note ?? null,
      change.model ?? null,
      now,
    ],
  )
}

export async function generationOf(
  sql: TenantSql,
  collection: string,
  generation: number,
): Promise<GenerationRow | null> {
  const [row] = await sql.query<GenerationRow>(
    `select ${COLUMNS} from generations where tenant = $1 and collection = $2 and generation = $3`,
    [sql.tenant, collection, generation],
  )
  return row ?? null
}

/** Megabytes: read once by whoever embeds with it. */
export async function modelOf(sql: TenantSql, collection: string, generation: number): Promise<Uint8Array | null> {
  const [row] = await sql.query<{ model: Uint8Array | null }>(
    'select model from generations where tenant = $1 and collection = $2 and generation = $3',
    [sql.tenant, collection, generation],
  )
  return row?.model ?? null
}

export function generationsOf(sql: TenantSql, collection: string): Promise<GenerationRow[]> {
  return sql.query<GenerationRow>(
    `select ${COLUMNS} from generations where tenant = $1 and collection = $2 order by generation`,
    [sql.tenant, collection],
  )
}
