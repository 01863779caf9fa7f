import { z } from 'zod'
import { ask, pool, stream } from '#shared/actor/contract.ts'
import { Citation, DocumentFailure, DocumentState } from './event-map.ts'

/** Plain, as it stands in addresses and subjects. */
export const CollectionName = z
  .string()
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/)
  .max(40)

export const MAX_QUESTION_CHARS = 4_000
export const MAX_CURATED_CHARS = 8_000

/** How a collection's documents are cut; sizes in tokens. */
export const ChunkSettings = z.object({
  kind: z.enum(['auto', 'page', 'rows', 'qa', 'sentences']).default('auto'),
  maxTokens: z.number().int().min(50).max(2_000).default(400),
  minTokens: z.number().int().min(0).max(500).default(60),
  /** Long documents: small chunks are found, the larger one around them is read. */
  parents: z.boolean().default(false),
})
export type ChunkSettings = z.infer<typeof ChunkSettings>

export const EmbedderSettings = z.object({
  provider: z.enum(['builtin', 'openai', 'ollama', 'google', 'cohere']).default('builtin'),
  model: z.string().max(120).default(''),
  dimensions: z.number().int().min(16).max(4_000).optional(),
  baseUrl: z.url().optional(),
  /** Name of the tenant's stored secret that holds the key. */
  secret: z.string().max(120).optional(),
})
export type EmbedderSettings = z.infer<typeof EmbedderSettings>

export const RerankerSettings = z.object({
  provider: z.enum(['cohere', 'jina']),
  model: z.string().max(120),
  baseUrl: z.url().optional(),
  secret: z.string().max(120).optional(),
})

export const CollectionSettings = z.object({
  chunks: ChunkSettings.prefault({}),
  embedder: EmbedderSettings.prefault({}),
  reranker: RerankerSettings.nullable().default(null),
  /** A word and what else it is called. */
  glossary: z.record(z.string().max(80), z.array(z.string().max(80)).max(20)).default({}),
  /** Share of a question that must be covered for the documents to hold an answer; null: the measured default. */
  minCoverage: z.number().min(0).max(1).nullable().default(null),
  /** Each block passes the tenant's guardrails of the stage tool_result before it is stored. */
  guarded: z.boolean().default(false),
  /** Likeness from which a curated answer is said without asking a model. */
  curatedFloor: z.number().min(0).max(1).default(0.85),
})
export type CollectionSettings = z.infer<typeof CollectionSettings>

export const Collection = z.object({
  id: CollectionName,
  title: z.string(),
  description: z.string(),
  settings: CollectionSettings,
  generation: z.number().int(),
  documents: z.number().int(),
  chunks: z.number().int(),
  bytes: z.number(),
  createdAt: z.number(),
  updatedAt: z.number(),
})
export type Collection = z.infer<typeof Collection>

export const DocumentSource = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('upload'), name: z.string().max(300) }),
  z.object({ kind: z.literal('url'), url: z.url().max(2_000) }),
])
export type DocumentSource = z.infer<typeof DocumentSource>

/** Words that a document is found by, beside its text. */
export const DocumentLabels = z.object({
  title: z.string().max(300).default(''),
  tags: z.array(z.string().min(1).max(80)).max(50).default([]),
  metadata: z.record(z.string().max(80), z.string().max(1_000)).default({}),
  /** `user:…` and `role:…` who may find it; none: everybody of the tenant. */
  access: z
    .array(z.string().regex(/^(?:user|role):.{1,120}$/))
    .max(200)
    .default([]),
})
export type DocumentLabels = z.infer<typeof DocumentLabels>

export const DocumentSummary = z.object({
  id: z.string(),
  collection: z.string(),
  title: z.string(),
  source: DocumentSource,
  mime: z.string(),
  tags: z.array(z.string()),
  metadata: z.record(z.string(), z.string()),
  access: z.array(z.string()),
  /** Of the version that was given last; an older one may still be the one that is found. */
  state: DocumentState,
  version: z.number().int(),
  liveVersion: z.number().int().nullable(),
  pagesDone: z.number().int(),
  pagesTotal: z.number().int().nullable(),
  chunks: z.number().int(),
  tokens: z.number().int(),
  bytes: z.number(),
  language: z.string(),
  error: DocumentFailure.nullable(),
  createdAt: z.number(),
  updatedAt: z.number(),
})
export type DocumentSummary = z.infer<typeof DocumentSummary>

export const SearchFilter = z.object({
  tags: z.array(z.string().max(80)).max(50).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  documents: z.array(z.string().max(64)).max(1_000).optional(),
})

