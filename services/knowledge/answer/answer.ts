import type { z } from 'zod'
import type { PoolContext } from '#shared/actor/definition.ts'
import type { AnswerRequest, KnowledgeAnswer, KnowledgePiece } from '#shared/contracts/knowledge.ts'
import type { Citation } from '#shared/contracts/event-map.ts'
import { keepAsked, keepUnanswered } from '#shared/db/repositories/knowledge/asked.ts'
import { newId } from '#shared/lib/ids.ts'
import type { KnowledgeParts } from '../parts.ts'
import { find, foundPassage } from '../search/find.ts'
import type { CollectionsCache, Finding } from '../search/find.ts'
import { citationsOf } from './citations.ts'
import { nearestCurated } from './curated.ts'
import { quoteAnswer } from './quote-answer.ts'

type Request = z.infer<typeof AnswerRequest>

/** Passages an answer is made of. */
const PASSAGES = 6
/** Titles that are named when there is no answer. */
const NEAREST = 3

/**
 * An answer from the documents alone, in quotes: each of its sentences is a span of a passage, marked, and every citation is
 * read again from the stored text before it is given. What the documents do not hold is said to be so, and kept for those
 * who look after them.
 */
export async function* answerStream(
  parts: KnowledgeParts,
  cache: CollectionsCache,
  ctx: PoolContext,
  request: Request,
): AsyncGenerator<KnowledgePiece> {
  const started = performance.now()
  const found = await find(parts, cache, ctx, { ...request, limit: PASSAGES })
  const done = (answer: Omit<KnowledgeAnswer, 'id' | 'ms' | 'coverage'>): KnowledgeAnswer => ({
    id: newId(),
    coverage: found.coverage,
    ms: performance.now() - started,
    ...answer,
  })
  const curated = await nearestCurated(parts, ctx.tenant, request.question, found.collections)
  if (curated !== null) {
    yield { kind: 'text', text: curated.answer }
    const answer = done({ answer: curated.answer, citations: [], covered: true, nearest: [], curated: curated.id })
    await keep(parts, ctx, request, answer)
    yield { kind: 'answer', answer }
    return
  }
  const passages = found.passages.map((passage) => foundPassage(passage, false))
  yield { kind: 'passages', passages, coverage: found.coverage }
  const quoted = found.covered ? quoteAnswer(found) : null
  if (quoted === null) {
    const answer = done(notInDocuments(found))
    yield { kind: 'text', text: answer.answer }
    await keep(parts, ctx, request, answer)
    if (request.keep) await keepUnheld(parts, ctx, request.question, found)
    yield { kind: 'answer', answer }
    return
  }
  for (const text of quoted.pieces) yield { kind: 'text', text }
  const citations: Citation[] = await parts.database.tenant(ctx.tenant, (sql) => citationsOf(sql, quoted.quotes))
  const answer = done({ answer: quoted.pieces.join(''), citations, covered: true, nearest: [], curated: null })
  await keep(parts, ctx, request, answer)
  yield { kind: 'answer', answer }
}

/** For those who look after the collection; where several were asked, it is nobody's. */
export async function keepUnheld(
  { database }: KnowledgeParts,
  ctx: PoolContext,
  question: string,
  found: Finding,
): Promise<void> {
  const [only, ...others] = found.collections
  if (only === undefined || others.length > 0) return
  const { coverage } = found
  await database.tenant(ctx.tenant, (sql) =>
    keepUnanswered(sql, only.id, { question, coverage, nearest: nearestOf(found) }, Date.now()),
  )
}

function nearestOf(found: Finding): string[] {
  return [...new Set(found.passages.map(({ title }) => title))].slice(0, NEAREST)
}

/** Never an invention: the nearest titles, so that somebody can look there. */
function notInDocuments(found: Finding): Omit<KnowledgeAnswer, 'id' | 'ms' | 'coverage'> {
  const nearest = nearestOf(found)
  const hint = nearest.length === 0 ? '' : ` Nearest to it: ${nearest.map((title) => `“${title}”`).join(', ')}.`
  return { answer: `This is not in your documents.${hint}`, citations: [], covered: false, nearest, curated: null }
}

async function keep(
  { database }: KnowledgeParts,
  ctx: PoolContext,
  request: Request,
  answer: KnowledgeAnswer,
): Promise<void> {
  const by = ctx.cause.principal?.user
  if (!request.keep || by === undefined) return
  const { id, citations, covered, ms } = answer
  const { collections, question } = request
  await database.tenant(ctx.tenant, (sql) =>
    keepAsked(sql, by, { id, collections, question, answer: answer.answer, citations, covered, at: Date.now() }, ms),
  )
}
