import type { SwarmRow } from '#gateway/client/swarm-state.ts'

/** Families of events, by the noun of their type. */
export const FAMILIES = {
  messages: ['message', 'conversation', 'branch'],
  people: ['human', 'control', 'offer', 'note', 'whisper', 'draft', 'assignment', 'read'],
  text: ['text'],
  turns: ['turn', 'route', 'agent'],
  runs: ['run', 'budget', 'loop'],
  tools: ['tool'],
  guards: ['guardrail'],
  reviews: ['review'],
  knowledge: ['document', 'index', 'answer'],
  actors: ['actor', 'activation', 'letter', 'log'],
} as const satisfies Record<string, readonly string[]>

export type Family = keyof typeof FAMILIES

export interface EventFilter {
  readonly families: ReadonlySet<Family>
  readonly text: string
  /** Empty: of all conversations. */
  readonly conversationId: string
}

export function familyOf(type: string): Family | null {
  const noun = type.slice(0, type.indexOf(':'))
  for (const [family, nouns] of Object.entries(FAMILIES)) {
    if (nouns.some((other) => other === noun)) return family as Family
  }
  return null
}

/** No family chosen means all of them. `words` gives a row's line as it is shown. */
export function filterRows(
  rows: readonly SwarmRow[],
  { families, text, conversationId }: EventFilter,
  words: (row: SwarmRow) => string,
): readonly SwarmRow[] {
  const needle = text.trim().toLowerCase()
  if (families.size === 0 && needle === '' && conversationId === '') return rows
  return rows.filter((row) => {
    const { entry } = row
    if (conversationId !== '' && entry.conversationId !== conversationId) return false
    const family = familyOf(entry.type)
    if (families.size > 0 && (family === null || !families.has(family))) return false
    if (needle === '') return true
    return `${entry.type} ${entry.conversationId} ${entry.by} ${words(row)}`.toLowerCase().includes(needle)
  })
}
