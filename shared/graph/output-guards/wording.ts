import { ENTITY_LABELS } from '#shared/lib/patterns/span.ts'
import type { Entity } from '#shared/lib/patterns/span.ts'
import type { GuardrailAction } from './guardrail-row.ts'

/** What was found, in words a customer may read: kinds and numbers of things, never the things themselves. */
export function describeFindings(entities: readonly Entity[], action: GuardrailAction): string {
  const counts = new Map<Entity, number>()
  for (const entity of entities) counts.set(entity, (counts.get(entity) ?? 0) + 1)
  const things = [...counts].map(([entity, count]) => `${count} ${plural(ENTITY_LABELS[entity], count)}`)
  const list = things.length < 2 ? (things[0] ?? '') : `${things.slice(0, -1).join(', ')} and ${things.at(-1)}`
  switch (action) {
    case 'block':
      return `This holds ${list}, which may not be passed on here.`
    case 'rewrite':
      return `Masked ${list}.`
    case 'flag':
      return `Found ${list}.`
  }
}

/** Of a guardrail that cannot do its work: it refuses, and does not say why to a customer. */
export const BROKEN_REASON = 'A safety check could not be made, so nothing was passed on.'

function plural(label: string, count: number): string {
  if (count === 1 || label === 'hidden text') return label
  return label.endsWith('s') ? `${label}es` : `${label}s`
}
