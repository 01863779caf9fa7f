import { createHash } from 'node:crypto'

const HASH_CHARS = 32

/** JSON with sorted keys: the same values have the same text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/** What arguments are known by: in the ledger of effects, and in the decisions of people about them. */
export function hashOfArgs(args: unknown): string {
  return createHash('sha256').update(canonicalJson(args)).digest('hex').slice(0, HASH_CHARS)
}
