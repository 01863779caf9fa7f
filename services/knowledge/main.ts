import type { Config } from '#shared/config/config.ts'
import { BLOBS } from '#shared/contracts/ingestion.ts'
import type { Database } from '#shared/db/database.ts'
import { DEFAULT_PORTS } from '#shared/lib/outbound/address-rules.ts'
import { guardedAgent } from '#shared/lib/outbound/guarded-agent.ts'
import { runService } from '#shared/service/service.ts'
import type { Service } from '#shared/service/service.ts'
import { PgVectorStore } from '#shared/vectors/pgvector/pgvector-store.ts'
import { QdrantStore } from '#shared/vectors/qdrant/qdrant-store.ts'
import type { VectorStore } from '#shared/vectors/vector-store.ts'
import { embedderSource, rerankerSource } from './embedders.ts'
import { generationOf } from './generation.actor.ts'
import { fetchSource } from './ingest/fetch-source.ts'
import { ingestOf } from './ingest.actor.ts'
import { ingestion } from './ingestion.actor.ts'
import { knowledgePool } from './knowledge.actor.ts'
import { openParser } from './parse/parse-document.ts'
import type { KnowledgeParts } from './parts.ts'
import { sweepOf } from './sweep.actor.ts'

export interface KnowledgeSettings {
  /** `host:port` of services that may be read though they are not public: the operator's own. */
  readonly allow?: readonly string[]
}

/** The knowledge role: reading documents, and answering from them. `close` ends its threads and idle connections. */
export async function hostKnowledge(
  {
    system,
    database,
    transport,
    secrets,
    config,
  }: Pick<Service, 'system' | 'database' | 'transport' | 'secrets' | 'config'>,
  settings: KnowledgeSettings = {},
): Promise<{ close: () => Promise<void> }> {
  const rules = { allow: settings.allow ?? [], ports: DEFAULT_PORTS }
  const agent = guardedAgent(rules)
  const parser = openParser()
  const line = { database, secrets, agent, rules }
  const parts: KnowledgeParts = {
    database,
    objects: await transport.objects(BLOBS),
    vectors: vectorStore(config, database),
    parse: (input, ports) => parser.parseDocument(input, ports),
    embedder: embedderSource(line),
    reranker: rerankerSource(line),
    fetchSource: (url, signal) => fetchSource(agent, rules, url, signal),
  }
  system.host(ingestion, ingestOf(parts), generationOf(parts), sweepOf(parts), knowledgePool(parts))
  return {
    close: async () => {
      await parser.close()
      await agent.close()
    },
  }
}

function vectorStore({ qdrant }: Config, database: Database): VectorStore {
  if (qdrant.url === null) return new PgVectorStore(database)
  return new QdrantStore({ url: qdrant.url, ...(qdrant.apiKey === null ? {} : { apiKey: qdrant.apiKey }) })
}

if (import.meta.main)
  await runService(
    'knowledge',
    async (service) => void (await hostKnowledge(service, { allow: service.config.tools.allow })),
  )