export const SearchRequest = z.object({
  question: z.string().min(1).max(MAX_QUESTION_CHARS),
  /** None: all of the tenant. */
  collections: z.array(CollectionName).max(20).default([]),
  filter: SearchFilter.prefault({}),
  limit: z.number().int().min(1).max(100).default(8),
  explain: z.boolean().default(false),
  /** It is asked in order to answer: a curated answer is looked for, and a question without one is kept. */
  answering: z.boolean().default(false),
})
export type SearchRequest = z.infer<typeof SearchRequest>

export const FoundPassage = z.object({
  /** `<document>.<version>.<ordinal>` */
  id: z.string(),
  documentId: z.string(),
  version: z.number().int(),
  collection: z.string(),
  title: z.string(),
  headings: z.array(z.string()),
  /** Of a table that is cut: its header row. */
  header: z.string(),
  text: z.string(),
  /** Of the canonical text, UTF-16 code units. */
  start: z.number().int(),
  end: z.number().int(),
  pages: z.tuple([z.number().int(), z.number().int()]),
  language: z.string(),
  score: z.number(),
  explain: z.record(z.string(), z.unknown()).nullable(),
})
export type FoundPassage = z.infer<typeof FoundPassage>

export const SearchResult = z.object({
  passages: z.array(FoundPassage),
  /** Share of the question's weight that the passages cover, 0 to 1. */
  coverage: z.number(),
  /** Whether that is enough for an answer. */
  covered: z.boolean(),
  /** What a person has answered to this question, where one is near enough. */
  curated: z.object({ id: z.string(), answer: z.string() }).nullable(),
  /** Terms that were added to the question. */
  expanded: z.array(z.string()),
  /** How many chunks hold a term of the question, for judging quotes. */
  rarity: z.record(z.string(), z.number()),
  /** Chunks that were searched. */
  total: z.number().int(),
  ms: z.number(),
})
export type SearchResult = z.infer<typeof SearchResult>

export const AnswerRequest = SearchRequest.omit({ explain: true, limit: true, answering: true }).extend({
  /** Whether it is kept in the history of who asks, and among the unanswered ones. */
  keep: z.boolean().default(true),
})
export const KnowledgeAnswer = z.object({
  id: z.string(),
  answer: z.string(),
  citations: z.array(Citation),
  covered: z.boolean(),
  coverage: z.number(),
  /** Titles that are nearest, when the documents hold no answer. */
  nearest: z.array(z.string()),
  /** The curated answer that was given, or null. */
  curated: z.string().nullable(),
  ms: z.number(),
})
export type KnowledgeAnswer = z.infer<typeof KnowledgeAnswer>

/** An answer as it is made: what was found, its text, and at last the whole, whose citations have been checked. */
export const KnowledgePiece = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('passages'), passages: z.array(FoundPassage), coverage: z.number() }),
  z.object({ kind: z.literal('text'), text: z.string() }),
  z.object({ kind: z.literal('answer'), answer: KnowledgeAnswer }),
])
export type KnowledgePiece = z.infer<typeof KnowledgePiece>

export const PassageRequest = z.object({
  documentId: z.string().max(64),
  version: z.number().int().positive(),
  start: z.number().int().nonnegative(),
  end: z.number().int().positive(),
})
export const PassageView = z.object({
  documentId: z.string(),
  version: z.number().int(),
  title: z.string(),
  page: z.number().int(),
  before: z.string(),
  text: z.string(),
  after: z.string(),
  /** Left, top, right, bottom of each line, in points from the top left. */
  boxes: z.array(z.object({ page: z.number().int(), box: z.array(z.number()) })),
  /** How large the pages with boxes are, in points. */
  sheets: z.array(z.object({ page: z.number().int(), width: z.number(), height: z.number() })),
})
export type PassageView = z.infer<typeof PassageView>

export const ChunkPreview = z.object({
  ordinal: z.number().int(),
  kind: z.string(),
  start: z.number().int(),
  end: z.number().int(),
  text: z.string(),
  headings: z.array(z.string()),
  header: z.string(),
  pages: z.tuple([z.number().int(), z.number().int()]),
  language: z.string(),
  tokens: z.number().int(),
})

export const GoldenQuestion = z.object({
  id: z.string().max(64),
  question: z.string().min(1).max(MAX_QUESTION_CHARS),
  documents: z.array(z.string().max(64)).max(50).default([]),
  quote: z.string().max(2_000).default(''),
})
export type GoldenQuestion = z.infer<typeof GoldenQuestion>
export const GoldenRun = z.object({
  id: z.string(),
  generation: z.number().int(),
  questions: z.number().int(),
  /** Of the right passage among the first five. */
  recall: z.number(),
  mrr: z.number(),
  ndcg: z.number(),
  at: z.number(),
})
export type GoldenRun = z.infer<typeof GoldenRun>

