import type { KnowledgeAnswer, SearchResult } from '#shared/contracts/knowledge.ts'
import { giveAll, knowledgeBench } from '../knowledge-bench.ts'
import type { KnowledgeBench } from '../knowledge-bench.ts'
import type { KnowledgeClient } from '#test/kit/knowledge.ts'
import type { Answerer } from './evaluate.ts'
import type { Paragraph } from './xquad.ts'

const TENANT = 'acme'
const COLLECTION = 'xquad'
const DEPTH = 10

export interface OverApi {
  /** Of passages and quotes, by the ids of the paragraphs. */
  readonly answer: Answerer
  readonly ask: (question: string) => Promise<KnowledgeAnswer>
  readonly client: KnowledgeClient
  readonly bench: KnowledgeBench
}

/** The whole pipeline over the API: each paragraph a document of its own, titled by its article. */
export async function paragraphsOverApi(
  paragraphs: readonly Paragraph[],
  say: (line: string) => void,
): Promise<OverApi | { readonly problem: string }> {
  const bench = await knowledgeBench([TENANT], say)
  if ('problem' in bench) return bench
  const client = await bench.client(TENANT)
  await client.collection(COLLECTION)
  const documents = paragraphs.map(({ id, title, text }) => ({ name: `${id}.txt`, title, text }))
  const ids = await giveAll(client, COLLECTION, documents, say)
  await bench.analyze()
  const paragraphOf = new Map(ids.map((id, at) => [id, paragraphs[at]!.id]))
  const ask = (question: string): Promise<KnowledgeAnswer> =>
    client.call('POST', 'query', { question, collections: [COLLECTION], keep: false })
  return {
    bench,
    client,
    ask,
    answer: async (question) => {
      const body = { question, collections: [COLLECTION], limit: DEPTH }
      const [found, answered] = [await client.call<SearchResult>('POST', 'search', body), await ask(question)]
      return {
        ranked: found.passages.map(({ documentId }) => paragraphOf.get(documentId) ?? ''),
        quotes: answered.citations.map(({ quote }) => quote),
      }
    },
  }
}
