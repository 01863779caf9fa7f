import type { Rule } from './rule.ts'
import { injection } from './rules/injection.ts'
import { jsonSchema } from './rules/json-schema.ts'
import { length } from './rules/length.ts'
import { SPAN_RULES } from './rules/spans.ts'
import { toolPolicy } from './rules/tool-policy.ts'

/** Every rule that a row may name. */
export const RULES: ReadonlyMap<string, Rule> = new Map(
  [...SPAN_RULES, length, injection, toolPolicy, jsonSchema].map((rule) => [rule.name, rule]),
)
