import type { Context } from '#shared/actor/definition.ts'
import { refuse } from '#shared/errors/waggle-error.ts'

const STAFF = ['operator', 'admin', 'platform']

/** The user id of a person who may decide. */
export function requireStaff(ctx: Pick<Context<unknown>, 'cause'>): string {
  const { principal } = ctx.cause
  if (principal === null || !principal.roles.some((role) => STAFF.includes(role)))
    throw refuse('FORBIDDEN', { reason: 'Review items are decided by operators.' })
  return principal.user
}
