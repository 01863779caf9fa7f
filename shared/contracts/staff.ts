import { refuse } from '#shared/errors/waggle-error.ts'
import type { Principal } from '#shared/wire/envelope.ts'

/** Roles that may see, and do, what concerns all of their tenant. */
const STAFF: readonly string[] = ['operator', 'admin', 'platform']

export function isStaff(principal: Pick<Principal, 'roles'> | null): boolean {
  return principal?.roles.some((role) => STAFF.includes(role)) === true
}

/** The user id of who asks. FORBIDDEN, with what is not for others, when it is no person of the tenant's staff. */
export function requireStaff(
  { cause }: { readonly cause: { readonly principal: Principal | null } },
  what: string,
): string {
  const { principal } = cause
  if (principal === null || !isStaff(principal))
    throw refuse('FORBIDDEN', { needs: 'operator', reason: `${what} for operators.` })
  return principal.user
}
