import type { RunContext } from '#shared/actor/definition.ts'
import type { AgentKnowledge } from '#shared/contracts/agent.ts'
import type { Citation } from '#shared/contracts/event-map.ts'
import { Knowledge, MAX_QUESTION_CHARS } from '#shared/contracts/knowledge.ts'
import type { SearchRequest, SearchResult } from '#shared/contracts/knowledge.ts'
import { coded } from '#shared/errors/waggle-error.ts'
import { FIRST_TOOL_MARK } from '#shared/graph/agent-graph.ts'
import type { GroundingPassage, Retrieved } from '#shared/graph/agent-graph.ts'
import { renderPassages } from '#shared/models/passages.ts'
import { citeAnswer } from '#shared/ranking/cite.ts'

/** The builtin tool whose answers are passages. */
export const SEARCH_TOOL = 'search_knowledge_base'
/** Documents may have been written by anybody (I14). */
export const KNOWLEDGE_TAINT = 'knowledge'

/**
 * What the agent's collections hold on a question. Where that is not enough for an answer, only titles are given: the model
 * then has nothing it could quote, and can say where to look.
 */
export async function retrieve(
  ctx: RunContext,
  knowledge: AgentKnowledge | null,
  question: string,
): Promise<Retrieved> {
  if (knowledge === null || question.trim() === '') return { passages: [], answer: null }
  const { collections, passages: limit } = knowledge
  const found = await search(ctx, { question: question.slice(0, MAX_QUESTION_CHARS), collections, limit })
  if (found === null) return { passages: [], answer: null }
  if (found.curated !== null) return { passages: [], answer: found.curated.answer }
  const passages = found.passages.map(({ documentId, version, title, headings, header, text, start }, at) => ({
    mark: at + 1,
    documentId,
    version,
    title: [title, ...headings.filter((heading) => heading !== title)].join(' › ').slice(0, MAX_TITLE_CHARS),
    headings,
    text: found.covered ? [header, text].filter((part) => part !== '').join('\n') : '',
    start: found.covered && header !== '' ? start - header.length - 1 : start,
  }))
  return { passages, answer: null }
}

/** Null when nobody can search now, or the collection is not there yet: the agent goes on without, and says no more than it knows. */
async function search(
  ctx: RunContext,
  asked: Pick<SearchRequest, 'question' | 'collections' | 'limit'>,
): Promise<SearchResult | null> {
  try {
    return await ctx.reach
      .pool(Knowledge, 'main')
      .ask('search', { ...asked, filter: {}, explain: false, answering: true })
  } catch (error) {
    const { code } = coded(error)
    if (ctx.signal.aborted || !WITHOUT.has(code)) throw error
    ctx.log.warn({ run: ctx.address, code, collections: asked.collections }, 'the documents could not be searched')
    return null
  }
}

const WITHOUT: ReadonlySet<string> = new Set([
  'NOT_FOUND',
  'UNREACHABLE',
  'OVERLOADED',
  'DEADLINE',
  'MODEL_DOWN',
  'MODEL_BUSY',
])
const MAX_TITLE_CHARS = 480

/** Passages of one call of the search tool, with marks of their own in the whole run. */
export function passagesIn(
  result: unknown,
  key: string,
): { readonly text: string; readonly passages: readonly GroundingPassage[] } | null {
  const { passages, curated } = (result ?? {}) as { passages?: readonly GroundingPassage[]; curated?: string | null }
  if (typeof curated === 'string') return { text: curated, passages: [] }
  if (!Array.isArray(passages)) return null
  const [, step = '0', place = '0'] = /(\d+)-(\d+)$/.exec(key) ?? []
  const first = FIRST_TOOL_MARK + (Number(step) * CALLS_A_STEP + Number(place)) * PASSAGES_A_CALL
  const marked = (passages as readonly GroundingPassage[])
    .slice(0, PASSAGES_A_CALL)
    .map((passage, at) => ({ ...passage, mark: first + at }))
  return { text: renderPassages(marked), passages: marked }
}

const CALLS_A_STEP = 8
const PASSAGES_A_CALL = 10

export type Grounded =
  | { readonly answer: string; readonly citations: readonly Citation[]; readonly flagged: Flagged | null }
  | { readonly ok: false; readonly feedback: string }

/** What lost its mark. */
export interface Flagged {
  readonly unsupported: string[]
  readonly unknown: number[]
}

/**
 * Holds the answer against what it cites: a mark that points nowhere is taken out, a cited sentence that its passage does not say
 * goes back to the model where the agent's policy says so, and otherwise loses its mark. What is left resolves to the letter.
 */
export async function ground(
  ctx: RunContext,
  knowledge: AgentKnowledge | null,
  answer: string,
  passages: readonly GroundingPassage[],
  last: boolean,
): Promise<Grounded> {
  if (passages.length === 0) return { answer, citations: [], flagged: null }
  const cited = citeAnswer(answer, passages)
  const flagged = { unsupported: [...cited.unsupported], unknown: [...cited.unknown] }
  const wrong = [
    ...flagged.unsupported.map((claim) => `“${claim}” is not what its passage says.`),
    ...flagged.unknown.map((mark) => `There is no passage [${mark}].`),
  ]
  if (wrong.length > 0 && knowledge?.unsupported === 'block' && !last) return { ok: false, feedback: wrong.join(' ') }
  const grounded = { answer: cited.answer, flagged: wrong.length === 0 ? null : flagged }
  if (cited.spans.length === 0) return { ...grounded, citations: [] }
  const spans = cited.spans.map(({ passage, mark, start, end, quote }) => {
    const { documentId, version, title, headings } = passage
    return { mark, documentId, version, title: title.split(' › ')[0] ?? title, headings, quote, start, end }
  })
  const { citations } = await ctx.reach.pool(Knowledge, 'main').ask('cite', { spans })
  return { ...grounded, citations }
}
