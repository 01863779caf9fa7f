import { refuse } from '#shared/errors/waggle-error.ts'
import type { Principal } from '#shared/wire/envelope.ts'

/** Roles that the edge knows. A principal without any is a customer. */
export const Role = { operator: 'operator', admin: 'admin' } as const
export type Role = (typeof Role)[keyof typeof Role]

/** An administrator may all that an operator may. */
export function hasRole(principal: Principal, role: Role): boolean {
  return principal.roles.includes(role) || (role === 'operator' && principal.roles.includes('admin'))
}

/** Throws FORBIDDEN. */
export function requireRole(principal: Principal, role: Role): void {
  if (!hasRole(principal, role)) throw refuse('FORBIDDEN', { needs: role })
}