/** A question and what is said to it from now on. */
export const CuratedText = z.object({
  question: z.string().min(1).max(MAX_QUESTION_CHARS),
  answer: z.string().min(1).max(MAX_CURATED_CHARS),
})

export const CuratedAnswer = z.object({
  id: z.string(),
  question: z.string(),
  answer: z.string(),
  hits: z.number().int(),
  createdBy: z.string(),
  updatedAt: z.number(),
})
export const UnansweredQuestion = z.object({
  id: z.string(),
  question: z.string(),
  times: z.number().int(),
  coverage: z.number(),
  nearest: z.array(z.string()),
  state: z.enum(['open', 'dismissed', 'answered']),
  lastAt: z.number(),
})
export const AskedBefore = z.object({
  id: z.string(),
  question: z.string(),
  answer: z.string(),
  citations: z.array(Citation),
  covered: z.boolean(),
  collections: z.array(z.string()),
  at: z.number(),
})
/** A span that an answer quotes: the characters of a version's canonical text from `start` to `end`. */
export const QuotedSpan = z.object({
  mark: z.number().int().positive(),
  documentId: z.string().max(64),
  version: z.number().int(),
  title: z.string(),
  headings: z.array(z.string()).readonly(),
  quote: z.string(),
  start: z.number().int().nonnegative(),
  end: z.number().int().positive(),
})
export type QuotedSpan = z.infer<typeof QuotedSpan>

const InCollection = z.object({ collection: CollectionName })
const Page = z.object({ limit: z.number().int().min(1).max(200), after: z.string().max(160).nullable() })
const next = z.string().nullable()
const missing = ['NOT_FOUND', 'FORBIDDEN', 'BAD_INPUT'] as const

/** Everything that is asked of a tenant's knowledge and changes no document; any replica, name: `main`. */
export const Knowledge = pool('knowledge', {
  search: ask(SearchRequest, SearchResult, { within: '10s', fails: [...missing, 'MODEL_DOWN', 'MODEL_BUSY'] }),
  answer: stream(AnswerRequest, KnowledgePiece, { within: '60s', fails: [...missing, 'MODEL_DOWN', 'MODEL_BUSY'] }),
  /** Citations of those spans that stand in the stored text to the letter; the others are left out. */
  cite: ask(z.object({ spans: z.array(QuotedSpan).max(200) }), z.object({ citations: z.array(Citation) })),
  history: ask(Page, z.object({ queries: z.array(AskedBefore), next })),
  passage: ask(PassageRequest, PassageView, { fails: missing }),
  collections: ask(z.object({}), z.object({ collections: z.array(Collection) })),
  collection: ask(InCollection, Collection, { fails: missing }),
  documents: ask(
    Page.extend({ collection: CollectionName.nullable() }),
    z.object({ documents: z.array(DocumentSummary), next }),
  ),
  document: ask(z.object({ id: z.string().max(64) }), DocumentSummary, { fails: missing }),
  chunks: ask(
    z.object({ id: z.string().max(64), from: z.number().int().nonnegative() }),
    z.object({ chunks: z.array(ChunkPreview) }),
    { fails: missing },
  ),
  /** How a document's live version would be cut by other settings. */
  preview: ask(
    z.object({ id: z.string().max(64), chunks: ChunkSettings }),
    z.object({ chunks: z.array(ChunkPreview), total: z.number().int() }),
    { within: '15s', fails: missing },
  ),
  upload: ask(
    z.object({ id: z.string().max(64) }),
    z.object({ received: z.number(), bytes: z.number(), parts: z.array(z.string()) }),
    { fails: missing },
  ),
  golden: ask(InCollection, z.object({ questions: z.array(GoldenQuestion), runs: z.array(GoldenRun) }), {
    fails: missing,
  }),
  setGolden: ask(
    InCollection.extend({ questions: z.array(GoldenQuestion).max(2_000) }),
    z.object({ questions: z.number().int() }),
    { fails: missing },
  ),
  runGolden: ask(InCollection, GoldenRun, { within: '120s', fails: missing }),
  unanswered: ask(InCollection.extend(Page.shape), z.object({ questions: z.array(UnansweredQuestion), next }), {
    fails: missing,
  }),
  dismiss: ask(InCollection.extend({ id: z.string().max(64) }), z.object({}), { fails: missing }),
  curated: ask(InCollection, z.object({ answers: z.array(CuratedAnswer) }), { fails: missing }),
  curate: ask(InCollection.extend(CuratedText.shape), z.object({ id: z.string() }), { fails: missing }),
  uncurate: ask(InCollection.extend({ id: z.string().max(64) }), z.object({}), { fails: missing }),
})
