import type { CallForReview } from '#shared/graph/parked-calls.ts'
import { askedEvidence } from '#shared/contracts/review.ts'
import type { ReviewTerms } from '#shared/contracts/review.ts'
import { DUE_MS } from './approval-policy.ts'
import type { RunSayings } from './guard.ts'
import type { ProfileTool } from './profile.ts'

/** The built-in tool with which an agent asks its operators and goes on with their answer. */
export const ASK_OPERATOR = 'ask_operator'

/** Of what led to a call, what a person is shown beside the question: the newest words, cut to this length each. */
const EVIDENCE_MESSAGES = 4
const EVIDENCE_CHARS = 2_000
const TITLE_CHARS = 200

/** A call as a person is asked about it. */
export function callForReview(
  tool: ProfileTool,
  args: Readonly<Record<string, unknown>>,
  terms: ReviewTerms,
  sayings: RunSayings,
  taint: readonly string[],
): CallForReview {
  return {
    kind: 'tool_call',
    tool: tool.name,
    title: tool.title,
    proposal: { ...args },
    schema: { ...tool.schema },
    evidence: evidenceOf(sayings, taint),
    terms,
  }
}

/** A question of the agent; null when it asks nothing. */
export function questionForReview(
  tool: ProfileTool,
  args: Readonly<Record<string, unknown>>,
  terms: ReviewTerms | null,
  sayings: RunSayings,
  taint: readonly string[],
): CallForReview | null {
  const question = typeof args['question'] === 'string' ? args['question'].trim() : ''
  if (question === '') return null
  return {
    kind: 'question',
    tool: tool.name,
    title: question.slice(0, TITLE_CHARS).toWellFormed(),
    proposal: { ...args },
    schema: null,
    evidence: evidenceOf(sayings, taint),
    terms: terms ?? {
      reason: 'The agent asks before it goes on.',
      team: '',
      quorum: 1,
      dueMs: DUE_MS,
      expiresMs: null,
      onExpiry: 'wait',
      escalateTo: [],
    },
  }
}

/** What is to be answered, and the newest of what was said before and since. */
function evidenceOf({ asked, said }: RunSayings, taint: readonly string[]): CallForReview['evidence'] {
  const question = said.lastIndexOf(asked)
  const newest = said.length - EVIDENCE_MESSAGES
  return [
    ...said.flatMap((text, at) => {
      if (at === question) return [askedEvidence(text)]
      return at < newest ? [] : [{ kind: 'message', text: text.slice(0, EVIDENCE_CHARS).toWellFormed() }]
    }),
    ...taint.map((text) => ({ kind: 'taint', text })),
  ]
}
