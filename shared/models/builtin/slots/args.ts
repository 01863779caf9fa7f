import { isRecord } from '../schema.ts'
import type { Leaf } from './leaf.ts'

export function at(source: unknown, path: readonly string[]): unknown {
  let here: unknown = source
  for (const part of path) here = isRecord(here) && Object.hasOwn(here, part) ? here[part] : undefined
  return here
}

export function withValue(
  source: Readonly<Record<string, unknown>>,
  path: readonly string[],
  value: unknown,
): Record<string, unknown> {
  const copy = structuredClone(source) as Record<string, unknown>
  setAt(copy, path, value)
  return copy
}

function setAt(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let here = target
  for (const part of path.slice(0, -1)) {
    const inner = Object.hasOwn(here, part) ? here[part] : undefined
    const next = isRecord(inner) ? (inner as Record<string, unknown>) : {}
    here[part] = next
    here = next
  }
  const last = path.at(-1)
  if (last !== undefined) here[last] = value
}

export function buildArgs(
  known: Readonly<Record<string, unknown>>,
  values: ReadonlyMap<Leaf, unknown>,
): Record<string, unknown> {
  const args = structuredClone(known) as Record<string, unknown>
  for (const [leaf, value] of values) setAt(args, leaf.path, value)
  return args
}
