import { QdrantClient } from '@qdrant/js-client-rest'

import { WaggleError, coerceError } from '#shared/errors/waggle-error.ts'

import { batchesOf, ranked, requireLimit, tenantOf } from '../store-query.ts'
import { requireDimensions, unitVector } from '../unit-vector.ts'
import type {
  NearestQuery,
  VectorHit,
  VectorIndex,
  VectorPart,
  VectorPoint,
  VectorScope,
  VectorStore,
} from '../vector-store.ts'
import { qdrantError, statusOf } from './qdrant-error.ts'
import { checkedHit, partFilter, pointId } from './qdrant-place.ts'
import type { PlacePayload } from './qdrant-place.ts'

export interface QdrantOptions {
  readonly url: string
  readonly apiKey?: string
  /** What its collections are called, before the dimensions. */
  readonly prefix?: string
  readonly timeoutMs?: number
}

const PREFIX = 'waggle-chunks'
const TIMEOUT_MS = 10_000
const CONNECTIONS = 32
/** The one named vector of a collection. */
const VECTOR = 'embedding'
/** Links of a point to others of its tenant; none to anybody else's. */
const TENANT_LINKS = 16
const WRITE_BATCH = 200

/**
 * Vectors in a Qdrant server: one collection for each number of dimensions, shared by all tenants as its maker advises.
 * The tenant is a payload field with a tenant index, every request filters by it, and every point that comes back is
 * checked to be one of those asked for (qdrant-place.ts). Not transactional: call it from an outbox or a job.
 *
 * Owns: which collections it has seen to exist (`#prepared`), so that each is looked for once a process.
 */
export class QdrantStore implements VectorStore {
  readonly transactional = false
  readonly #client: QdrantClient
  readonly #prefix: string
  readonly #prepared = new Map<string, Promise<void>>()

