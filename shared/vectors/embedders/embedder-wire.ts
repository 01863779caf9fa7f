import { WaggleError } from '#shared/errors/waggle-error.ts'

/** How one provider is asked for vectors: its addresses and shapes, and nothing of retries, batches or accounting. */
export interface EmbedderWire {
  /** Where it is known to be. */
  readonly baseUrl: string
  /** Texts in one request. */
  readonly maxBatch: number
  keyHeaders(key: string): Readonly<Record<string, string>>
  request(asked: EmbeddingAsked): { readonly path: string; readonly body: unknown }
  /** One entry for each text, in order, not yet checked to be a vector. Throws MODEL_MALFORMED. */
  read(json: unknown, texts: number): { readonly vectors: readonly unknown[]; readonly inputTokens: number | null }
}

export interface EmbeddingAsked {
  readonly model: string
  readonly texts: readonly string[]
  readonly kind: 'document' | 'query'
  /** The length to ask for; null: the model's own. */
  readonly shortenTo: number | null
}

export function malformed(reason: string): WaggleError {
  return new WaggleError('MODEL_MALFORMED', { reason })
}

export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** The list in this field, of exactly so many. */
export function listOf(value: unknown, count: number): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed('It holds no list of answers.')
  if (value.length !== count) throw malformed(`It holds ${value.length} answers to ${count} texts.`)
  return value
}

/** The answers in the order of the texts; each names its own place, and every place is named once. */
export function inOrder<Answer>(
  answers: readonly unknown[],
  read: (fields: Readonly<Record<string, unknown>>) => Answer,
): Answer[] {
  const placed = new Map<number, Answer>()
  for (const answer of answers) {
    const fields = fieldsOf(answer)
    const { index } = fields
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= answers.length) {
      throw malformed('An answer does not say which text it is of.')
    }
    placed.set(index, read(fields))
  }
  if (placed.size !== answers.length) throw malformed('Two answers are of the same text.')
  return Array.from(answers, (_, at) => placed.get(at) as Answer)
}

export function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null
}
