import { z } from 'zod'
import type { Reach } from '#shared/actor/ref.ts'
import { CollectionName, Knowledge } from '#shared/contracts/knowledge.ts'
import { toolFailure } from './failure.ts'
import type { ToolRow } from './tool-row.ts'

export interface BuiltinAnswer {
  readonly result: unknown
  readonly text: string
  /** What it says comes from documents, which anybody may have written (I14). */
  readonly tainted: boolean
}

type Args = Readonly<Record<string, unknown>>

/** Tools that are code of this role; a row of kind `builtin` gives one of them to a tenant's agents. */
const BUILTINS: Readonly<Record<string, (args: Args, reach: Reach) => BuiltinAnswer | Promise<BuiltinAnswer>>> = {
  escalate_to_human: escalate,
  search_knowledge_base: searchKnowledge,
}

const MAX_REASON_CHARS = 500
const PASSAGES = 6

export async function callBuiltin(row: ToolRow, args: Args, reach: Reach): Promise<BuiltinAnswer> {
  const builtin = Object.hasOwn(BUILTINS, row.id) ? BUILTINS[row.id] : undefined
  if (builtin === undefined) throw toolFailure('TOOL_FAILED', 'no', `There is no builtin tool ${row.id}.`)
  return await builtin(args, reach)
}

/** Asks for a person: a marker that ends the run and offers the conversation to one. */
function escalate(args: Args): BuiltinAnswer {
  const given =
    typeof args['reason'] === 'string' ? args['reason'].trim().slice(0, MAX_REASON_CHARS).toWellFormed() : ''
  const reason = given === '' ? 'The customer asked for a person.' : given
  return { result: { escalate: true, reason }, text: 'A colleague was asked to take over.', tainted: false }
}

const Wanted = z.object({ question: z.string().min(1).max(4_000), collection: CollectionName.optional() })

/** The passages of the tenant's documents that answer a question; what the customer may not read is not among them. */
async function searchKnowledge(args: Args, reach: Reach): Promise<BuiltinAnswer> {
  const wanted = Wanted.safeParse(args)
  if (!wanted.success) throw toolFailure('TOOL_ARGS', 'no', 'It takes a question, and perhaps a collection.')
  const { question, collection } = wanted.data
  const found = await reach.pool(Knowledge, 'main').ask('search', {
    question,
    collections: collection === undefined ? [] : [collection],
    limit: PASSAGES,
    filter: {},
    explain: false,
    answering: true,
  })
  const passages = found.passages.map(({ documentId, version, title, headings, text, start }) => ({
    documentId,
    version,
    title,
    headings,
    text,
    start,
  }))
  return {
    result: { curated: found.curated?.answer ?? null, covered: found.covered, passages },
    text: found.curated?.answer ?? '',
    tainted: true,
  }
}