  constructor(options: QdrantOptions) {
    const { url, apiKey, prefix = PREFIX, timeoutMs = TIMEOUT_MS } = options
    const { port, protocol } = new URL(url)
    this.#client = new QdrantClient({
      url,
      // Without one it would take its own default instead of the URL's.
      port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
      // As its own option the key makes it write to the console when the server is reached without TLS.
      ...(apiKey !== undefined && { headers: { 'api-key': apiKey } }),
      timeout: timeoutMs,
      maxConnections: CONNECTIONS,
      // It would ask the server in the background and write to the console.
      checkCompatibility: false,
    })
    this.#prefix = prefix
  }

  async prepare(scope: VectorScope, index: VectorIndex): Promise<void> {
    tenantOf(scope)
    requireDimensions(index)
    const name = this.#nameOf(index)
    let preparing = this.#prepared.get(name)
    if (preparing === undefined) {
      preparing = this.#call(() => this.#makeCollection(name, index.dimensions))
      this.#prepared.set(name, preparing)
      preparing.catch(() => this.#prepared.delete(name))
    }
    await preparing
  }

  async write(scope: VectorScope, index: VectorIndex, points: readonly VectorPoint[]): Promise<void> {
    const tenant = tenantOf(scope)
    const { collection, generation } = index
    const rows = points.map((point) => {
      const payload: PlacePayload = {
        tenant,
        collection,
        generation,
        segment: point.segment,
        ordinal: point.ordinal,
      }
      return { id: pointId(payload), payload, vector: { [VECTOR]: [...unitVector(point.vector, index)] } }
    })
    if (rows.length === 0) return
    await this.prepare(scope, index)
    for (const batch of batchesOf(rows, WRITE_BATCH)) {
      await this.#call(() => this.#client.upsert(this.#nameOf(index), { wait: true, points: [...batch] }))
    }
  }

  async nearest(scope: VectorScope, index: VectorIndex, query: NearestQuery): Promise<VectorHit[]> {
    const tenant = tenantOf(scope)
    requireLimit(query.limit)
    const vector = unitVector(query.vector, index)
    if (query.segments?.length === 0) return []
    const { collection, generation } = index
    const filter = partFilter(tenant, { collection, generation }, query.segments)
    const segments = query.segments === null ? null : new Set(query.segments)
    const search = async (exact: boolean): Promise<VectorHit[]> => {
      const answer = await this.#ifThere({ points: [] }, () =>
        this.#client.query(this.#nameOf(index), {
          query: [...vector],
          using: VECTOR,
          filter,
          limit: query.limit,
          params: { exact },
          with_payload: true,
          with_vector: false,
        }),
      )
      return answer.points.map((point) => checkedHit(point, { tenant, index, segments }))
    }
    const found = await search(false)
    if (found.length >= query.limit || (await this.#countIn(this.#nameOf(index), filter)) <= found.length) {
      return ranked(found)
    }
    return ranked(await search(true))
  }

  async count(scope: VectorScope, part: VectorPart): Promise<number> {
    const filter = partFilter(tenantOf(scope), part)
    const counts = await Promise.all((await this.#names()).map((name) => this.#countIn(name, filter)))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  async drop(scope: VectorScope, part: VectorPart): Promise<void> {
    const filter = partFilter(tenantOf(scope), part)
    for (const name of await this.#names()) {
      await this.#ifThere(null, () => this.#client.delete(name, { wait: true, filter }))
    }
  }

  /** Qdrant decides by itself, for each filter, whether to compare all or to walk its graph. */
  ensureIndex(_tenant: string, index: VectorIndex, _count: number): Promise<'exact' | 'approximate'> {
    requireDimensions(index)
    return Promise.resolve('approximate')
  }

  dropGeneration(tenant: string, { collection, generation }: VectorIndex): Promise<void> {
    return this.drop(tenant, { collection, generation })
  }

  #nameOf({ dimensions }: VectorIndex): string {
    return `${this.#prefix}-d${dimensions}`
  }

  async #names(): Promise<string[]> {
    const { collections } = await this.#call(() => this.#client.getCollections())
    const start = `${this.#prefix}-d`
    return collections
      .map(({ name }) => name)
      .filter((name) => name.startsWith(start) && /^\d+$/.test(name.slice(start.length)))
  }

  async #countIn(name: string, filter: ReturnType<typeof partFilter>): Promise<number> {
    return (await this.#ifThere({ count: 0 }, () => this.#client.count(name, { filter, exact: true }))).count
  }

  async #makeCollection(name: string, dimensions: number): Promise<void> {
    const { exists } = await this.#client.collectionExists(name)
    if (!exists) {
      const created = this.#client.createCollection(name, {
        vectors: { [VECTOR]: { size: dimensions, distance: 'Dot', datatype: 'float16' } },
        hnsw_config: { m: 0, payload_m: TENANT_LINKS },
      })
      await created.catch((thrown: unknown) => {
        if (statusOf(coerceError(thrown)) !== 409) throw thrown // else another process was faster
      })
    }
    const { config } = await this.#client.getCollection(name)
    const made: unknown = (config.params.vectors as Record<string, unknown> | undefined)?.[VECTOR]
    if (!isMadeFor(made, dimensions)) {
      throw new WaggleError('CONFIG', { reason: `The collection ${name} of QDRANT_URL was made for something else.` })
    }
    // Harmless where they exist.
    const field = (field_name: string, field_schema: FieldSchema): Promise<unknown> =>
      this.#client.createPayloadIndex(name, { field_name, field_schema, wait: true })
    await field('tenant', { type: 'keyword', is_tenant: true })
    await field('collection', { type: 'keyword' })
    await field('generation', { type: 'integer', lookup: true, range: false })
    await field('segment', { type: 'integer', lookup: true, range: false })
  }

  async #call<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (thrown) {
      throw qdrantError(thrown)
    }
  }

  /** A collection that nobody has written to yet is one without points. */
  async #ifThere<Result>(otherwise: Result, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (thrown) {
      if (statusOf(coerceError(thrown)) === 404) return otherwise
      throw qdrantError(thrown)
    }
  }
}

type FieldSchema = NonNullable<Parameters<QdrantClient['createPayloadIndex']>[1]['field_schema']>

function isMadeFor(made: unknown, dimensions: number): boolean {
  if (typeof made !== 'object' || made === null) return false
  return Reflect.get(made, 'size') === dimensions && Reflect.get(made, 'distance') === 'Dot'
}
