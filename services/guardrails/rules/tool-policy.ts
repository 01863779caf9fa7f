import { z } from 'zod'
import { compileSchema } from '#shared/lib/json-schema/compile-schema.ts'
import type { SchemaCheck } from '#shared/lib/json-schema/compile-schema.ts'
import type { Rule, RuleContext } from '../rule.ts'
import type { ToolUse } from '../subject.ts'

/**
 * Who may use which tool with which arguments, decided by code (I10): where a policy stands, what it does not allow is
 * denied, and a denial is stronger than a permission.
 */
const Entry = z.strictObject({
  /** A name, with `*` for any part of one. */
  tool: z.string().min(1).max(120),
  /** One of these roles; absent: any. */
  roles: z.array(z.string()).optional(),
  users: z.array(z.string()).optional(),
  /** JSON Schema that the arguments must fit. */
  args: z.record(z.string(), z.unknown()).optional(),
  /**
   * In a turn that has read text from outside: not at all, without addresses that the policy does not name (the
   * default), or as in any other turn.
   */
  whenTainted: z.enum(['no', 'no-addresses', 'yes']).default('no-addresses'),
})
const Config = z.strictObject({
  allow: z.array(Entry).max(200).default([]),
  deny: z
    .array(Entry.omit({ whenTainted: true }))
    .max(200)
    .default([]),
  /** Where a tainted turn may send things: `*@example.com`, `example.com` (and its addresses). */
  recipients: z.array(z.string().min(3).max(200)).max(200).default([]),
})

export interface ToolPolicy {
  /** Why not; null when it may. */
  refuses(tool: ToolUse, context: RuleContext): string | null
  /** What a tainted turn may do with this tool. */
  whenTainted(tool: ToolUse, context: RuleContext): 'no' | 'no-addresses' | 'yes'
  readonly recipients: readonly string[]
}

interface Compiled {
  readonly entry: Omit<z.infer<typeof Entry>, 'whenTainted'>
  readonly name: RegExp
  readonly args: SchemaCheck | null
}

export function compilePolicy(config: unknown): ToolPolicy {
  const { allow, deny, recipients } = Config.parse(config)
  const allowed = allow.map((entry) => ({ ...compileEntry(entry), whenTainted: entry.whenTainted }))
  const denied = deny.map(compileEntry)
  return {
    recipients,
    refuses(tool, context) {
      if (denied.some((one) => applies(one, tool, context, 'when in doubt'))) return `${tool.name} is not allowed here.`
      if (allowed.some((one) => applies(one, tool, context, 'only for certain'))) return null
      const named = allowed.some((one) => one.name.test(tool.name))
      return named
        ? `${tool.name} is not allowed with these arguments or for this person.`
        : `${tool.name} is not allowed here.`
    },
    whenTainted(tool, context) {
      return allowed.find((one) => applies(one, tool, context, 'only for certain'))?.whenTainted ?? 'no'
    },
  }
}

export const toolPolicy: Rule = {
  name: 'tool_policy',
  stages: ['tool_call'],
  actions: ['block', 'flag'],
  compile(config) {
    const policy = compilePolicy(config)
    return ({ tool }, context) => {
      if (tool === null) return { reason: 'It is not known which tool this is.', rewritten: null }
      const reason = policy.refuses(tool, context)
      return reason === null ? null : { reason, rewritten: null }
    }
  },
}

function compileEntry(entry: Omit<z.infer<typeof Entry>, 'whenTainted'>): Compiled {
  return { entry, name: globPattern(entry.tool), args: entry.args === undefined ? null : compileSchema(entry.args) }
}

/** `lookup_*`; nothing else in it means anything. */
function globPattern(glob: string): RegExp {
  const parts = glob.split(/\*+/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  if (parts.length > 4) throw new TypeError('a tool name with too many *')
  return new RegExp(`^${parts.join('.*')}$`, 's')
}

/** Arguments that cannot be checked count as fitting for a denial, and as not fitting for a permission. */
function applies(
  one: Compiled,
  tool: ToolUse,
  context: RuleContext,
  doubt: 'when in doubt' | 'only for certain',
): boolean {
  const { roles, users } = one.entry
  if (!one.name.test(tool.name)) return false
  if (roles !== undefined && !roles.some((role) => context.roles.includes(role))) return false
  if (users !== undefined && !users.includes(context.user)) return false
  if (one.args === null) return true
  const problems = one.args.problems(tool.args)
  return (
    problems.length === 0 ||
    (doubt === 'when in doubt' && problems.some(({ message }) => message === 'could not be checked'))
  )
}
