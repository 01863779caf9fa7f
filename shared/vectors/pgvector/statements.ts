/** The SQL of PgVectorStore. Texts differ by what is asked and by dimensions, never by a name: those are parameters. */
import type { VectorPart } from '../vector-store.ts'

const PLACE = 'tenant = $1 and collection = $2 and generation = $3'

export const WRITE = `
  insert into chunk_vectors (tenant, collection, generation, segment, ordinal, vector)
  select $1, $2, $3, segment, ordinal, vector::halfvec
  from unnest($4::bigint[], $5::integer[], $6::text[]) as point (segment, ordinal, vector)
  on conflict (tenant, collection, generation, segment, ordinal) do update set vector = excluded.vector`

/** Of any point that is there. */
export const DIMENSIONS_THERE = `select vector_dims(vector) as dimensions from chunk_vectors where ${PLACE} limit 1`

/** The plain column, which no approximate index is on: always every point that passes. */
export function exactStatement(filtered: boolean): string {
  return `select segment, ordinal, -(vector <#> $4::halfvec) as score from chunk_vectors
    where ${PLACE} ${filtered ? 'and segment = any ($6::bigint[])' : ''}
    order by vector <#> $4::halfvec, segment, ordinal limit $5`
}

/** The expression that the index is on. */
export function approximateStatement(dimensions: number, filtered: boolean): string {
  const distance = `(vector::halfvec(${dimensions})) <#> $4::halfvec(${dimensions})`
  return `select segment, ordinal, -(${distance}) as score from chunk_vectors
    where ${PLACE} ${filtered ? 'and segment = any ($6::bigint[])' : ''}
    order by ${distance} limit $5`
}

/** How many points pass, as far as `$4`; no more are counted. */
export function passingStatement(filtered: boolean): string {
  return `select count(*)::integer as passing from (
    select from chunk_vectors where ${PLACE} ${filtered ? 'and segment = any ($5::bigint[])' : ''} limit $4) as points`
}

/**
 * Whether the index of this name can be used; and if so, the settings under which it is, with what they were.
 *
 * A plan for any parameters cannot use a partial index, one for these values can (`plan_cache_mode`). That it does is not
 * left to statistics, which take a new generation for empty: without sorting there is only the index's order.
 * `iterative_scan` goes on until enough points pass the filter.
 */
export const USE_INDEX = `
  select built,
    array[current_setting('plan_cache_mode'), current_setting('enable_sort')] as before,
    case when built then array[
      set_config('plan_cache_mode', 'force_custom_plan', true),
      set_config('enable_sort', 'off', true),
      set_config('hnsw.iterative_scan', 'strict_order', true),
      set_config('hnsw.ef_search', $2, true)] end as during
  from (select coalesce((select indisvalid from pg_index where indexrelid = to_regclass($1)), false) as built) as index`

export const AS_BEFORE = `select set_config('plan_cache_mode', $1, true), set_config('enable_sort', $2, true)`

/** A bounded number of rows; the caller repeats it until none is left. */
export function dropStatement(part: VectorPart): string {
  return `with gone as (
      delete from chunk_vectors where ctid = any (array(select ctid from chunk_vectors where ${whereOf(part)} limit $3))
      returning 1)
    select count(*)::integer as rows from gone`
}

export function countStatement(part: VectorPart): string {
  return `select count(*) as points from chunk_vectors where ${whereOf(part, 3)}`
}

function whereOf(part: VectorPart, first = 4): string {
  let next = first
  const generation = part.generation === undefined ? '' : ` and generation = $${next++}`
  const segment = part.segment === undefined ? '' : ` and segment = $${next++}`
  return `tenant = $1 and collection = $2${generation}${segment}`
}

/** In the order of `whereOf`. */
export function partValues({ generation, segment }: VectorPart): number[] {
  return [generation, segment].filter((value) => value !== undefined)
}
