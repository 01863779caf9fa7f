import { chunksOfSegment, closeSegment, saveChunks, savePostings } from '#shared/db/repositories/knowledge/chunks.ts'
import { insertCollection } from '#shared/db/repositories/knowledge/collections.ts'
import { insertVersion, saveDocument, switchVersion, versionOf } from '#shared/db/repositories/knowledge/documents.ts'
import { insertGeneration } from '#shared/db/repositories/knowledge/generations.ts'
import { CollectionSettings, DocumentLabels } from '#shared/contracts/knowledge.ts'
import type { Database } from '#shared/db/database.ts'
import { HASHED_DIMENSIONS, HASHED_VERSION, embedHashed } from '#shared/ranking/hashed-embedder.ts'
import { PgVectorStore } from '#shared/vectors/pgvector/pgvector-store.ts'
import { chunkPages } from '#services/knowledge/chunk/chunk-pages.ts'
import { segmentOf } from '#services/knowledge/ingest/index-version.ts'
import type { ParsedPage } from '#services/knowledge/parse/parsed-page.ts'

import { MadeProse } from '../documents/made-prose.ts'
import { quantile } from '../interleave.ts'
import { knowledgeBench } from '../knowledge-bench.ts'
import { searchTimed } from '../retrieval/ask-timed.ts'
import type { Figure } from '../row.ts'

const TENANTS = 200
const QUICK_TENANTS = 3
const DOCUMENTS = 10
const CHUNKS_OF_DOCUMENT = 100
const QUESTIONS = 200
const MOST = 1.5

/**
 * A search of 1,000 chunks, once as the only tenant and once as one of 200 of that size, each asked in turn. The chunks are
 * written as an ingest writes them, through the same repositories, and not over the API, which would take hours.
 */
export const figure: Figure = {
  name: 'query-tenants',
  async run({ quick, say }) {
    const names = Array.from({ length: quick ? QUICK_TENANTS : TENANTS }, (_, at) => `t${at}`)
    const bench = await knowledgeBench(names, say)
    const head = { name: 'query-tenants', unit: 'ms', bar: `<= ${MOST}x` }
    if ('problem' in bench)
      return [{ ...head, value: null, baseline: null, ratio: null, ok: null, note: bench.problem }]
    try {
      const documents = quick ? 1 : DOCUMENTS
      const questions = new Map<string, readonly string[]>()
      const ask = async (tenants: readonly string[]): Promise<number> => {
        const times: number[] = []
        for (let at = 0; at < (quick ? 6 : QUESTIONS); at += 1) {
          const tenant = tenants[at % tenants.length]!
          const own = questions.get(tenant)!
          times.push((await searchTimed(bench.reach(tenant), own[Math.floor(at / tenants.length) % own.length]!)).ms)
        }
        return quantile(times, 0.95)
      }
      questions.set(names[0]!, await fill(bench.database, names[0]!, { documents, seed: 1, questions: QUESTIONS }))
      await bench.analyze()
      await ask([names[0]!])
      const baseline = await ask([names[0]!])
      for (const [at, name] of names.slice(1).entries()) {
        questions.set(name, await fill(bench.database, name, { documents, seed: at + 2, questions: 1 }))
        if ((at + 1) % 20 === 0) say(`${at + 1} of ${names.length - 1} tenants filled`)
      }
      await bench.analyze()
      await ask(names)
      const value = await ask(names)
      const note = `p95 of ${QUESTIONS} questions, ${names.length} tenants of ${documents * CHUNKS_OF_DOCUMENT} chunks`
      return [{ ...head, value, baseline, ratio: value / baseline, ok: value <= MOST * baseline, note }]
    } finally {
      await bench.stop()
    }
  },
}

/** Gives questions about what it has written. */
async function fill(
  database: Database,
  tenant: string,
  { documents, seed, questions }: { documents: number; seed: number; questions: number },
): Promise<readonly string[]> {
  const store = new PgVectorStore(database)
  const prose = new MadeProse(seed)
  const index = { collection: 'main', generation: 1, dimensions: HASHED_DIMENSIONS }
  const now = Date.now()
  await database.tenant(tenant, async (sql) => {
    await insertCollection(
      sql,
      { id: 'main', title: 'main', description: '', settings: CollectionSettings.parse({}) },
      now,
    )
    const about = {
      embedder: HASHED_VERSION,
      dimensions: HASHED_DIMENSIONS,
      settings: { provider: 'builtin' },
      state: 'active' as const,
    }
    await insertGeneration(sql, 'main', about, now)
  })
  for (let at = 0; at < documents; at += 1) {
    const id = `d${at}`
    const text = Array.from({ length: CHUNKS_OF_DOCUMENT }, () => prose.paragraph(170))
    const blocks = text.map((one) => ({ kind: 'paragraph' as const, level: 0, text: one, lines: [], header: '' }))
    const page: ParsedPage = { number: 1, width: 0, height: 0, blocks, ocr: false }
    const chunks = chunkPages([page], CollectionSettings.parse({}).chunks)
    const { rows, postings, length } = segmentOf(chunks, id)
    await database.tenant(tenant, async (sql) => {
      const source = { kind: 'upload' as const, name: `${id}.txt` }
      await saveDocument(
        sql,
        { id, collection: 'main', source, labels: DocumentLabels.parse({ title: id }), recrawlMs: null, by: 'bench' },
        now,
      )
      const version = await insertVersion(sql, id, { hash: null, bytes: 0, name: '', mime: '' }, now)
      const segment = (await versionOf(sql, id, version))!
      await saveChunks(sql, segment, rows)
      await savePostings(sql, segment, postings)
      await closeSegment(sql, segment, { chunks: rows.length, length, tokens: 0, languages: ['en'] })
      const stored = await chunksOfSegment(sql, segment.segment, 0, rows.length)
      const points = stored.map((chunk) => ({
        segment: segment.segment,
        ordinal: chunk.ordinal,
        vector: embedHashed({ text: chunk.text }),
      }))
      await store.write(sql, index, points)
      await switchVersion(sql, id, version, now)
    })
  }
  return Array.from({ length: questions }, () => prose.question())
}
